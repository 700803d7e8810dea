"""Collecting judgements: a study, the web app that asks it, the store that keeps it, and what to label next."""

from .. import public

__getattr__, __dir__, __all__ = public(
    __name__,
    {
        "open_store": "store",
        "make_app": "app",
        "serve": "app",
        "make_study": "setup",
        "Settings": "study",
    },
)
