"""Features to one score a picture: what `giqa list` names, and the scale of held-out reals."""

from .. import public

__getattr__, __dir__, __all__ = public(
    __name__,
    {
        "GMM": "gmm",
        "SGM": "gmm",
        "KNN": "knn",
        "MultiLayer": "multilayer",
        "MBC": "learned",
        "BC": "learned",
        "IR": "learned",
        "Rank": "learned",
        "BRISQUE": "brisque",
        "NIQE": "niqe",
        "IQA": "fixed",
        "Value": "fixed",
        "HumanModel": "human",
        "Scale": "scale",
        "BaseScorer": "scorer",
        "Folded": "scorer",
        "as_scorer": "scorer",
    },
)
