"""Opinions of the IQA library pyiqa (IQA-PyTorch), as an extractor whose only feature is a score."""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import BadImage, BadSpec, MissingExtra, MissingWeights
from .devices import find_device, one_thread_each

if TYPE_CHECKING:
    import torch

EXTRA = (
    "The extractor iqa needs {missing}: pip install pyiqa (IQA-PyTorch, with torchvision and timm; its licence is "
    "PolyForm Noncommercial, so giqa[all] does not bring it)."
)
_one_at_a_time = threading.RLock()  # some metrics of pyiqa keep what they see in themselves while they look at it


class IQA:
    """The score of a no-reference metric of pyiqa (NIMA, WaDIQaM, MUSIQ, CLIP-IQA, ...): one number a picture.

        giqa score FAKES --real REALS --scorer "iqa(metric='nima')"

    Parameters
    ----------
    metric : str
        A name of `pyiqa.list_models('NR')`; `wadiqam_nr` is what the GIQA paper calls DeepIQA.
    device : str
        "cpu", or "cuda" or "mps" where there is one.

    Raises
    ------
    BadImage
        For a picture that the metric cannot judge.
    MissingExtra, MissingWeights, BadSpec
        At the first use, since the constructor only stores.

    Notes
    -----
    pyiqa downloads its weights at first use. Pictures are handed over in their own size, RGB from 0 to 1, one at a time
    on one thread and with the same random numbers, so that a score is the same bits whatever the other pictures in the
    batch. Where lower is better the sign is turned. `identity()` has the version of pyiqa and a digest of the weights.

    Examples
    --------
    >>> IQA("musiq").outputs
    ('score',)
    """

    outputs = ("score",)

    def __init__(self, metric: str = "nima", device: str = "cpu"):
        self.metric = metric
        self.device = device

    def identity(self) -> Mapping[str, Any]:
        """What decides the score; loads the network."""
        with _one_at_a_time:
            judge = self._judge
        return {
            "extractor": "iqa",
            "version": 1,
            "library": f"pyiqa {sys.modules['pyiqa'].__version__}",
            "metric": self.metric,
            "weights_sha256": digest(judge),
            "resize": "none",
        }

    def prepare(self, pixels: np.ndarray) -> np.ndarray:
        """All the work, one picture: uint8 (h, w, 3) -> float32 (1,)."""
        with _one_at_a_time:
            judge = self._judge
            (score,) = one_thread_each(lambda _: self._score(judge, pixels), (0,))
        return np.array([score], np.float32)

    def run(self, prepared: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        return {"score": np.stack(prepared) if len(prepared) else np.empty((0, 1), np.float32)}

    def __call__(self, pixels: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        return self.run([self.prepare(picture) for picture in pixels])

    def _score(self, judge: Any, pixels: np.ndarray) -> float:
        import torch

        height, width = pixels.shape[:2]
        picture = torch.tensor(np.ascontiguousarray(pixels.transpose(2, 0, 1))[None], dtype=torch.float32) / 255
        try:
            with same_random_numbers(), torch.no_grad():
                score = float(torch.as_tensor(judge(picture.to(self._device))))
        except Exception as error:  # whatever a metric raises, another picture may be well
            raise BadImage(
                f"pyiqa's {self.metric} cannot judge a picture of {height} x {width} pixels ({_reason(error)})"
            ) from error
        if not np.isfinite(score):
            raise BadImage(f"pyiqa's {self.metric} gives {score} for a picture of {height} x {width} pixels")
        return -score if judge.lower_better else score

    @cached_property
    def _device(self) -> torch.device:
        return find_device(self.device, "iqa")

    @cached_property
    def _judge(self) -> Any:
        """The metric, its weights loaded; pyiqa prints what it downloads, which is kept out of our own output."""
        device = self._device
        try:
            with contextlib.redirect_stdout(sys.stderr):
                import pyiqa
        except ModuleNotFoundError as error:
            raise MissingExtra(EXTRA.format(missing=error.name)) from None
        known = pyiqa.list_models("NR")
        if self.metric not in known:
            close = difflib.get_close_matches(str(self.metric), known, n=3) or ["nima", "wadiqam_nr", "musiq"]
            raise BadSpec(
                f"iqa(metric=...) is a metric of pyiqa that needs no reference picture, such as {', '.join(close)} "
                f"(all: pyiqa.list_models('NR')); got {self.metric!r}."
            )
        try:
            with contextlib.redirect_stdout(sys.stderr):
                return pyiqa.create_metric(self.metric, device=device)
        except ModuleNotFoundError as error:
            raise MissingExtra(EXTRA.format(missing=error.name)) from None
        except OSError as error:
            raise MissingWeights(
                f"pyiqa has no weights of {self.metric} here and could not download them ({_reason(error)}). Run it "
                "once where there is a network and bring the folders that pyiqa keeps them in: torch/hub/pyiqa and "
                "huggingface, below ~/.cache."
            ) from error


def digest(network: torch.nn.Module) -> str:
    """SHA-256 over the names and bytes of all that a network has learned."""
    import torch

    found = hashlib.sha256()
    for name, value in sorted(network.state_dict().items()):
        found.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        found.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return found.hexdigest()


@contextlib.contextmanager
def same_random_numbers() -> Iterator[None]:
    """Inside, numpy and torch draw from a fixed seed, as metrics do that look at random crops; outside, as before."""
    import torch

    kept = np.random.get_state()
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(0)
        np.random.seed(0)
        try:
            yield
        finally:
            np.random.set_state(kept)


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
