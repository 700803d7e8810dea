"""Scores over HTTP: models that stay loaded, a bounded queue, JSON in and out."""

from .. import public

__getattr__, __dir__, __all__ = public(__name__, serve="run", app="make_app", limits="Limits", models="load_models")
