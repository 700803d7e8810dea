"""How well scores, and maps, agree with human judgements."""

from .evaluate import evaluate
from .human_maps import read_human_maps
from .map_measures import measure_map
from .maps import MapEvaluation, evaluate_maps

__all__ = ["MapEvaluation", "evaluate", "evaluate_maps", "measure_map", "read_human_maps"]
