"""How well scores agree with human judgements."""

from .evaluate import evaluate

__all__ = ["evaluate"]
