"""The same network without what it learned: every weight drawn anew, He-normal, biases 0.

    python -m benchmarks.accuracy.random_weights FILE.safetensors random.safetensors

For the column "random weights" of `accuracy.py`: `--random "inception(weights='random.safetensors')"`.
"""

import sys

import numpy as np
from safetensors.numpy import load_file, save_file

if __name__ == "__main__":
    given, made = sys.argv[1:]
    rng = np.random.default_rng(0)
    drawn = {}
    for name, weight in load_file(given).items():
        spread = np.sqrt(2 / np.prod(weight.shape[1:])) if weight.ndim > 1 else 0.0
        drawn[name] = (spread * rng.normal(size=weight.shape)).astype(np.float32)
    save_file(drawn, made)
