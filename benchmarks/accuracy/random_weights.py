"""Writes the same network without what it learned: every weight drawn anew, He-normal, biases 0.

    python -m benchmarks.accuracy.random_weights FILE.safetensors random.safetensors

Needs: a file of weights.
Takes: seconds.

For the column "random weights" of `accuracy.py`: `--random "inception(weights='random.safetensors')"`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from benchmarks.shared import command, existing


def main() -> None:
    parser = command(__file__, __doc__)
    parser.add_argument("given", type=existing, help="the weights as they were learned")
    parser.add_argument("drawn", type=Path, help="the file to write")
    options, rng = parser.parse_args(), np.random.default_rng(0)
    drawn = {}
    for name, weight in load_file(options.given).items():
        deviation = np.sqrt(2 / np.prod(weight.shape[1:])) if weight.ndim > 1 else 0.0
        drawn[name] = (deviation * rng.normal(size=weight.shape)).astype(np.float32)
    save_file(drawn, options.drawn)


if __name__ == "__main__":
    main()
