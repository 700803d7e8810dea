"""BRISQUE: a support vector regression on natural scene statistics, trained on people's opinions of distortions."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from ..errors import BadShape, BadSpec, BadWeights, MissingWeights
from ..files import as_home
from .fixed import Fixed

NUMBERS = 36


class BRISQUE(Fixed):
    """Minus the opinion score that BRISQUE predicts: rho - sum over i of c_i exp(-gamma |x - v_i|²).

    x are the features of the extractor `brisque`, scaled to -1..1 by the published ranges.

        giqa score FAKES --real REALS --scorer "brisque(model='brisque_svr_allmodel', ranges='range.csv')"

    Parameters
    ----------
    model : str
        The published libsvm text file (`brisque_svr_allmodel`). giqa does not ship it; once fitted it is in the model
        file.
    ranges : str
        A CSV with the columns min and max, one row for each feature.

    Raises
    ------
    BadSpec
        In `fit`: a file is not named.
    MissingWeights, BadWeights
        In `fit`: a file is not there, or has other content.
    BadShape
        If features are not those of the extractor `brisque`.
    NotFitted
        If scores are asked for before `fit`.

    Notes
    -----
    Scores are about -100 (bad) to 0 and a little above. It was made for photographs that were blurred, noisy or
    compressed, not for what generators do.

    References
    ----------
    Mittal, Moorthy, Bovik, "No-Reference Image Quality Assessment in the Spatial Domain", 2012.

    Examples
    --------
    >>> BRISQUE(model="brisque_svr_allmodel", ranges="range.csv").default_extractor
    'brisque'
    """

    default_extractor = "brisque"

    def __init__(self, model: str | None = None, ranges: str | None = None):
        self.model = model
        self.ranges = ranges

    def _read(self, matrix: np.ndarray) -> None:
        if matrix.shape[1] != NUMBERS:
            raise BadShape(f"BRISQUE takes the {NUMBERS} numbers of the extractor brisque, got {matrix.shape[1]}.")
        if self.model is None or self.ranges is None:
            raise BadSpec("brisque(model=..., ranges=...) needs both files; giqa does not ship them.")
        self.vectors_, self.coefficients_, self.gamma_, self.rho_ = read_libsvm(self.model)
        self.low_, self.high_ = read_ranges(self.ranges)

    def _scores(self, matrix: np.ndarray) -> np.ndarray:
        scaled = -1 + 2 * (matrix - self.low_) / (self.high_ - self.low_)
        scores = np.empty(len(matrix))
        for row, x in enumerate(scaled):  # row by row: the same bits whatever the other pictures in the batch are
            scores[row] = self.rho_ - self.coefficients_ @ np.exp(-self.gamma_ * ((self.vectors_ - x) ** 2).sum(axis=1))
        return scores


def read_libsvm(path: str | Path) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Support vectors, their coefficients, gamma and rho of a libsvm text file of a regression with an rbf kernel.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    vectors : float64 ndarray of shape (m, 36)
    coefficients : float64 ndarray of shape (m,)
    gamma, rho : float

    Raises
    ------
    MissingWeights, BadWeights
        If the file is not there, or has other content.
    """
    lines = _text(path).splitlines()
    try:
        start = lines.index("SV")
        header = dict(line.split(maxsplit=1) for line in lines[:start])
        if header["svm_type"] not in ("epsilon_svr", "nu_svr") or header["kernel_type"] != "rbf":
            raise ValueError(f"it is {header['svm_type']} with the kernel {header['kernel_type']}")
        rows = [line.split() for line in lines[start + 1 :] if line.strip()]
        if len(rows) != int(header["total_sv"]):
            raise ValueError(f"it has {len(rows)} of {header['total_sv']} support vectors")
        vectors = np.zeros((len(rows), NUMBERS))
        for row, (_, *entries) in enumerate(rows):
            for entry in entries:
                index, _, value = entry.partition(":")
                vectors[row, int(index) - 1] = float(value)
        coefficients = np.array([float(row[0]) for row in rows])
        return vectors, coefficients, float(header["gamma"]), float(header["rho"])
    except (ValueError, KeyError, IndexError) as error:
        raise BadWeights(
            f"{path} is no libsvm model of a regression on {NUMBERS} features ({error}); BRISQUE's published file is."
        ) from None


def read_ranges(path: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Smallest and largest value of each feature, from a CSV with the columns min and max.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    low, high : float64 ndarray of shape (36,)

    Raises
    ------
    MissingWeights, BadWeights
        If the file is not there, or has other content.
    """
    try:
        rows = list(csv.DictReader(_text(path).splitlines()))
        low, high = (np.array([float(row[name]) for row in rows]) for name in ("min", "max"))
    except (ValueError, KeyError, TypeError) as error:
        raise BadWeights(f"{path} is no table with the columns min and max ({error}).") from None
    if len(low) != NUMBERS or not (high > low).all():
        raise BadWeights(f"{path} should have {NUMBERS} rows with min below max; it has {len(low)}.")
    return low, high


def _text(path: str | Path) -> str:
    try:
        return as_home(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise MissingWeights(f"There is no file {path}; giqa does not ship BRISQUE's parameters.") from None
    except UnicodeDecodeError:
        raise BadWeights(f"{path} is no text file.") from None
