"""What real looks like, learned once: fitting, scoring, the table of scores, one file."""

from .. import public

__getattr__, __dir__, __all__ = public(
    __name__,
    load_model="load",
    model="Model",
    file="read_header",
    table="Scores read_scores",
)
