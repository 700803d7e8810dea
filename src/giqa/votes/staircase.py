"""The adaptive staircase of HYPE-time: the next exposure, an evaluator's threshold, and how good an estimate it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import BadShape, BadSpec
from ..registry import check_arguments
from ..stats import sigmoid

GUESS = 0.5  # two answers, half of the pictures real: who sees nothing is right half of the time
LAPSE = 0.02  # slips of a finger at any exposure
WIDTHS = (0.1, 0.2, 0.35, 0.6, 1.0)  # of the psychometric function, in log exposure, that a fit considers


@dataclass(frozen=True)
class Staircase:
    """Exposures in milliseconds: `down` shorter after a right answer, `up` longer after a wrong one, within the range.

    A staircase comes to rest where `down` times the right answers equals `up` times the wrong ones, at a share of
    `target` right answers. Guessing alone is right half of the time, so a target of 0.5 or less is below every
    observer, and the
    exposure falls to the floor: see `balanced`.

    Parameters
    ----------
    start : int
        The first exposure, in ms. The defaults are those of HYPE-time.
    down, up : int
        Steps, in ms.
    floor, top : int
        The shortest and the longest exposure, in ms.

    Raises
    ------
    BadSpec
        When a step is not above 0, or the start is out of the range.

    Examples
    --------
    >>> stairs = Staircase()
    >>> stairs.after(500, right=True), stairs.after(500, right=False), stairs.after(110, right=True)
    (470, 510, 100)
    >>> stairs.target, Staircase.balanced().target
    (0.25, 0.75)
    """

    start: int = 500
    down: int = 30
    up: int = 10
    floor: int = 100
    top: int = 1000

    def __post_init__(self) -> None:
        check_arguments(Staircase, **vars(self))
        if self.down <= 0 or self.up <= 0:
            raise BadSpec(f"Steps are milliseconds above 0, got down={self.down}, up={self.up}.")
        if not 0 < self.floor <= self.start <= self.top:
            raise BadSpec(
                f"A staircase starts within its range, got start={self.start}, range {self.floor} to {self.top} ms."
            )

    @classmethod
    def balanced(cls) -> Staircase:
        """Steps that come to rest at 75 % right answers: -10 ms after a right answer, +30 after a wrong one."""
        return cls(down=10, up=30)

    @property
    def target(self) -> float:
        """The share of right answers at which the exposure neither falls nor rises on average."""
        return self.up / (self.up + self.down)

    def after(self, exposure: int, right: bool) -> int:
        """The exposure that follows one that was answered right or wrong.

        >>> Staircase().after(995, right=False)
        1000
        """
        return int(min(self.top, max(self.floor, exposure - self.down if right else exposure + self.up)))

    def track(self, answers: Sequence[bool]) -> list[int]:
        """The exposures of all trials, given which answers were right; the last is the one that would come next.

        >>> Staircase().track([True, True, False])
        [500, 470, 440, 450]
        """
        exposures = [self.start]
        for right in answers:
            exposures.append(self.after(exposures[-1], right))
        return exposures


def modal_exposure(exposures: Sequence[float]) -> float:
    """The exposure an evaluator saw most often, which is HYPE-time's score.

    Parameters
    ----------
    exposures : sequence of float
        In ms, of all trials.

    Returns
    -------
    float
        In ms; the mean of those that tie.

    Raises
    ------
    BadShape
        Without an exposure above 0.

    Examples
    --------
    >>> modal_exposure([500, 470, 440, 450, 440, 450, 460])
    445.0
    """
    values, counts = np.unique(_exposures(exposures), return_counts=True)
    return float(values[counts == counts.max()].mean())


def late_exposure(exposures: Sequence[float]) -> float:
    """The mean exposure of the second half of the trials: steadier than the mode.

    Parameters
    ----------
    exposures : sequence of float
        In ms, in the order of the trials.

    Returns
    -------
    float
        In ms.

    Raises
    ------
    BadShape
        Without an exposure above 0.

    Examples
    --------
    >>> late_exposure([500, 470, 440, 450])
    445.0
    """
    shown = _exposures(exposures)
    return float(shown[len(shown) // 2 :].mean())


def p_right(exposure: np.ndarray, threshold: np.ndarray, width: np.ndarray, lapse: float = LAPSE) -> np.ndarray:
    """Psychometric function: guess + (1 - guess - lapse) / (1 + exp(-(ln exposure - ln threshold) / width)).

    Parameters
    ----------
    exposure, threshold : float or array
        In ms. At the threshold it is half-way from guessing to the best there is: 0.74 with a lapse of 0.02.
    width : float or array
        Of the rise, in log exposure.
    lapse : float
        Slips of a finger at any exposure.

    Returns
    -------
    float or array
        The probability of a right answer.

    Examples
    --------
    >>> float(p_right(200.0, threshold=200.0, width=0.3))
    0.74
    """
    depth = (np.log(exposure) - np.log(threshold)) / width
    return GUESS + (1 - GUESS - lapse) * sigmoid(depth)


def fitted_threshold(exposures: Sequence[float], right: Sequence[bool]) -> tuple[float, float, float]:
    """Threshold of `p_right` with its 95 % interval, from all trials.

    Parameters
    ----------
    exposures : sequence of float
        In ms, of all trials.
    right : sequence of bool
        Which were answered right.

    Returns
    -------
    tuple of float
        The threshold and the ends of its interval, in ms: the mean of the posterior of its logarithm under a flat prior
        over 50 to 2000 ms and the widths in `WIDTHS`. An interval that reaches to an end of that range says that the
        threshold cannot be computed from the exposures shown.

    Raises
    ------
    BadShape
        When not every exposure has an answer, or there is none above 0.

    Examples
    --------
    >>> seen = simulate(300, staircase=Staircase.balanced(), observers=1, trials=300)
    >>> threshold, low, high = fitted_threshold(seen.exposures[0], seen.right[0])
    >>> low < 300 < high
    True
    """
    shown, right = _exposures(exposures), np.asarray(right, bool)
    if len(shown) != len(right):
        raise BadShape(f"{len(shown)} exposures but {len(right)} answers; give one answer for each.")
    values, place = np.unique(shown, return_inverse=True)
    hits = np.bincount(place, right, minlength=len(values))
    misses = np.bincount(place, minlength=len(values)) - hits
    grid = np.geomspace(50, 2000, 150)
    p = p_right(values, grid[:, None, None], np.array(WIDTHS)[:, None])  # (thresholds, widths, exposures)
    likelihood = np.log(p) @ hits + np.log1p(-p) @ misses
    posterior = np.exp(likelihood - likelihood.max()).sum(axis=1)
    posterior /= posterior.sum()
    low, high = np.searchsorted(np.cumsum(posterior), [0.025, 0.975])
    return float(np.exp(posterior @ np.log(grid))), float(grid[low]), float(grid[min(high, len(grid) - 1)])


@dataclass(frozen=True)
class Simulated:
    """What simulated observers saw and answered.

    Parameters
    ----------
    exposures : float array (observers, trials)
        In ms.
    right : bool array (observers, trials)
        Whether they were right.
    """

    exposures: np.ndarray
    right: np.ndarray


def simulate(
    threshold: float,
    *,
    staircase: Staircase | None = None,
    trials: int = 150,
    observers: int = 1000,
    seed: int = 0,
    **observer: float,
) -> Simulated:
    """Observers of one known threshold, who answer by `p_right`, on a staircase.

    Parameters
    ----------
    threshold : float
        Of all observers, in ms.
    staircase : Staircase or None
        None: that of HYPE-time.
    trials, observers : int
        How many.
    seed : int
        Of the answers.
    **observer
        `width` (0.3 unless given) and `lapse` of `p_right`.

    Returns
    -------
    Simulated

    Examples
    --------
    >>> simulate(300, trials=5, observers=2).exposures.shape
    (2, 5)
    """
    stairs, observer = staircase or Staircase(), {"width": 0.3} | observer
    rng = np.random.default_rng(seed)
    exposures = np.empty((observers, trials))
    right = np.empty((observers, trials), bool)
    now = np.full(observers, float(stairs.start))
    for trial in range(trials):
        exposures[:, trial] = now
        right[:, trial] = rng.random(observers) < p_right(now, threshold, **observer)
        now = np.clip(np.where(right[:, trial], now - stairs.down, now + stairs.up), stairs.floor, stairs.top)
    return Simulated(exposures, right)


def _exposures(exposures: Sequence[float]) -> np.ndarray:
    shown = np.asarray(exposures, float)
    if shown.ndim != 1 or not len(shown) or not np.all(np.isfinite(shown) & (shown > 0)):
        raise BadShape(f"Exposures are milliseconds above 0, at least one, got {exposures!r:.80}.")
    return shown
