"""The sentence that stands first on the pages of compare, classes, track and of the picker's curve, in every case."""

import math
import warnings
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from giqa.compare import compare
from giqa.compare.answer import answer, listed, of_two, standing
from giqa.compare.classes import ByClass
from giqa.compare.classes_page import answer as of_classes
from giqa.compare.picker_curve import Point
from giqa.compare.picker_page import answer as of_curve
from giqa.compare.result import Comparison, Verdict
from giqa.compare.track import Track
from giqa.compare.track import answer as of_run
from giqa.compare.ways import SAME
from giqa.metrics.jackknife import Jackknife
from giqa.model.headline import Headline
from giqa.stats import UNKNOWN, Estimate, wilson

UP = SimpleNamespace(ranks=True, is_distance=False, by_size=False, about="")
DOWN = SimpleNamespace(ranks=True, is_distance=True, by_size=False, about="")
MEMORY = SimpleNamespace(ranks=False, is_distance=False, by_size=False, about="")


def verdict(says, metric="qs", left="A", right="B", why=""):
    return Verdict(metric, left, right, 1.0, 0.5, 1.5, says, pictures=(64, 64), why=why)


def comparison(values, verdicts, metrics=("qs", "ds")):
    """`values`: generator -> a value a metric; `verdicts`: (metric, left, right) -> what is said, else the same."""
    kinds = {label: {"fd": DOWN, "authenticity": MEMORY}.get(label, UP) for label in metrics}
    known = {
        name: {m: Jackknife(v, np.zeros(2), np.array([-0.1, 0.1]), n=64) for m, v in zip(metrics, of, strict=True)}
        for name, of in values.items()
    }
    about = {"n": 64, "at": {}, "trouble": {}, "scores": range(64)}
    generators = tuple(SimpleNamespace(name=name, values=of, **about) for name, of in known.items())
    names = list(values)
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    said = tuple(verdict(verdicts.get((m, a, b), SAME), m, a, b) for a, b in pairs for m in metrics)
    made = {"metrics": {m: f"{m}()" for m in metrics}, "reals": 100}
    return Comparison(generators, kinds, said, (), np.array([-1.0, 0.0, 0.4]), made)


@pytest.mark.parametrize(
    ("quality", "diversity", "wanted"),
    [
        ("better", "better", "A is better than B in quality and diversity (95 %)."),
        ("worse", "worse", "B is better than A in quality and diversity (95 %)."),
        ("better", SAME, "A is better than B in quality (95 %); in diversity they cannot be distinguished."),
        (SAME, "worse", "B is better than A in diversity (95 %); in quality they cannot be distinguished."),
        ("better", "worse", "Mixed: A is better in quality, B in diversity (95 %)."),
        (SAME, SAME, "A and B cannot be distinguished in quality or diversity with 64 pictures."),
        ("few", "few", "Nothing can be said of A and B: too few pictures."),
        ("worse", "few", "B is better than A in quality (95 %); nothing can be said in diversity."),
        (SAME, "few", "A and B cannot be distinguished in quality with 64 pictures; nothing can be said in diversity."),
    ],
)
def test_of_two_sets_every_case_has_its_sentence(quality, diversity, wanted):
    of = {"in quality": quality, "in diversity": diversity}
    few = {"few": ("cannot be told apart", "too few pictures")}
    verdicts = {words: verdict(few.get(s, (s, ""))[0], why=few.get(s, (s, ""))[1]) for words, s in of.items()}
    assert of_two("A", "B", verdicts) == wanted


def test_two_that_tie_are_told_how_many_pictures_would_tell():
    """Half a width of 1 around 0.5, 50 pictures: half as wide with four times as many. 0.01 would take 500,000."""
    quality = Verdict("qs", "A", "B", 0.5, -0.5, 1.5, SAME, pictures=(50, 60))
    diversity = Verdict("ds", "A", "B", 0.01, -0.99, 1.01, SAME, pictures=(50, 60))
    said = "A and B cannot be distinguished in quality or diversity with 50 and 60 pictures"
    assert of_two("A", "B", {"in quality": quality, "in diversity": diversity}) == (
        f"{said}; if the difference in quality stays, about 200 of each would show it."
    )
    assert of_two("A", "B", {"in diversity": diversity}).endswith("in diversity with 50 and 60 pictures.")


def test_without_qs_and_ds_every_metric_that_ranks_decides():
    found = comparison({"A": (9.0, 0.1), "B": (3.0, 0.9)}, {("fd", "A", "B"): "worse"}, ("fd", "authenticity"))
    assert answer(found) == "B is better than A by fd (95 %)."
    assert answer(comparison({"A": (1.0,), "B": (2.0,)}, {}, ("authenticity",))).startswith("No metric")


def test_of_three_sets_the_best_and_who_is_as_good():
    values = {"A": (1.0, 1.0), "B": (2.0, 1.1), "{C}": (3.0, 1.2)}
    all_won = {(m, a, "{C}"): "worse" for m in ("qs", "ds") for a in "AB"}
    assert answer(comparison(values, all_won)) == "{C} is better than every other set in quality and diversity (95 %)."
    some = {("qs", "A", "{C}"): "worse"}
    assert answer(comparison(values, some)) == (
        "{C} is best in quality (95 %), and B cannot be distinguished from it; "
        "no set is shown to be better than another in diversity."
    )


def test_of_one_set_its_numbers_with_their_intervals():
    said = answer(comparison({"A": (-2.0, -1.0)}, {}))
    assert said.startswith("A: quality QS −2.00, ") and "; diversity DS −1.00, " in said
    assert said.endswith("The mean z of held-out reals is −0.200.")


def classes(*verdicts, names=("A", "B")):
    """A comparison a class with these verdicts in quality; values are the number of the class."""
    return ByClass(
        {
            f"class{i}": comparison({name: (float(i),) for name in names}, {("qs", *names[:2]): says}, ("qs",))
            for i, says in enumerate(verdicts)
        },
        {},
    )


@pytest.mark.parametrize(
    ("verdicts", "wanted"),
    [
        (("better", SAME), "A is better than B in quality in 1 of 2 classes (class0), worse in none (95 %)."),
        (
            ("worse", "worse"),
            "B is better than A in quality in 2 of 2 classes (class0 and class1), worse in none (95 %).",
        ),
        (
            ("better", "worse", "worse"),
            "B is better than A in quality in 2 of 3 classes (class1 and class2), A in 1 (95 %).",
        ),
        ((SAME, SAME), "In quality A and B cannot be distinguished in any of 2 classes (95 %)."),
    ],
)
def test_by_class_every_case_has_its_sentence(verdicts, wanted):
    assert of_classes(classes(*verdicts)) == wanted


def a_class(share, n=64):
    """A class whose pictures are within the range of reals by this share, with Wilson's interval; DS -1 -+ 0.1."""
    found = comparison({"A": (-1.0, -1.0)}, {})
    head = Headline(wilson(share * n, n), wilson(share * n, n), None, n)
    found.generators[0].scores = SimpleNamespace(headline=lambda: head)
    return found


def test_by_class_one_set_has_a_weakest_class_where_it_is_shown():
    """Quality by the share within range, the rest by the metric; three pairs by two metrics: each at 1 - 0.05 / 6."""
    alike = {"cat": a_class(0.8), "dog": a_class(0.9), "face": a_class(0.95)}
    assert of_classes(ByClass(alike, {})) == "In quality and diversity no difference between classes is shown."
    assert of_classes(ByClass({"cat": a_class(0.2)}, {"face": "few"})) == (
        "In quality and diversity no difference between classes is shown. Left out, see why below: face."
    )
    said = of_classes(ByClass(alike | {"cat": a_class(0.1)}, {}))
    assert said.startswith("In quality cat is weaker than every other class (95 %); in diversity no difference")
    said = of_classes(ByClass(alike | {"cat": a_class(0.1), "dog": a_class(0.2)}, {}))
    assert said.startswith("In quality cat is the weakest class (95 %), and dog cannot be distinguished from it; in d")


def test_by_class_a_metric_has_a_weakest_class_at_a_level_for_all_pairs():
    """t with one degree of freedom: of three classes with deviation 0.1 each is at 1 - 0.05 / 3, 0.1 * 38.2 to a side.

    Of 0, 1 and 9 the first is shown to be below the last, 9 > sqrt(2) * 3.82, and not below the second.
    """
    three = {name: comparison({"A": (v,)}, {}, ("ds",)) for name, v in (("a", 0.0), ("b", 1.0), ("c", 9.0))}
    said = of_classes(ByClass(three, {}))
    assert said == "In diversity a is the weakest class (95 %), and b cannot be distinguished from it."
    assert of_classes(ByClass(three | {"b": three["c"]}, {})) == (
        "In diversity a is weaker than every other class (95 %)."
    )
    near = {"a": three["a"], "b": three["b"]}
    assert of_classes(ByClass(near, {})) == "In diversity no difference between classes is shown."
    distances = {name: comparison({"A": (v,)}, {}, ("fd",)) for name, v in (("a", 0.0), ("b", 9.0))}
    assert of_classes(ByClass(distances, {})) == "By fd b is weaker than every other class (95 %)."


def test_by_class_three_sets_have_a_winner_and_unknown_values_say_nothing():
    unknown = ByClass({str(i): comparison({"A": (math.nan,)}, {}, ("ds",)) for i in range(2)}, {})
    assert of_classes(unknown) == "In diversity no class can be judged."
    said = of_classes(classes("better", "better", names=("A", "B", "C")))
    assert said == "A is better in quality in 2 of 6 comparisons of two sets in a class, worse in 0 (95 %)."


@pytest.mark.parametrize(
    ("values", "verdicts", "wanted"),
    [
        (
            {"1": (1, 1), "2": (2, 2), "3": (3, 3)},
            {(m, a, "3"): "worse" for m in ("qs", "ds") for a in "12"},
            "Use checkpoint 3; it is better than every other in quality and diversity (95 %).",
        ),
        (
            {"1": (1, 1), "2": (2, 2), "3": (3, 3)},
            {("qs", "1", "3"): "worse", ("qs", "2", "3"): "worse", ("ds", "1", "3"): "worse"},
            "Use checkpoint 3; it is better than every other in quality (95 %), but not shown to be in diversity.",
        ),
        (
            {"1": (1, 1), "2": (2, 3), "3": (3, 2)},
            {("ds", "1", "2"): "worse", ("ds", "2", "3"): "better"},
            "Use checkpoint 2; it is better than every other in diversity (95 %), but not shown to be in quality. "
            "3 has the best value in quality, but is worse in diversity.",
        ),
        (
            {"1": (1, 2), "2": (2, 3), "3": (3, 1)},
            {("ds", "2", "3"): "better"},
            "Use checkpoint 2; 1 cannot be distinguished from it in quality or diversity (95 %). "
            "3 has the best value in quality, but is worse in diversity.",
        ),
        (
            {"1": (1, 1), "2": (2, 2), "3": (3, 3)},
            {("qs", "1", "3"): "worse", ("ds", "2", "3"): "worse"},
            "Use checkpoint 3; it is better than every other in quality or diversity (95 %).",
        ),
        (
            {"1": (1, 1), "2": (2, 2), "3": (3, 3)},
            {("qs", "1", "3"): "worse"},
            "Use checkpoint 3; 2 cannot be distinguished from it in quality or diversity (95 %).",
        ),
        (
            {"1": (1, 3), "2": (2, 1)},
            {("qs", "1", "2"): "worse", ("ds", "1", "2"): "better"},
            "No checkpoint is best in all: in quality 2; in diversity 1 (95 %).",
        ),
        (
            {"1": (1, 3), "2": (2, 1)},
            {},
            "No checkpoint is shown to be better than another in quality or diversity; "
            "2 has the best value in quality.",
        ),
    ],
)
def test_of_a_run_every_case_has_its_sentence(values, verdicts, wanted):
    numbers = {name: tuple(map(float, of)) for name, of in values.items()}
    assert of_run(Track(tuple(map(float, values)), comparison(numbers, verdicts))) == wanted


def far_off_but_unclear():
    """Of 64 pictures: 3 is best, 2 is shown to be worse by 1; 1 is worse by 20, but its interval reaches -20 to 60."""
    found = comparison({"1": (-20.0,), "2": (-1.0,), "3": (0.0,)}, {("qs", "2", "3"): "worse"}, ("qs",))
    wide = Verdict("qs", "1", "3", -20.0, -60.0, 20.0, SAME, pictures=(64, 64))
    others = [v for v in found.verdicts if (v.left, v.right) != ("1", "3")]
    return Track((1.0, 2.0, 3.0), replace(found, verdicts=(*others, wide)))


def test_of_a_run_a_value_that_is_far_worse_is_not_called_as_good():
    """Half its width is 40, its difference 20: with 4 times as many pictures, 256, the interval would end at 0."""
    run = far_off_but_unclear()
    assert run.too_wide("qs") == {0: 260} and run.as_good("qs") == [0, 2]
    assert of_run(run) == (
        "Use checkpoint 3; it is better than every other but 1 in quality (95 %); "
        "the interval of 1 is too wide to tell."
    )
    alike = comparison({"1": (1.0,), "2": (2.0,), "3": (3.0,)}, {}, ("qs",))
    assert Track(run.iterations, alike).too_wide("qs") == {}


def a_set(within, beats=(0.5, 0.4, 0.6)):
    return Headline(Estimate(*within, 60), Estimate(*beats, 60), None, 60)


@pytest.mark.parametrize(
    ("sets", "wanted"),
    [
        (
            {"A": a_set((0.04, 0.01, 0.1)), "B": a_set((0.1, 0.05, 0.2))},
            "Both are far from the reals: 4 % [1, 10] of A and 10 % [5, 20] of B are within the range of reals (a "
            "perfect generator: 95 %).",
        ),
        (
            {"A": a_set((0.94, 0.9, 0.97)), "B": a_set((0.6, 0.5, 0.7))},
            "A is like the reals; B is partly like the reals: 94 % [90, 97] of A and 60 % [50, 70] of B are within the "
            "range of reals (a perfect generator: 95 %).",
        ),
        (
            {name: a_set((tenths / 10,) * 3) for name, tenths in {"A": 3, "B": 1, "C": 2, "D": 4, "E": 3}.items()},
            "All are far from the reals: between 10 % [10, 10] of B and 40 % [40, 40] of D are within the range of "
            "reals (a perfect generator: 95 %).",
        ),
        (
            {"A": a_set((0.6, 0.5, 0.7))},
            "A is partly like the reals: 60 % [50, 70] of its pictures are within the range of reals (a perfect "
            "generator: 95 %).",
        ),
        (
            {"A": Headline(UNKNOWN, UNKNOWN, None, 0)},
            "No picture of A can be judged: each repeats a real one (are they the same pictures?) or has no score.",
        ),
    ],
)
def test_it_is_said_whether_sets_that_tie_are_good_or_poor(sets, wanted):
    assert standing(sets) == wanted


def test_a_set_among_the_reals_is_good_only_where_it_beats_half_of_them():
    near = (0.94, 0.9, 0.97)
    assert a_set(near).standing == "like the reals" and a_set(near, (0.3, 0.2, 0.4)).standing.endswith(
        "but lower on average"
    )
    assert a_set(near, (0.7, 0.6, 0.8)).standing == "above the reals"
    unsure = (0.22, 0.0, 1.0)
    assert a_set(unsure).standing == "not shown to be unlike the reals"
    assert a_set(unsure, (0.1, 0.0, 0.2)).standing == "below the reals, how far is unsure"


def points(gaps, n=50):
    """Two shares whose metrics differ by these gaps; of the groups only the smaller share's reals vary a little."""
    small = np.tile([-0.01, 0.01], 5)
    whole = {name: Jackknife(1.0, small, small, n=n) for name in gaps}
    half = {name: Jackknife(1.0 + gap, 2 * small, small, n=n) for name, gap in gaps.items()}
    return [Point("picker", 1.0, n, whole), Point("picker", 0.5, n, half), Point("truncation", 0.7, n, half)]


@pytest.mark.parametrize(
    ("gaps", "wanted"),
    [
        (
            {"qs": 9.0, "ds": 0.001},
            "Keeping the best 50 % instead of all improves quality; no difference is shown in diversity "
            "(95 %, paired).",
        ),
        (
            {"fd": -0.9, "ds": -9.0},
            "Keeping the best 50 % instead of all improves FD and worsens diversity (95 %, paired).",
        ),
        ({"fd": 9.0}, "Keeping the best 50 % instead of all worsens FD (95 %, paired)."),
        (
            {"fd": 0.0, "qs": 0.0},
            "Keeping the best 50 % instead of all changes nothing that can be shown in FD or quality (95 %, paired).",
        ),
    ],
)
def test_of_a_curve_every_case_has_its_sentence(gaps, wanted):
    assert of_curve(points(gaps)) == wanted


def test_a_larger_share_that_gains_where_the_smallest_does_not_is_named():
    whole, half = points({"fd": 0.0})[:2]
    (_, gains) = points({"fd": -0.9})[:2]
    found = of_curve([whole, replace(gains, share=0.8), half])
    assert found == (
        "Keeping the best 50 % instead of all changes nothing that can be shown in FD (95 %, paired); keeping 80 % "
        "does, looked at alone."
    )


def test_of_a_curve_nothing_is_said_of_too_few():
    assert of_curve(points({"qs": 9.0}, n=3)).endswith("3 pictures are too few.")
    assert of_curve(points({"qs": 9.0})[:1]).startswith("Only one share (100 %)")


def test_the_difference_of_a_curve_is_that_of_the_same_pictures():
    """Both shares vary by far more than their difference: by the pictures they share it is still seen."""
    wide = np.tile([-5.0, 5.0], 5)
    whole, half = ({"qs": Jackknife(v, wide, wide + 0.001 * v, n=50)} for v in (1.0, 2.0))
    found = of_curve([Point("picker", 1.0, 50, whole), Point("picker", 0.5, 50, half)])
    assert "improves quality" in found


def test_many_names_are_counted():
    assert listed([str(i) for i in range(9)]) == "0, 1, 2 and 6 others"


@pytest.mark.parametrize("metrics", ["qs", "kd", "ds", "recall"])
def test_a_set_of_too_few_pictures_is_named_and_decides_nothing(metrics):
    """Of three sets one has 3 pictures: it is no best one, whatever its value, and the others are told apart."""
    rng = np.random.default_rng(0)
    sets = {"a": rng.normal(size=(60, 4)), "b": rng.normal(size=(60, 4)) + 3, "c": rng.normal(size=(3, 4))}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = compare(rng.normal(size=(100, 4)), sets, metrics=metrics, scorer="sgm")
    about = {"qs": "in quality", "ds": "in diversity"}.get(metrics, f"by {metrics}")
    assert answer(found) == f"a is better than every other set {about} (95 %), where c cannot be judged."
    assert found.best(metrics) == "a"
