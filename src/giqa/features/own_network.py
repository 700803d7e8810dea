"""Features of a network of one's own: any ONNX file, any module of PyTorch, any callable."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadShape, BadSpec, BadWeights, MissingWeights
from .devices import find_device, one_thread_each
from .onnx_session import open_session
from .resize import MODES, PREPROCESSING, resize

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet
OUTPUT = "features"
_loading = threading.Lock()


class OwnNetwork:
    """What both kinds share: the whole picture is resized and normalised, and goes through the network alone.

    Subclasses give `identity`, `prepare` and `run`.

    Parameters
    ----------
    size : int or (int, int)
        Side, or height and width, of what the network takes; the whole picture is resized to it.
    mean, std : sequence of 3 float
        Of each channel, of values from 0 to 1.
    resize : "antialias" or "released"
        See `giqa.features.resize`.
    """

    outputs = (OUTPUT,)

    def __init__(self, size: Any = 224, mean: Any = MEAN, std: Any = STD, resize: str = "antialias"):
        self.size = size
        self.mean = mean
        self.std = std
        self.resize = resize

    def preparation(self) -> dict[str, Any]:
        """What is done to a picture, as JSON can say it."""
        size = [self.size] * 2 if isinstance(self.size, int) else list(self.size)
        if len(size) != 2 or min(size) < 1 or len(self.mean) != 3 or len(self.std) != 3 or min(self.std) <= 0:
            raise BadSpec(
                "size is a side or (height, width), mean and std have three numbers, std above 0; got "
                f"size={self.size!r}, mean={self.mean!r}, std={self.std!r}."
            )
        if self.resize not in MODES:
            raise BadSpec(f"resize is one of {', '.join(MODES)}, got {self.resize!r}.")
        numbers = {"mean": list(map(float, self.mean)), "std": list(map(float, self.std))}
        return {"preprocessing": PREPROCESSING, "resize": self.resize, "size": size, **numbers}

    def input_of(self, pixels: np.ndarray) -> np.ndarray:
        """One picture for the network: uint8 (h, w, 3) to float32 (3, height, width)."""
        wanted = self.preparation()
        prepared = resize(pixels, tuple(wanted["size"]), self.resize) / np.float32(255)
        prepared = (prepared - np.array(wanted["mean"], np.float32)) / np.array(wanted["std"], np.float32)
        return np.ascontiguousarray(prepared.transpose(2, 0, 1))

    def prepare(self, pixels: np.ndarray) -> np.ndarray:
        """What can be done in any thread."""
        raise NotImplementedError

    def run(self, prepared: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        """Prepared pictures to float32 (n, c)."""
        return {OUTPUT: np.stack(prepared) if len(prepared) else np.empty((0, 1), np.float32)}

    def __call__(self, pixels: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        return self.run([self.prepare(picture) for picture in pixels])


class Onnx(OwnNetwork):
    """Any ONNX file that takes one picture: its first output, or the named one, places pooled by their mean.

    Parameters
    ----------
    file : path
        The network; has to be given. Input float32 (n, 3, h, w) or (n, h, w, 3), n free or 1.
    size, mean, std, resize
        See `OwnNetwork`.
    output : str or None
        Name of the output; (n, c), maps (n, c, h, w), of input (n, h, w, 3) maps (n, h, w, c), or tokens (n, t, c).
        None: the first.

    Raises
    ------
    MissingWeights, BadWeights, BadSpec, BadShape
        At the first use.
    """

    def __init__(
        self,
        file: str | Path | None = None,
        size: Any = 224,
        mean: Any = MEAN,
        std: Any = STD,
        output: str | None = None,
        resize: str = "antialias",
    ):
        super().__init__(size, mean, std, resize)
        self.file = file
        self.output = output

    def identity(self) -> Mapping[str, Any]:
        """What decides the features."""
        digest = hashlib.sha256(self._path().read_bytes()).hexdigest()
        known = {"extractor": "onnx", "version": 1, "file_sha256": digest, "output": self._name(), **self.preparation()}
        return known | ({"maps": "channels last"} if self._maps_last() else {})

    def _path(self) -> Path:
        if self.file is None:
            raise BadSpec("Which network? Give onnx(file='NAME.onnx').")
        path = Path(self.file)
        if not path.is_file():
            raise MissingWeights(f"There is no network {path}; onnx(file=...) is an ONNX file.")
        return path

    def _session(self) -> Any:
        path = self._path()
        with _loading:
            return _opened(path, path.stat().st_mtime_ns)

    def _name(self) -> str:
        names = [output.name for output in self._session().get_outputs()]
        if self.output is not None and self.output not in names:
            raise BadSpec(f"{self.file} has no output {self.output!r}; it has {', '.join(names)}.")
        return self.output or names[0]

    def _maps_last(self) -> bool:
        """Whether the output is maps (n, h, w, c): of a network that takes its pictures so, but for (n, c, 7, 7)."""
        session, name = self._session(), self._name()
        given = session.get_inputs()[0].shape
        made = next(output.shape for output in session.get_outputs() if output.name == name)
        return len(given) == len(made) == 4 and given[1] != 3 and not made[1] != made[2] == made[3]

    def prepare(self, pixels: np.ndarray) -> np.ndarray:
        """All the work, one picture on one thread: uint8 (h, w, 3) to float32 (c,)."""
        prepared, session = self.input_of(pixels), self._session()
        (given, *others) = session.get_inputs()
        if others or len(given.shape) != 4 or 3 not in (given.shape[1], given.shape[3]):
            raise BadWeights(f"{self.file} should take one input (n, 3, h, w) or (n, h, w, 3), got {given.shape}.")
        picture = prepared if given.shape[1] == 3 else np.ascontiguousarray(prepared.transpose(1, 2, 0))
        try:
            (found,) = session.run([self._name()], {given.name: picture[None]})
        except Exception as error:  # onnxruntime raises classes of its own
            reason = str(error).strip().partition("\n")[0]
            raise BadShape(f"{self.file} does not take {picture[None].shape} ({reason}); is size= right?") from None
        return pooled(np.moveaxis(found, -1, 1) if self._maps_last() else found, str(self.file))


class Module(OwnNetwork):
    """Any module of PyTorch, or any callable, that takes a float tensor (1, 3, h, w); places are pooled by their mean.

    Parameters
    ----------
    network : torch.nn.Module or callable
        A module in evaluation mode. Gives (1, c), maps (1, c, h, w) or tokens (1, t, c).
    size, mean, std, resize
        See `OwnNetwork`.
    name : str or None
        Part of the identity of features. Needed for what is no `nn.Module`: change it when the callable changes.

    Raises
    ------
    BadSpec, BadShape, MissingExtra
        At the first use.

    Examples
    --------
    ::

        giqa.score("fakes/", real="reals/", extractor=Module(my_network.eval(), size=64), scorer="knn")
    """

    def __init__(
        self,
        network: Callable[[Any], Any],
        size: Any = 224,
        mean: Any = MEAN,
        std: Any = STD,
        name: str | None = None,
        resize: str = "antialias",
    ):
        super().__init__(size, mean, std, resize)
        self.network = network
        self.name = name

    def identity(self) -> Mapping[str, Any]:
        """What decides the features: the name, and of a module its class, structure and weights."""
        find_device("cpu", "Module")
        import torch

        from .iqa import digest

        known: dict[str, Any] = {"extractor": "module", "version": 1, "name": self.name or ""}
        if isinstance(self.network, torch.nn.Module):
            structure = hashlib.sha256(repr(self.network).encode()).hexdigest()
            known |= {"weights_sha256": digest(self.network), "structure_sha256": structure}
        elif not self.name:
            raise BadSpec("Module(...) of a callable that is no nn.Module needs name=, which tells its features apart.")
        return known | self.preparation()

    def prepare(self, pixels: np.ndarray) -> np.ndarray:
        """One picture for the network: uint8 (h, w, 3) to float32 (3, height, width)."""
        return self.input_of(pixels)

    def run(self, prepared: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        """Prepared pictures to float32 (n, c), each on one thread."""
        return super().run(one_thread_each(lambda n: self._row(prepared[n]), range(len(prepared))) if prepared else [])

    def _row(self, prepared: np.ndarray) -> np.ndarray:
        import torch

        device = torch.device("cpu")
        if isinstance(self.network, torch.nn.Module):
            if any(part.training for part in self.network.modules()):
                raise BadSpec("The network is in training mode, where rows of a batch may mix; call network.eval().")
            device = next((p.device for p in self.network.parameters()), device)
        with torch.no_grad():
            found = self.network(torch.from_numpy(prepared[None]).to(device))
        if not isinstance(found, torch.Tensor):
            raise BadShape(f"The network should give a tensor, got {type(found).__name__}; wrap it in a function.")
        return pooled(found.float().cpu().numpy(), "The network")


def pooled(found: np.ndarray, who: str) -> np.ndarray:
    """One row of features, float32 (c,): a vector as it is, maps and tokens by their mean over places.

    >>> pooled(np.arange(8.0).reshape(1, 2, 2, 2), "").tolist(), pooled(np.ones((1, 5, 3)), "").tolist()
    ([1.5, 5.5], [1.0, 1.0, 1.0])
    """
    if found.ndim not in (2, 3, 4) or len(found) != 1:
        raise BadShape(f"{who} should give (1, c), (1, c, h, w) or (1, t, c) for one picture, got {found.shape}.")
    row = found[0]
    row = row.mean(axis=(1, 2)) if found.ndim == 4 else row.mean(axis=0) if found.ndim == 3 else row
    return np.ascontiguousarray(row, np.float32)


@lru_cache(maxsize=2)
def _opened(file: Path, modified: int) -> Any:
    return open_session(file, "onnx")
