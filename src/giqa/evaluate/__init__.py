"""How well scores agree with people."""

from .evaluate import evaluate

__all__ = ["evaluate"]
