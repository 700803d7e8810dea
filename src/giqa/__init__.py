"""giqa: how good is *this* generated image?

import giqa
scores = giqa.score("fakes/", real="reals/", report="report.html")
model = giqa.fit("reals/");  model.save("reals.giqa");  giqa.score("fakes/", model="reals.giqa")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_WHERE = {
    "extract": "extraction",
    "fit": "pipeline",
    "score": "pipeline",
    "load": "model",
    "Model": "model",
    "Scores": "scores",
    "read_scores": "scores",
    "Features": "types",
    "GiqaError": "errors",
}
__all__ = [*_WHERE, "__version__"]

if TYPE_CHECKING:
    from .errors import GiqaError as GiqaError
    from .extraction import extract as extract
    from .model import Model as Model
    from .model import load as load
    from .pipeline import fit as fit
    from .pipeline import score as score
    from .scores import Scores as Scores
    from .scores import read_scores as read_scores
    from .types import Features as Features


def __getattr__(name: str) -> Any:
    """Nothing is imported before it is asked for, so that `import giqa` costs nothing."""
    if name not in _WHERE:
        raise AttributeError(f"module 'giqa' has no attribute {name!r}; it has {', '.join(__all__)}")
    from importlib import import_module

    return getattr(import_module(f".{_WHERE[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
