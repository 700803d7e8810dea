"""Run by test_kernels.py in a process of its own, with the BLAS kernel that OPENBLAS_CORETYPE names; prints JSON.

python kernel_script.py CASES FEATURES
"""

import json
import sys
import warnings

import numpy as np
from threadpoolctl import ThreadpoolController

from giqa.scorers.products import check_products, steady_product

LEVELS = {"levels": {"low": ["taps.low.mean"], "mid": ["taps.mid.mean"], "high": ["high.mean"]}}
BLAS = ThreadpoolController()  # made once: looking for libraries takes longer than a product


def kernel() -> str:
    return next((str(lib.get("architecture")) for lib in BLAS.info() if lib["user_api"] == "blas"), "none")


def products(cases: int) -> dict:
    """How many of so many random sizes, half float32, half float64, give a row other bits in other company."""
    rng = np.random.default_rng(7)
    differ = wrong = 0
    for case in range(cases):
        dtype = (np.float32, np.float64)[case % 2]
        n, d, m = (int(np.exp(rng.uniform(0, np.log(most)))) for most in (280, 600, 300))
        left, right = (rng.random((rows, d), dtype) - dtype(0.5) for rows in (n, m))
        with BLAS.limit(limits=1, user_api="blas"):
            whole = steady_product(left, right)
            row, some = int(rng.integers(n)), rng.permutation(n)[: int(rng.integers(1, n + 1))]
            same = np.array_equal(steady_product(left[row : row + 1], right)[0], whole[row])
        with BLAS.limit(limits=2, user_api="blas"):
            same = same and np.array_equal(steady_product(left[some], right), whole[some])
        differ += not same
        if case % 8 < 2:  # |error| of a sum of d products is at most d u sum |a b|
            bound = 2 * d * np.finfo(dtype).eps * np.abs(left).max() * np.abs(right).max() * d
            wrong += np.abs(whole - left.astype(float) @ right.T.astype(float)).max() > bound
    return {"differ": differ, "wrong": int(wrong)}


def pipeline(features: str) -> dict:
    """z of fakes by model and way, the digests of models of the same reals in another order, two comparisons alike.

    `features`: an npz with layers of reals and fakes, "real:NAME" and "fake:NAME", as the default extractor makes them.
    """
    import giqa
    from giqa.compare.compare import compare
    from giqa.types import Features

    warnings.simplefilter("ignore")
    arrays = np.load(features)

    def given(side: str) -> Features:
        layers = {n.partition(":")[2]: arrays[n] for n in arrays.files if n.startswith(side)}
        return Features(
            tuple(f"{side}{i:02d}" for i in range(len(next(iter(layers.values()))))), layers, made_by=LEVELS
        )

    real, fake = given("real"), given("fake")
    shuffled = real.rows(np.random.default_rng(1).permutation(len(real)))
    found = {}
    for scorer in ("multilayer", "knn(k=40)"):
        with BLAS.limit(limits=1, user_api="blas"):
            model = giqa.fit(real, scorer=scorer)
            alone = np.concatenate([giqa.score(fake.rows(slice(i, i + 1)), model=model).z for i in range(len(fake))])
        with BLAS.limit(limits=2, user_api="blas"):
            other = giqa.fit(shuffled, scorer=scorer)
            company = giqa.score(fake, model=other).z
            reverse = giqa.score(fake.rows(slice(None, None, -1)), model=model).z[::-1]
        found[scorer] = {
            "z": alone.tolist(),
            "same": bool(np.array_equal(alone, company) and np.array_equal(alone, reverse)),
            "digests": [model.digest, other.digest],
        }
    one, two = np.arange(len(fake) // 2), np.arange(len(fake) // 2, len(fake))
    results = []
    for threads, a, b, c in ((1, real, one, two), (2, shuffled, one[::-1], two[::-1])):
        with BLAS.limit(limits=threads, user_api="blas"):
            sets = {"A": fake.rows(b), "B": fake.rows(c)}
            result = compare(a, sets, metrics="qs,fd,kd,precision,coverage,vendi", scorer="sgm")
        values = [generator.values.values() for generator in result.generators]
        results.append([[float(v).hex() for v in (x.value, *x.interval())] for of_one in values for x in of_one])
    return {"scorers": found, "compare": results}


if __name__ == "__main__":
    cases, features = sys.argv[1:]
    found = {"products": products(int(cases)), **pipeline(features)}
    print(json.dumps({"kernel": kernel(), "tiles": check_products().record(), **found}))
