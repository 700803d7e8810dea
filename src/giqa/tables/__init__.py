"""Tables in and out, what their cells may hold, and which picture a name means."""

from .. import public

__getattr__, __dir__, __all__ = public(
    __name__,
    table="Table read_table write_table",
    names="match_names join_names",
)
