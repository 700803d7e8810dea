"""The human model: the probability that a person calls a picture real, learned from votes."""

from .. import public

__getattr__, __dir__, __all__ = public(__name__, file="load_realism is_realism", model="Realism", train="train_human")
