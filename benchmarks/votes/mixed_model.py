"""How well the picture-evaluator-context model finds effects that are known, by votes a picture.

    python -m benchmarks.votes.mixed_model

Needs: nothing.
Takes: about 4 minutes.

Simulated studies of 500 pictures, 40 evaluators and 4 contexts, whose effects have standard deviations of 1, 0.5 and
0.4 in logits. Printed: the standard deviations found, the correlation of the pictures' effects with the truth, and how
often the 95 % interval of P(says real) holds the truth.
"""

from __future__ import annotations

import numpy as np

from benchmarks.shared import command, head, results, row
from giqa.votes.labels import Votes
from giqa.votes.mixed_model import PeopleModel

SD = (1.0, 0.5, 0.4)  # of pictures, evaluators, contexts, in logits
STUDIES = 20


def study(each: int, seed: int, pictures: int = 500, people: int = 40, contexts: int = 4) -> tuple[Votes, np.ndarray]:
    """Votes of a simulated study, and the true effects of the pictures."""
    rng = np.random.default_rng(seed)
    i = np.repeat(np.arange(pictures), each)
    r = np.concatenate([rng.choice(people, each, replace=False) for _ in range(pictures)])
    u, v, w = (rng.normal(0, sd, n) for sd, n in zip(SD, (pictures, people, contexts), strict=True))
    said = rng.random(len(i)) < 1 / (1 + np.exp(0.5 - u[i] - v[r] - w[r % contexts]))
    columns = (("i", i), ("r", r), ("c", r % contexts))
    names = [np.array([f"{letter}{x:04d}" for x in column]) for letter, column in columns]
    empty, nothing = np.full(len(i), ""), np.full(len(i), np.nan)
    no = np.zeros(len(i), bool)
    return Votes(names[0], names[1], said, names[2], empty, empty, nothing, nothing, no, nothing), u


def main() -> None:
    with results(command(__file__, __doc__).parse_args()):
        measure()


def measure() -> None:
    head("votes a picture", "sd of pictures (1)", "of evaluators (0.5)", "correlation", "interval holds the truth")
    for each in (2, 3, 5, 10, 20):
        rows = []
        for seed in range(STUDIES):
            votes, u = study(each, seed)
            model = PeopleModel().fit(votes)
            truth = 1 / (1 + np.exp(0.5 - u))
            _, low, high = model.p_real()
            held = np.mean((low <= truth) & (truth <= high))
            rows.append((model.sd_["picture"], model.sd_["evaluator"], np.corrcoef(model.picture_, u)[0, 1], held))
        row(each, *(f"{x:.2f}" for x in np.mean(rows, axis=0)))


if __name__ == "__main__":
    main()
