"""Run by test_kernels.py in a process of its own, with the BLAS kernel that OPENBLAS_CORETYPE names; prints JSON.

python kernel_script.py products CASES
python kernel_script.py pipeline REALS FAKES
"""

import json
import sys
import warnings

import numpy as np
from threadpoolctl import ThreadpoolController

from giqa.scorers.products import check_products, steady_product

BLAS = ThreadpoolController()  # made once: looking for libraries takes longer than a product


def kernel() -> str:
    return next((str(lib.get("architecture")) for lib in BLAS.info() if lib["user_api"] == "blas"), "none")


def products(cases: int) -> dict:
    """How many of so many random sizes, half float32, half float64, give a row other bits in other company."""
    rng = np.random.default_rng(7)
    differ = wrong = 0
    for case in range(cases):
        dtype = (np.float32, np.float64)[case % 2]
        n, d, m = (int(np.exp(rng.uniform(0, np.log(most)))) for most in (300, 800, 500))
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


def pipeline(reals: str, fakes: str) -> dict:
    """z of fakes by model and way, as hexadecimal text, and the digests of models fitted on reals in another order."""
    import random
    from pathlib import Path

    import giqa
    from giqa.compare import compare

    warnings.simplefilter("ignore")
    real, fake = (sorted(str(path) for path in Path(where).iterdir()) for where in (reals, fakes))
    shuffled = random.Random(1).sample(real, len(real))
    backwards = fake[::-1]
    found = {}
    for scorer in ("multilayer", "gmm(preset='released', pca=8)", "knn(k=40)"):
        with BLAS.limit(limits=1, user_api="blas"):
            model = giqa.fit(real, scorer=scorer, workers=1)
            alone = np.concatenate([giqa.score([path], model=model).z for path in fake[:8]])
        with BLAS.limit(limits=2, user_api="blas"):
            other = giqa.fit(shuffled, scorer=scorer, workers=2)
            company = giqa.score(fake, model=other).z[:8]
            reverse = giqa.score(backwards, model=model, workers=2).z[::-1][:8]
        found[scorer] = {
            "z": alone.tolist(),
            "same": bool(np.array_equal(alone, company) and np.array_equal(alone, reverse)),
            "digests": [model.digest, other.digest],
        }
    half = len(fake) // 2
    results = []
    for threads, a, b, c in ((1, real, fake[:half], fake[half:]), (2, shuffled, fake[:half][::-1], fake[half:][::-1])):
        with BLAS.limit(limits=threads, user_api="blas"):
            result = compare(a, {"a": b, "b": c}, metrics="qs,fd,kd,precision,recall,density,coverage,vendi")
        values = [generator.values.values() for generator in result.generators]
        results.append([[float(v).hex() for v in (x.value, *x.interval())] for of_one in values for x in of_one])
    return {"scorers": found, "compare": results}


if __name__ == "__main__":
    what, *rest = sys.argv[1:]
    found = products(int(rest[0])) if what == "products" else pipeline(*rest)
    print(json.dumps({"kernel": kernel(), "tiles": check_products().record(), **found}))
