"""Out of domain: does a picture show something that the reference does not hold, well made or not?"""

from __future__ import annotations

from importlib import resources
from typing import Any, Self

import numpy as np

from ..scorers.gmm import SGM
from ..scorers.products import as_matrix
from ..scorers.scale import Scale
from ..types import Features

FAR = 2.5  # robust standard deviations below the median of the held-out reals
MOST = 0.02  # of the held-out reals may be as far off
LEFT_OUT = 6  # directions of damage
MEASURED = (1, 2)  # versions of the embedded network whose directions lie next to this file
STRAY = 4.0  # likewise: a real that is to be called foreign, where no share of reals holds the rule back


class Content:
    """One Gaussian on the deepest layer that sees content: which pictures lie far outside all that the reals show.

    The Gaussian is of the signed square roots, sign(x) sqrt(|x|), as channels of deep layers have heavy tails. A
    picture is out of domain when its score is more than 2.5 robust standard deviations below the median of the held-out
    reals, and at most 2 % of these (none, with fewer than 99) are as low. By the second, a fresh real is flagged with a
    probability of about .02 at most, or 1 / (n + 1) with fewer than 49 reals, whatever the distribution; by the first,
    reals that are all alike do not make every other picture foreign.

    Damage moves deep layers too. The directions in which it moves photographs most are left out before, where they are
    known of the extractor, so that a badly made picture of the right thing is not foreign.

    Parameters
    ----------
    seed : int
        Of the Gaussian's random start.
    damage : array (k, d) or None
        Orthonormal directions of the layer, after the roots, that are left out; None: those of the extractor.

    Notes
    -----
    The layer is the last one that `levels` names "high", its mean over places where it has both mean and deviation.
    Chosen by `benchmarks/content.py`, measured in `docs/accuracy.md`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> reals = rng.normal(size=(100, 3)).astype(np.float32)
    >>> levels = {"levels": {"high": ["deep"]}}
    >>> features = Features(tuple(map(str, range(100))), {"deep": reals}, made_by=levels)
    >>> content = Content().fit(features, folds=np.arange(100) % 5)
    >>> content.outside(np.array([[0., 0., 0.], [20., 0., 0.]])).tolist()
    [False, True]
    """

    directions_ = np.zeros((0, 0))  # of models that an earlier giqa fitted

    def __init__(self, seed: int = 0, damage: np.ndarray | None = None):
        self.seed, self.damage = seed, damage

    def fit(self, features: Features, y: Any = None, folds: np.ndarray | None = None) -> Self:
        """Learn what the reals show; `folds` (n,) as for the scale, twins together."""
        matrix = as_matrix(features)
        self.width_ = matrix.shape[1]
        self.columns_ = content_columns(features)
        damage = damage_of(features) if self.damage is None else self.damage
        self.directions_ = np.asarray(damage, np.float32)
        matrix = self._deepest(matrix)
        self.held_out_ = SGM(seed=self.seed).fit(matrix, folds=folds).held_out_
        self.parts_ = [part.fit(matrix) for part in self.blank_parts(1)]  # the densities without a fold have served
        return self

    def blank_parts(self, n: int) -> list[SGM]:
        """Densities that are not fitted; there is one."""
        return [SGM(seed=self.seed) for _ in range(n)]

    def outside(self, features: Any) -> np.ndarray:
        """Which pictures are out of domain, bool (n,); `features` as for `fit`, or all their columns (n, d)."""
        score = self.parts_[0].score_samples(self._deepest(as_matrix(features, int(self.width_))))
        as_low = np.searchsorted(np.sort(self.held_out_), score, side="right")
        allowed = max(1.0, MOST * (len(self.held_out_) + 1))
        return (Scale(self.held_out_).z(score) < -FAR) & (1 + as_low <= allowed)

    def _deepest(self, matrix: np.ndarray) -> np.ndarray:
        roots = rooted(np.ascontiguousarray(matrix[:, self.columns_]))  # picking columns turns them in memory
        for direction in self.directions_:  # one by one: a product of matrices may give other bits in another batch
            roots = roots - (roots * direction).sum(axis=1, keepdims=True) * direction
        return roots

    def strays(self) -> np.ndarray:
        """Which reals are foreign themselves: more than 4 sd below the median when held out, bool (n,)."""
        return Scale(self.held_out_).z(self.held_out_) < -STRAY


def rooted(matrix: np.ndarray) -> np.ndarray:
    """Signed square roots, sign(x) sqrt(|x|)."""
    return np.sign(matrix) * np.sqrt(np.abs(matrix))


def damage_of(features: Features) -> np.ndarray:
    """The directions in which damage moves the content layer of the embedded network, (k, d); of others (0, d).

    They were learned once on photographs: `benchmarks/accuracy/damage_directions.py`.
    """
    how = features.made_by
    if how.get("extractor") == "embedded" and how.get("version") in MEASURED and "content" in features.layers:
        with resources.files(__package__).joinpath(f"damage_{how['version']}.npy").open("rb") as file:
            return np.load(file)[:LEFT_OUT]
    return np.zeros((0, 0))


def content_columns(features: Features) -> np.ndarray | None:
    """Columns, in `Features.matrix`, of the deepest layer that sees content, int (k,); None where there is none."""
    high = [name for name in features.made_by.get("levels", {}).get("high", ()) if name in features.layers]
    if not high:
        return None
    mean = high[-1].removesuffix(".std") + ".mean"
    chosen, start = mean if mean in high else high[-1], 0
    for name, layer in features.layers.items():
        if name == chosen:
            break
        start += layer.shape[1]
    return np.arange(start, start + features.layers[chosen].shape[1])
