"""Tables in and out, what their cells may hold, and which picture a name means."""

from .. import public

__getattr__, __dir__, __all__ = public(
    __name__,
    table="Table",
    read="read_scored read_table",
    text="parse_table",
    write="as_csv write_table",
    names="join_names match_names",
)
