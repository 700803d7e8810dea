"""Tables in and out, what their cells may hold, and which picture a name means."""

from .. import public

__getattr__, __dir__, __all__ = public(
    __name__,
    {
        "Table": "table",
        "read_table": "read",
        "read_scored": "read",
        "parse_table": "text",
        "write_table": "write",
        "as_csv": "write",
        "match_names": "names",
        "join_names": "names",
    },
)
