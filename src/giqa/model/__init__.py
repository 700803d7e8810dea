"""What real looks like, learned once: fitting, scoring, the table of scores, one file."""

from .. import public

__getattr__, __dir__, __all__ = public(
    __name__,
    {
        "Model": "model",
        "load": "model",
        "read_header": "model",
        "Scores": "table",
        "read_scores": "table",
    },
)
