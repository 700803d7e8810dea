"""The report: one self-contained HTML file of a scoring."""

from .. import public

__getattr__, __dir__, __all__ = public(
    __name__,
    result="Report",
    report="write_report",
    gallery="Gallery",
)
