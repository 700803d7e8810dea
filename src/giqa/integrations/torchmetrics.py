"""Metrics for torchmetrics: `update`, `compute`, `reset`, synchronised over processes.

from giqa.integrations.torchmetrics import QualityScore, SetMetric, ShareInRange
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from .. import registry
from ..compare.quality import quality_of_columns, share_estimate
from ..errors import BadShape, BadSpec, MissingExtra
from ..features.reader import Reader
from ..features.select import layer_names, scale_of_columns
from ..metrics.jackknife import Jackknife, estimated
from ..model.folds import content_order
from ..model.load_model import load
from ..model.model import Model
from ..stats import LEVEL, Estimate
from ..types import Features

try:
    import torch
    from torchmetrics import Metric
    from torchmetrics.utilities import dim_zero_cat
except ModuleNotFoundError as error:
    if error.name not in ("torch", "torchmetrics"):
        raise
    raise MissingExtra(
        f"giqa.integrations.torchmetrics needs {error.name}: pip install 'giqa[torchmetrics]'."
    ) from None

ROW = ("score", "z", "percentile", "copy")  # what is kept of each picture; after these one score a fold


class _Estimated(Metric):
    """A metric that also has an interval."""

    is_differentiable = False
    full_state_update = False

    def compute(self) -> torch.Tensor:
        """The number, of the pictures of all processes; float32, as torchmetrics has it."""
        return torch.tensor(self._value(), dtype=torch.float32, device=self.device)

    def interval(self) -> Estimate:
        """The number with its 95 % interval, of the pictures of all processes.

        Returns
        -------
        Estimate
            `value`, `low`, `high` and `n`; every process has to ask for it.
        """
        with self.sync_context(
            dist_sync_fn=self.dist_sync_fn, should_sync=self._to_sync, should_unsync=self._should_unsync
        ):
            return self._estimate()

    def _value(self) -> float:
        raise NotImplementedError

    def _estimate(self) -> Estimate:
        raise NotImplementedError


class SetMetric(_Estimated):
    """A metric of two sets of pictures: FD, KD, DS, precision, recall, Vendi, authenticity and the others.

    Parameters
    ----------
    metric : str or object
        A spec of docs/metrics.md: "fd", "kd(subsets=100)", "precision(k=3)".
    extractor : str, Extractor, torch.nn.Module or None
        What makes features of pictures: a spec such as "hub(model='facebook/dinov2-base', layers='cls')", or a module
        that takes the tensor of `update` and gives (n, d). None: giqa's own network.
    layers : str, sequence of str or None
        As in `giqa.compare.compare`; several are standardised on the reals.
    reset_real_features : bool
        Whether `reset` forgets the reals, too.
    **options
        Of `torchmetrics.Metric`.

    Notes
    -----
    `update(pictures, real=True)` takes pictures, uint8 or floats from 0 to 1 (n, 3, h, w), or features (n, d). Features
    are kept, and put in an order of their content before anything is computed: the result is the same bits for any
    batches, and with any number of processes. A `DistributedSampler` shows some pictures twice when their number does
    not divide evenly; these count twice.
    """

    def __init__(
        self,
        metric: Any = "fd",
        extractor: Any = None,
        layers: str | Sequence[str] | None = None,
        reset_real_features: bool = True,
        **options: Any,
    ):
        super().__init__(**options)
        self.metric = registry.make("metric", metric)
        self.extractor = extractor if isinstance(extractor, torch.nn.Module) else Reader(extractor, store=False)
        self.layers = layers
        self.reset_real_features = reset_real_features
        self.several = False  # layers side by side
        for name in ("real", "fake"):
            self.add_state(f"{name}_features", default=[], dist_reduce_fx="cat")

    @property
    def higher_is_better(self) -> bool | None:
        """Whether more is better; None for a metric that ranks nothing, such as authenticity."""
        return not self.metric.is_distance if self.metric.ranks else None

    def update(self, pictures: torch.Tensor, real: bool) -> None:
        """Add pictures.

        Parameters
        ----------
        pictures : tensor of shape (n, 3, h, w) or (n, d)
            Pictures, uint8 or floats from 0 to 1; or their features.
        real : bool
            Whether they are reals.
        """
        kept = self.real_features if real else self.fake_features
        kept.append(self._features(pictures).to(self.device))

    def reset(self) -> None:
        """Forget the fakes, and the reals unless `reset_real_features` is False."""
        kept = [] if self.reset_real_features else list(self.real_features)
        super().reset()
        self.real_features = kept

    def _features(self, pictures: torch.Tensor) -> torch.Tensor:
        if not isinstance(pictures, torch.Tensor):
            raise BadShape(f"Pictures and features are tensors, got {type(pictures).__name__}.")
        if pictures.ndim == 2:
            return _for_numpy(pictures)
        if isinstance(self.extractor, torch.nn.Module):
            with torch.no_grad():
                return _for_numpy(self.extractor(pictures))
        features = _features(self.extractor, pictures)
        names = layer_names(features, self.layers)
        self.several = len(names) > 1
        return torch.from_numpy(np.concatenate([features.layers[name] for name in names], axis=1))

    def _sets(self) -> tuple[np.ndarray, np.ndarray]:
        """Reals and fakes (n, d) in an order that follows what they are, float32 unless they came otherwise."""
        if not len(self.real_features) or not len(self.fake_features):
            raise BadShape("The metric needs reals and fakes: update(..., real=True) and update(..., real=False).")
        real, fake = (_in_order(dim_zero_cat(x).cpu().numpy()) for x in (self.real_features, self.fake_features))
        if self.several:
            mean, spread = scale_of_columns(real)
            real, fake = (((x - mean) / spread).astype(np.float32) for x in (real, fake))
        return real, fake

    def _value(self) -> float:
        return float(self.metric(*self._sets()))

    def _estimate(self) -> Estimate:
        return _as_estimate(estimated(self.metric, *self._sets()))


class _OfScores(_Estimated):
    """A metric of single scores by a fitted model, a share or a mean."""

    higher_is_better = True

    def __init__(self, model: Model | str | Path, **options: Any):
        super().__init__(**options)
        self.model = model if isinstance(model, Model) else load(model)
        self.add_state("rows", default=[], dist_reduce_fx="cat")
        # a MetricCollection takes metrics for one when their states are alike after its first batch, empty ones too
        self.add_state("judge", default=torch.tensor(list(bytes.fromhex(self.model.digest))), dist_reduce_fx="max")

    def update(self, pictures: torch.Tensor, real: bool = False) -> None:
        """Add generated pictures.

        Parameters
        ----------
        pictures : tensor of shape (n, 3, h, w), or (n, d) for a model of features
            uint8, or floats from 0 to 1.
        real : bool
            Reals are left out: the model has its own. So one collection can hold this and a `SetMetric`.
        """
        if real:
            return
        if pictures.ndim == 2:
            matrix = _for_numpy(pictures).cpu().numpy()
            features = Features(tuple(map(str, range(len(matrix)))), {"features": matrix})
        else:
            features = _features(replace(self.model.judge().reader(), store=False), pictures)
        said = self.model.columns(features)
        copied = np.array([bool(name) for name in said["duplicate_of"]], float)
        folds = self.model.scorer.score_folds(self.model._matrix(features))
        rows = np.column_stack([said["score"], said["z"], said["percentile"], copied, folds])
        self.rows.append(torch.from_numpy(rows).to(self.device))

    def _found(self) -> Jackknife:
        raise NotImplementedError

    def _value(self) -> float:
        return self._found().value

    def _estimate(self) -> Estimate:
        return _as_estimate(self._found())

    def _rows(self) -> np.ndarray:
        if not len(self.rows):
            raise BadShape("There are no pictures yet: call update(pictures) before compute().")
        return _in_order(dim_zero_cat(self.rows).cpu().numpy())


class QualityScore(_OfScores):
    """QS: the mean z of generated pictures by a fitted model, copies of reals left out (GIQA, eq. 9).

    Parameters
    ----------
    model : Model or path
        What `giqa.fit` gives, or its file.
    **options
        Of `torchmetrics.Metric`.
    """

    def _found(self) -> Jackknife:
        rows = self._rows()
        kept = rows[np.isfinite(rows[:, ROW.index("z")]) & (rows[:, ROW.index("copy")] == 0)]
        return quality_of_columns(kept[:, 0], kept[:, len(ROW) :], self.model.scale.held_out, self.model.scale.seed)


class ShareInRange(_OfScores):
    """Share of generated pictures within the range of reals, as `Scores.headline` has it. Of a perfect generator, 0.95.

    Parameters
    ----------
    model : Model or path
        What `giqa.fit` gives, or its file.
    **options
        Of `torchmetrics.Metric`.

    Notes
    -----
    The interval is for this number of pictures, and no smaller than Wilson's; that other reals would draw another line
    is no part of it.
    """

    def _found(self) -> Jackknife:
        rows = self._rows()
        percentile = rows[rows[:, ROW.index("copy")] == 0, ROW.index("percentile")]
        return share_estimate(percentile, len(self.model.scale.held_out))


def _features(reader: Reader, pictures: torch.Tensor) -> Features:
    """Features of every picture of a tensor; one that has none is an error here."""
    if pictures.ndim != 4:
        raise BadShape(f"Pictures are (n, 3, h, w), and features (n, d); got the shape {tuple(pictures.shape)}.")
    found = reader.features(pictures)
    if found.failures:
        reason = next(iter(found.failures.values()))
        raise BadSpec(f"{len(found.failures)} of {len(pictures)} pictures have no features; the first: {reason}")
    return found.features


def _for_numpy(features: torch.Tensor) -> torch.Tensor:
    """Without gradients, and not of bfloat16, which NumPy does not have."""
    return features.detach().float() if features.dtype == torch.bfloat16 else features.detach()


def _in_order(matrix: np.ndarray) -> np.ndarray:
    return matrix[content_order(Features(tuple(map(str, range(len(matrix)))), {"": matrix}))]


def _as_estimate(found: Jackknife) -> Estimate:
    return Estimate(found.value, *found.interval(LEVEL), found.n)
