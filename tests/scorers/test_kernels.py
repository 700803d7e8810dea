"""The promise of equal bits, under every kernel of OpenBLAS that this processor can run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from giqa.features.reader import extract

SCRIPT = Path(__file__).with_name("kernel_script.py")
KERNELS = ("own", "Haswell", "SkylakeX", "Sandybridge", "Nehalem")
CASES = 2000
ILLEGAL = (-4, 132)  # killed by an illegal instruction: the processor cannot run this kernel


def start(kernel, *words):
    """The script under a kernel, with two threads of BLAS to share its work."""
    env = {name: value for name, value in os.environ.items() if name not in ("OPENBLAS_CORETYPE", "OMP_NUM_THREADS")}
    env |= {} if kernel == "own" else {"OPENBLAS_CORETYPE": kernel}
    command = [sys.executable, str(SCRIPT), *map(str, words)]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def result(kernel, process):
    """What the script printed; skips where the kernel is not to be had."""
    out, err = process.communicate(timeout=300)
    if process.returncode in ILLEGAL:
        pytest.skip(f"this processor has no instructions for OpenBLAS's kernel {kernel}")
    assert process.returncode == 0, err
    found = json.loads(out)
    if kernel != "own" and found["kernel"] != kernel:
        pytest.skip(f"this BLAS does not take OPENBLAS_CORETYPE: it runs {found['kernel']}")
    return found


@pytest.fixture(scope="module")
def found(toy, tmp_path_factory):
    """(kernel) -> what the script printed under it: of products, and of fit, score and compare on kept features."""
    names = ("taps.low.mean", "taps.mid.mean", "high.mean", "content")
    arrays = {}
    for side, folder in zip(("real", "fake"), toy, strict=True):
        layers = extract(folder, "embedded", store=False).features.layers
        arrays |= {f"{side}:{name}": layers[name] for name in names}
    np.savez(file := tmp_path_factory.mktemp("features") / "features.npz", **arrays)
    running, printed = {kernel: start(kernel, CASES, file) for kernel in KERNELS}, {}

    def under(kernel):
        if kernel not in printed:
            printed[kernel] = result(kernel, running[kernel])
        return printed[kernel]

    try:
        yield under
    finally:
        for process in running.values():
            process.kill()
            process.wait()


@pytest.mark.slow
@pytest.mark.parametrize("kernel", KERNELS)
def test_no_size_of_product_gives_a_picture_other_bits_in_other_company(found, kernel):
    """2,000 random sizes: a row alone, among others and on two threads has equal bits, and is right to rounding."""
    products = found(kernel)["products"]
    assert products["differ"] == products["wrong"] == 0
    assert set(found(kernel)["tiles"]["one_by_one"]) == {"float32", "float64"}


@pytest.mark.parametrize("kernel", KERNELS)
def test_scores_are_equal_bits_alone_in_company_shuffled_and_on_two_threads(found, kernel):
    """And so are models of the same reals in another order, and every number of a comparison."""
    here = found(kernel)
    for scorer, one in here["scorers"].items():
        assert one["same"], scorer
        assert len(set(one["digests"])) == 1, scorer
    assert here["compare"][0] == here["compare"][1]


@pytest.mark.parametrize("kernel", KERNELS[1:])
def test_another_kernel_moves_z_by_less_than_a_thousandth(found, kernel):
    """Between processors z may differ in rounding, and in no more."""
    one, other = found("own")["scorers"], found(kernel)["scorers"]
    for scorer in one:
        assert np.abs(np.array(one[scorer]["z"]) - other[scorer]["z"]).max() < 1e-3, scorer
