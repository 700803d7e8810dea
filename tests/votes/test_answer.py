"""The sentence that stands first on the page of judgements, in every case."""

import numpy as np
import pytest
from people_samples import sittings

from giqa.stats import UNKNOWN, Estimate
from giqa.tables.table import Table
from giqa.votes.aggregation import Strengths
from giqa.votes.answer import answer
from giqa.votes.findings import Findings, findings
from giqa.votes.hype import Comparison, Hype
from giqa.votes.labels import Counts, Pairs
from giqa.votes.votes import as_labels


def hype(low, high, name="gan"):
    error = Estimate((low + high) / 2, low, high, 9)
    return Hype(name, 900, *[error] * 6)


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [
        (0.2, 0.4, "Raters recognise gan: they are wrong in 30 % of answers (20 % to 40 %; guessing: 50 %)."),
        (0.4, 0.54, "It is not shown that raters can recognise gan: they are wrong in 47 % of answers"),
        (0.52, 0.6, "Pictures of gan look more real than real ones: raters are wrong in 56 % of answers"),
    ],
)
def test_of_one_generator_below_at_and_above_guessing(low, high, wanted):
    assert answer(Findings("", "sittings", 9, 9, hype=(hype(low, high),))).startswith(wanted)


def test_one_evaluator_says_nothing_of_others():
    found = findings(sittings("gan", [30], [10]))
    assert answer(found) == (
        "Raters are wrong in 20 % of answers on gan (guessing: 50 %); no interval, so nothing can be said of others."
    )


def test_of_several_generators_the_easiest_the_hardest_and_who_may_be_at_guessing():
    rows = (hype(0.4, 0.52, "a"), hype(0.3, 0.4, "b"), hype(0.1, 0.2, "c"))
    said = "a (46 % wrong) fools people most (not surely more than b), c (15 % wrong) least; "
    assert answer(Findings("", "sittings", 9, 9, hype=rows)) == said + "1 of 3 may be at guessing (50 %)."
    below = answer(Findings("", "sittings", 9, 9, hype=rows[1:]))
    assert below == "b (35 % wrong) fools people most, c (15 % wrong) least; all are below guessing (50 %)."
    ends = answer(Findings("", "sittings", 9, 9, hype=(hype(0.45, 0.5, "a"), *rows[1:])))
    assert ends.endswith("; 1 of 3 may be at guessing (50 %).")
    few = answer(Findings("", "sittings", 9, 9, hype=(hype(0.2, 0.6, "a"), hype(0.1, 0.4, "b"), hype(0.0, 0.3, "c"))))
    assert few == (
        "No generator is shown to fool people more than another: from a (40 % wrong) to c (15 % wrong); "
        "1 of 3 may be at guessing (50 %)."
    )


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [
        (0.02, 0.1, "gan fools people more often than vae (difference of error rates 6 points, 2 to 10)."),
        (-0.02, 0.1, "gan and vae cannot be distinguished (difference of error rates 4 points, −2 to 10)."),
    ],
)
def test_two_that_were_compared_have_their_verdict(low, high, wanted):
    gap = Estimate((low + high) / 2, low, high, 9)
    one = Comparison("gan", "vae", gap, True, "gan fools people more often than vae")
    found = Findings("", "sittings", 9, 9, hype=(hype(0.3, 0.4), hype(0.2, 0.3, "vae")), comparison=one)
    assert answer(found) == wanted


def counts(real, fake, each=10):
    """Forty reals and forty fakes with so many of ten votes for real."""
    n = np.full(80, float(each))
    kind = np.repeat(["real", "generated"], 40)
    return Counts(
        np.array([f"{i}.png" for i in range(80)]),
        n,
        np.repeat([real, fake], 40).astype(float),
        kind=kind,
        generator=np.where(kind == "real", "", "gan"),
        context=np.full(80, ""),
    )


def test_of_counts_both_shares_and_whether_they_differ():
    apart = answer(findings(counts(8, 3)))
    assert apart.startswith(
        "80 % of the votes on real pictures say real, 30 % of the votes on generated pictures say real"
    )
    assert "the two can be distinguished (difference 50 points, " in apart
    assert "the two cannot be distinguished" in answer(findings(counts(5, 5)))


def test_pictures_without_votes_do_not_count():
    """Two reals and two fakes of no votes are as if they were not there."""
    some = counts(8, 3)
    some.n[[0, 1, 40, 41]] = some.n_real[[0, 1, 40, 41]] = 0
    assert answer(findings(some)) == answer(findings(some.rows(some.n > 0)))


def test_of_pairs_the_ends_and_of_ratings_the_mean_and_the_agreement():
    ends = np.array([2.0, 0.0, -2.0])
    strengths = Strengths(np.array([*"abc"]), ends, ends - 0.5, ends + 0.5, np.full(3, 9.0))
    assert answer(Findings("", "pairs", 9, 3, strengths=strengths)) == (
        "a is preferred most often, c least (strengths +2.00 and −2.00; their intervals do not overlap)."
    )
    wide = Strengths(strengths.name, ends, ends - 3, ends + 3, strengths.votes)
    assert answer(Findings("", "pairs", 9, 3, strengths=wide)).endswith("but their intervals overlap).")
    unknown = Strengths(strengths.name, ends, ends * np.nan, ends * np.nan, strengths.votes)
    assert answer(Findings("", "pairs", 9, 3, strengths=unknown)).endswith("; without intervals).")
    for alpha, words in ((0.9, "agree well"), (0.7, "agree fairly"), (0.3, "agree little")):
        effects = {"mean": 3.0, "alpha (interval)": alpha}
        assert f"The mean rating is 3.00, and raters {words} (α {alpha:.2f};" in answer(
            Findings("", "ratings", 9, 3, effects=effects)
        )
    lonely = Findings("", "ratings", 9, 1, effects={"mean": 3.0, "alpha (interval)": float("nan")})
    assert answer(lonely) == "The mean rating is 3.00; how far raters agree cannot be computed."


def test_what_allows_no_figure_says_so():
    nothing = Hype("gan", 9, *[UNKNOWN] * 6)
    assert answer(Findings("", "votes", 9, 3, hype=(nothing,))).startswith("These judgements allow no figure")


def test_pairs_that_are_all_alike_have_no_first():
    columns = {"left": [*"abc"], "right": [*"bca"], "rater": ["r"] * 3, "chosen": ["left"] * 3}
    assert answer(findings(as_labels(Table("pairs", columns)))) == "All 3 pictures are preferred equally often."


def test_shares_of_pictures_with_unequal_votes_say_that_each_counts_once():
    """5 of 5, 0 of 5 and 1 of 1 say real: 6 of 11 votes, but 67 % of a picture's votes on average."""
    blank = np.full(3, "")
    unequal = Counts(np.array([*"abc"]), np.array([5.0, 5, 1]), np.array([5.0, 0, 1]), blank, blank, blank)
    assert answer(findings(unequal)).startswith(
        "67 % of the votes on these pictures say real, each picture counting once ("
    )


def test_pairs_that_were_never_compared_have_no_best():
    """a beats b and c beats d: nobody compared the two groups; a vote between them makes one."""
    columns = [np.array(column) for column in (["a", "c"], ["b", "d"], [6.0, 6.0], [0.0, 0.0], ["", ""])]
    apart = findings(Pairs(*columns))
    assert answer(apart) == "No picture can be called best: they fall into 2 groups that were never compared."
    assert "2 groups between which nobody compared" in apart.cautions()[0]
    joined = findings(
        Pairs(*(np.append(column, new) for column, new in zip(columns, ["b", "c", 1.0, 0.0, ""], strict=True)))
    )
    assert joined.groups == 1 and not joined.cautions()
