"""Collecting judgements: a study, the web app that asks it, the store that keeps it, and what to label next."""

from .. import public

__getattr__, __dir__, __all__ = public(
    __name__, store="open_store", app="make_app serve", setup="make_study", study="Settings"
)
