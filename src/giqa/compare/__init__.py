"""Generators, checkpoints, classes and filters, compared with the same reals."""

from .classes import compare_by_class
from .compare import compare
from .diff import diff
from .picker import pick
from .picker_curve import picker_curve
from .result import Comparison
from .track import track

__all__ = ["Comparison", "compare", "compare_by_class", "diff", "pick", "picker_curve", "track"]
