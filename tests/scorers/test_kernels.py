"""The promise of equal bits, under every kernel of OpenBLAS that this processor can run."""

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from giqa.features.extract import extract

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


@contextmanager
def under_every_kernel(*words):
    """The script under all kernels at once; gives what it printed under one."""
    running, found = {kernel: start(kernel, *words) for kernel in KERNELS}, {}

    def of(kernel):
        if kernel not in found:
            found[kernel] = result(kernel, running[kernel])
        return found[kernel]

    try:
        yield of
    finally:
        for process in running.values():
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def products():
    """The property test of products under every kernel."""
    with under_every_kernel("products", CASES) as of:
        yield of


@pytest.mark.parametrize("kernel", KERNELS)
def test_no_size_of_product_gives_a_picture_other_bits_in_other_company(products, kernel):
    """2,000 random sizes: a row alone, among others and on two threads has equal bits, and is right to rounding."""
    found = products(kernel)
    assert found["differ"] == found["wrong"] == 0
    assert set(found["tiles"]["one_by_one"]) == {"float32", "float64"}


@pytest.fixture(scope="module")
def pipelines(toy, tmp_path_factory):
    """fit, score and compare under every kernel, on the same features of pictures."""
    names = ("taps.low.mean", "taps.mid.mean", "high.mean", "content")
    arrays = {}
    for side, folder in zip(("real", "fake"), toy, strict=True):
        layers = extract(folder, "embedded", store=False).features.layers
        arrays |= {f"{side}:{name}": layers[name] for name in names}
    np.savez(file := tmp_path_factory.mktemp("features") / "features.npz", **arrays)
    with under_every_kernel("pipeline", file) as of:
        yield of


@pytest.mark.parametrize("kernel", KERNELS)
def test_scores_are_equal_bits_alone_in_company_shuffled_and_on_two_threads(pipelines, kernel):
    """And so are models of the same reals in another order, and every number of a comparison."""
    found = pipelines(kernel)
    for scorer, one in found["scorers"].items():
        assert one["same"], scorer
        assert len(set(one["digests"])) == 1, scorer
    assert found["compare"][0] == found["compare"][1]


@pytest.mark.parametrize("kernel", KERNELS[1:])
def test_another_kernel_moves_z_by_less_than_a_thousandth(pipelines, kernel):
    """Between processors z may differ in rounding, and in no more."""
    one, other = pipelines("own")["scorers"], pipelines(kernel)["scorers"]
    for scorer in one:
        assert np.abs(np.array(one[scorer]["z"]) - other[scorer]["z"]).max() < 1e-3, scorer
