"""The report: one self-contained HTML file of a scoring."""

from .. import public

__getattr__, __dir__, __all__ = public(
    __name__,
    {
        "Report": "report",
        "write_report": "report",
        "Gallery": "gallery",
    },
)
