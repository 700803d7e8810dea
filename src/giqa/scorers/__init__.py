"""Features to one score a picture: what `giqa list` names, and the scale of held-out reals."""

from .. import public

__getattr__, __dir__, __all__ = public(
    __name__,
    gmm="GMM SGM",
    knn="KNN",
    multilayer="MultiLayer",
    learned="BC IR MBC Rank",
    brisque="BRISQUE",
    niqe="NIQE",
    fixed="IQA Value",
    human="HumanModel",
    judgements="JudgementModel",
    scale="Scale",
    scorer="BaseScorer Folded",
)
