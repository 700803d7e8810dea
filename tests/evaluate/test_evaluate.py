"""`evaluate` and `giqa evaluate`: scores against people, in simulations whose right answers are known."""

import dataclasses
import json

import numpy as np
import pytest
from click.testing import CliRunner
from people_samples import study, votes

from giqa.cli import main
from giqa.errors import BadSpec, BadTable
from giqa.evaluate.evaluate import evaluate
from giqa.stats import auroc
from giqa.types import Features
from giqa.votes.labels import Counts, Pairs, Ratings


def simulated(pictures=600, n=3, gap=0.0, seed=0, generators=2):
    """Pictures with p ~ Beta(1.3, 2.9) moved by `gap` between generators; n votes each. Counts, p, generator."""
    rng = np.random.default_rng(seed)
    made_by = np.array([f"g{i % generators}" for i in range(pictures)])
    p = np.clip(rng.beta(1.3, 2.9, pictures) + gap * (made_by == "g1"), 0, 1)
    names, size = np.array([f"i{i:05d}" for i in range(pictures)]), np.full(pictures, float(n))
    empty = np.full(pictures, "")
    kind = np.full(pictures, "generated")
    return Counts(names, size, rng.binomial(n, p).astype(float), made_by, kind, empty), p, made_by


def named(counts, score):
    return dict(zip(counts.image.tolist(), score.tolist(), strict=True))


def test_calibration_error_begins_where_chance_ends():
    """Votes drawn from p itself: chance alone gives the error, so the interval begins at 0; p moved by 0.2: not so.

    The true errors are 0 and 0.2 (0.198 or more where p is clipped).
    """
    for seed in range(3):
        counts, p, _ = simulated(pictures=100, seed=seed)
        right, moved = (
            evaluate(named(counts, q), counts, column="p", probability=True, resamples=60).figures["calibration error"]
            for q in (p, np.minimum(p + 0.2, 1))
        )
        assert right.low == 0 < right.value < right.high
        assert 0.05 < moved.low < 0.198 < 0.2 < moved.high


def test_knowing_every_p_reaches_the_ceiling():
    """The best score there can be: its accuracy is the noise ceiling, its disattenuated correlation near 1."""
    counts, p, _ = simulated(pictures=6000)
    found = evaluate(named(counts, p), counts, column="p", probability=True, resamples=30)
    f = found.figures
    assert f["accuracy"].value == pytest.approx(f["best possible accuracy"].value, abs=0.012)
    assert f["Brier"].value == pytest.approx(np.mean(p * (1 - p)), abs=0.005)
    assert f["calibration error"].value < 0.02
    assert f["Spearman"].value < 0.75 and f["Spearman, disattenuated"].value == pytest.approx(1, abs=0.05)
    assert found.across == {}


def test_a_score_of_nothing_gets_the_constant_answer():
    counts, *_ = simulated(pictures=2000)
    f = evaluate(named(counts, np.random.default_rng(9).random(2000)), counts, resamples=50).figures
    assert f["accuracy"].value == pytest.approx(f["constant answer"].value, abs=0.01)
    assert f["AUROC"].low < 0.5 < f["AUROC"].high and f["Spearman"].low < 0 < f["Spearman"].high
    assert f["balanced accuracy"].value == pytest.approx(0.5, abs=0.02)


def test_knowing_the_generator_alone_is_told_apart():
    """A score that says who made it correlates overall, and not within; the generator alone does as well."""
    counts, _, made_by = simulated(pictures=1500, gap=0.4)
    score = (made_by == "g1") + np.random.default_rng(1).normal(0, 0.1, 1500)
    f = evaluate(named(counts, score), counts, resamples=50).figures
    assert f["Spearman"].value > 0.3 and abs(f["Spearman within generator"].value) < 0.08
    assert f["Spearman, generator alone"].value > f["Spearman"].value  # its score is noise beyond that


def test_leave_one_generator_out_uses_the_others_alone():
    """By hand: the votes of `b` are the reverse of what its scores say of `a`; calibrated on `a` it is always wrong."""
    names = np.array([f"i{i:02d}" for i in range(40)])
    score = np.tile([0.0, 1.0], 20)
    made_by = np.repeat(["a", "b"], 20)
    real = np.where(made_by == "a", score, 1 - score) * 5
    counts = Counts(names, np.full(40, 5.0), real, made_by, np.full(40, "generated"), np.full(40, ""))
    found = evaluate(named(counts, score), counts, resamples=20)
    figures = [(g.name, g.accuracy.value, g.auroc.value) for g in found.generators]
    assert figures == [("a", 0, 1), ("b", 0, 0)]
    assert found.constant_across == dict.fromkeys(["a -> a", "a -> b", "b -> a", "b -> b"], 0.5)
    assert found.figures["two people agree"].value == 1  # five of five, always
    assert {name: e.value for name, e in found.across.items()} == {"a -> a": 1, "a -> b": 0, "b -> a": 0, "b -> b": 1}
    none_of_20 = 1.959964**2 / (20 + 1.959964**2)  # Wilson: always wrong on 20 pictures is not wrong for ever
    assert found.across["a -> b"].high == pytest.approx(none_of_20)
    assert found.across["a -> a"].low == pytest.approx(1 - none_of_20)


def test_probabilities_are_never_fitted_on_their_own_picture():
    """One picture, one vote, a score that is its name: grouped folds leave nothing to learn, so accuracy is chance."""
    rng = np.random.default_rng(4)
    image = np.repeat([f"i{i:03d}" for i in range(300)], 4)
    said = np.repeat(rng.random(300) < 0.5, 4)  # all four raters of a picture agree
    made = votes(image.tolist(), [f"r{i % 4}" for i in range(1200)], said, kind=["generated"] * 1200)
    f = evaluate({f"i{i:03d}": float(x) for i, x in enumerate(rng.permutation(300))}, made, resamples=30).figures
    assert 0.4 < f["accuracy"].value < 0.6


@pytest.mark.slow
def test_intervals_cover_the_population():
    """AUROC of 150 pictures with 2 votes: 95 % intervals over pictures hold that of the population nearly always."""
    big, p, _ = simulated(pictures=40_000, seed=99, n=2)
    noise = np.random.default_rng(5)
    votes_of = (np.arange(2) < big.n_real[:, None]).ravel()
    truth = auroc(np.repeat(p + noise.normal(0, 0.2, len(p)), 2), votes_of)
    held = 0
    for seed in range(20):
        counts, p, _ = simulated(pictures=150, seed=seed, n=2)
        found = evaluate(named(counts, p + noise.normal(0, 0.2, 150)), counts, resamples=50).figures["AUROC"]
        held += found.low <= truth <= found.high
    assert held >= 16


def test_raters_are_resampled_where_they_are_known():
    """Few raters who differ a lot: an interval over pictures alone would be far too narrow."""
    rng = np.random.default_rng(6)
    lenient = rng.normal(0, 2, 6)
    image, rater = (g.ravel() for g in np.meshgrid(np.arange(200), np.arange(6)))
    said = rng.random(1200) < 1 / (1 + np.exp(-lenient[rater]))
    names = [f"i{i:03d}" for i in image]
    score = {name: rng.random() for name in set(names)}
    with_raters = evaluate(score, votes(names, [f"r{r}" for r in rater], said), resamples=200).figures
    without = evaluate(score, votes(names, ["?"] * 1200, said), resamples=200).figures
    width = [f["constant answer"].high - f["constant answer"].low for f in (with_raters, without)]
    assert width[0] > 2 * width[1]


def test_pairs_by_hand():
    """Two of three pairs the right way round, a tie of scores half; single votes 3/3, 1/3 and half of 4."""
    votes_left, votes_right = np.array([3.0, 1, 4]), np.array([0.0, 2, 0])
    pairs = Pairs(np.array(["a", "b", "c"]), np.array(["b", "c", "d"]), votes_left, votes_right, np.array([""] * 3))
    made_by = {"a": "x", "b": "x", "c": "y", "d": "y"}
    found = evaluate({"a": 3.0, "b": 2.0, "c": 1.0, "d": 1.0}, pairs, generator=made_by)
    assert found.figures["pair accuracy"].value == pytest.approx(1.5 / 3)
    assert found.figures["single votes"].value == pytest.approx((3 + 1 + 2) / 10)
    assert found.figures["best for votes"].value == pytest.approx((3 + 2 + 4) / 10)
    assert found.figures["pair accuracy, unanimous"].value == pytest.approx(1.5 / 2)
    assert found.figures["pairs of x / x"].value == 1 and found.figures["pairs of x / y"].value == 0
    with pytest.raises(BadTable, match="the first has 'a', the second 'z'"):
        evaluate({"z": 1.0}, pairs)


def test_ratings():
    """Normal quality and noise of equal variance, four ratings: correlation root(4/5), in ranks 6/pi asin(r/2)."""
    rng = np.random.default_rng(7)
    quality = rng.normal(0, 1, 2000)
    image = np.repeat(np.arange(2000), 4)
    rating = quality[image] + rng.normal(0, 1, 8000)
    made = Ratings(np.array([f"i{i:04d}" for i in image]), np.array([f"r{i % 4}" for i in range(8000)]), rating)
    f = evaluate({f"i{i:04d}": float(q) for i, q in enumerate(quality)}, made, resamples=50).figures
    assert f["Spearman"].value == pytest.approx(6 / np.pi * np.arcsin(np.sqrt(4 / 5) / 2), abs=0.02)
    assert f["Spearman, disattenuated"].value == pytest.approx(1, abs=0.03)
    assert f["reliability of 5"].value == pytest.approx(5 / 6, abs=0.02)


def test_reals_and_quality_control_do_not_count_unless_asked():
    made = study(n_raters=6)
    score = {name: float(i) for i, name in enumerate(sorted(set(made.image.tolist())))}
    generated = evaluate(score, made, resamples=20)
    assert generated.judgements == int(((made.kind == "generated") & ~made.control).sum())
    assert evaluate(score, made, kind=None, resamples=20).judgements == int((~made.control).sum())


def test_what_cannot_be_evaluated():
    counts, p, _ = simulated(pictures=50)
    for scores, error, words in (
        ({"nobody": 1.0}, BadTable, "the first has 'i00000', the second 'nobody'"),
        (named(counts, p + 1), BadSpec, "no probability"),
    ):
        with pytest.raises(error, match=words):
            evaluate(scores, counts, probability=True)


def two_halves(pictures, seed, n=3):
    """log odds = a - 1.5 b, two generators; columns of both, counts of votes, and p."""
    rng = np.random.default_rng(seed)
    a, b = rng.normal(0, 1, (2, pictures))
    p = 1 / (1 + np.exp(-(a - 1.5 * b)))
    counts, *_ = simulated(pictures=pictures, n=n)
    return a, b, dataclasses.replace(counts, n_real=rng.binomial(n, p).astype(float)), p


def test_several_columns_are_learned_from_together():
    """Each column says a part of the log odds: both together rank the pictures as well as p does, one does not."""
    a, b, counts, p = two_halves(400, 0)
    names = tuple(counts.image.tolist())
    found = evaluate(Features(names, {"both": np.c_[a, b]}), counts, resamples=20)
    best = evaluate(named(counts, p), counts, probability=True, resamples=20).figures
    alone = evaluate(Features(names, {"a": a[:, None]}), counts, resamples=20).figures
    assert found.figures["AUROC"].value == pytest.approx(best["AUROC"].value, abs=0.01)
    assert found.figures["log loss"].value == pytest.approx(best["log loss"].value, abs=0.02)
    assert alone["AUROC"].value < best["AUROC"].value - 0.1
    assert set(found.across) == {"g0 -> g0", "g0 -> g1", "g1 -> g0", "g1 -> g1"}
    one, other = found.generators
    assert one.auroc.value == pytest.approx(other.auroc.value, abs=0.06) and one.accuracy.low < one.accuracy.value


def test_of_few_pictures_the_share_is_learned_alone():
    """Two columns of 15 pictures with one vote for each side: 1 / 2 whatever is left out, so a Brier score of 1 / 4."""
    counts, *_ = simulated(pictures=15, n=2)
    counts.n_real[:] = 1
    columns = {"a": np.arange(15.0)[:, None].astype("f4"), "b": np.ones((15, 1), "f4")}
    found = evaluate(Features(tuple(counts.image.tolist()), columns), counts, resamples=20)
    assert found.figures["Brier"].value == pytest.approx(0.25)


def test_nothing_is_learned_from_noise():
    """20 columns of noise, 100 pictures: on pictures not seen, no better than chance."""
    _, _, counts, _ = two_halves(100, 1)
    noise = np.random.default_rng(2).normal(size=(100, 20))
    found = evaluate(Features(tuple(counts.image.tolist()), {"noise": noise}), counts, resamples=50).figures
    assert found["AUROC"].low < 0.5 and found["log loss"].value > 0.68  # log 2 is .693


@pytest.mark.slow
def test_more_labels_teach_more():
    """The curve falls to the loss of who knows p; its last step is what cross-validation says."""
    a, b, counts, p = two_halves(500, 3)
    features = Features(tuple(counts.image.tolist()), {"a.z": a[:, None], "b.z": b[:, None]})
    found = evaluate(features, counts, resamples=30, learning_curve=True)
    assert [step.pictures for step in found.learning] == [20, 50, 100, 200, 400]
    assert [step.votes for step in found.learning] == [60, 150, 300, 600, 1200]
    losses = [step.log_loss.value for step in found.learning]
    best = evaluate(named(counts, p), counts, probability=True, resamples=20).figures["log loss"].value
    assert best < losses[-1] < best + 0.02
    assert losses == sorted(losses, reverse=True) and losses[0] > losses[-1] + 0.01
    assert losses[-1] == pytest.approx(found.figures["log loss"].value, abs=0.005)
    assert all(step.accuracy.low < step.accuracy.value < step.accuracy.high for step in found.learning)


def test_learning_needs_votes():
    pairs = Pairs(np.array(["a"]), np.array(["b"]), np.ones(1), np.zeros(1), np.array([""]))
    with pytest.raises(BadSpec, match="not pairs or ratings"):
        evaluate({"a": 1.0, "b": 0.0}, pairs, learning_curve=True)
    counts, p, _ = simulated(pictures=50)
    with pytest.raises(BadSpec, match="nothing is learned"):
        evaluate(named(counts, p), counts, probability=True, learning_curve=True)


def test_the_command_fits_several_columns(tmp_path, monkeypatch):
    """A picture that lacks one of the columns has no score; the curve is in the table and in the file."""
    monkeypatch.chdir(tmp_path)
    a, b, counts, _ = two_halves(80, 4)
    counts.write("votes.csv")
    rows = [f"{name},{x},{y}\n" for name, x, y in zip(counts.image, a, b, strict=True)]
    (tmp_path / "t.csv").write_text("id,a.z,b.z\n" + "".join([f"{counts.image[0]},,1\n", *rows[1:]]))
    command = ["evaluate", "t.csv", "--labels", "votes.csv", "--column", "a.z, b.z", "--learning-curve"]
    result = CliRunner().invoke(main, [*command, "-o", "e.json", "--resamples", "20"])
    assert result.exit_code == 0, result.output
    assert "labelled pictures\tvotes" in result.output
    said = json.loads((tmp_path / "e.json").read_text())
    assert said["pictures"] == 79 and said["without_score"] == 1 and said["figures"]["AUROC"]["value"] > 0.7
    assert [step["pictures"] for step in said["learning"]] == [20, 50, 63]
    assert said["generators"][0]["accuracy"]["low"] <= said["generators"][0]["accuracy"]["value"]
    assert said["calibration"][0][1]["high"] > said["calibration"][0][1]["low"]


def test_the_command(tmp_path, monkeypatch):
    """Scores as giqa writes them or any table with ids; JSON of all figures; mistakes in one sentence."""
    monkeypatch.chdir(tmp_path)
    counts, p, _ = simulated(pictures=80)
    counts.write("votes.csv")
    (tmp_path / "s.csv").write_text("id,z\n" + "".join(f"{n},{x}\n" for n, x in named(counts, p).items()) + "i99999,\n")
    result = CliRunner().invoke(
        main, ["evaluate", "s.csv", "--labels", "votes.csv", "-o", "e.json", "--resamples", "20"]
    )
    assert result.exit_code == 0, result.output
    assert "best possible accuracy" in result.output and "g0 -> g1" in result.output
    said = json.loads((tmp_path / "e.json").read_text())
    assert said["pictures"] == 80 and said["figures"]["Spearman"]["value"] > 0.3
    wrong = CliRunner().invoke(main, ["evaluate", "s.csv", "--labels", "votes.csv", "--column", "score"])
    assert wrong.exit_code == 2 and "id and score" in wrong.output
    (tmp_path / "bad.csv").write_text("id,z\na,high\n")
    with pytest.raises(BadTable, match="line 2, column 'z'"):
        evaluate("bad.csv", counts)


def test_noise_is_not_divided_by_nothing():
    """.3 at a reliability of .25 is .6; where labels are noise there is nothing to correct, not a figure of 21."""
    from giqa.evaluate.votes import corrected
    from giqa.stats import Estimate

    assert corrected(Estimate(0.3, 0.1, 0.5, 40), 0.25).value == pytest.approx(0.6)
    none = corrected(Estimate(0.3, 0.1, 0.5, 40), 0.0002)
    assert np.isnan(none.value) and np.isnan(none.low) and none.n == 40


@pytest.mark.parametrize(("raters", "words"), [(1, "1 rater:"), (2, "2 raters:"), (3, None)])
def test_one_or_two_raters_are_no_sample_of_people(raters, words, recwarn):
    """Their pictures are resampled, they are not, and a warning says whom the intervals are about."""
    image, rater = (g.ravel() for g in np.meshgrid(np.arange(20), np.arange(raters)))
    names = np.array([f"i{i:02d}" for i in image])
    made = votes(names, [f"r{r}" for r in rater], image >= 10)
    found = evaluate(
        {name: float(i) for name, i in zip(names.tolist(), image.tolist(), strict=True)}, made, resamples=30
    )
    said = [str(one.message) for one in recwarn if "resample pictures alone" in str(one.message)]
    assert len(said) == (words is not None) and all(words in line for line in said)
    auc, rank = found.figures["AUROC"], found.figures["two people agree"] if raters > 1 else None
    assert auc.value == auc.high == 1 and auc.low == pytest.approx(20 / (20 + 1.959964**2))  # Wilson's of 20 pictures
    assert rank is None or rank.low < 1


def test_names_are_joined_by_their_ends(tmp_path):
    """Scores of out/, labels of out/gan/ as a spreadsheet has them, generators by address: the figures are the same."""
    counts, p, _ = simulated(pictures=40)
    exact = evaluate(named(counts, p), counts, resamples=20, generator={})
    scores = "".join(f"out/gan/{name}.png,{value!r}\n" for name, value in named(counts, p).items())
    (tmp_path / "s.csv").write_text(f"id,z\n{scores}")
    rows = zip(counts.image, counts.n, counts.n_real, counts.generator, strict=True)
    labels = "".join(f"{image}.png,{n},{real},{by}\n" for image, n, real, by in rows)
    (tmp_path / "l.csv").write_text(f"File Name,N,n_real,generator\n{labels}")
    found = evaluate(tmp_path / "s.csv", tmp_path / "l.csv", resamples=20)
    assert found.pictures == 40 and found.figures["AUROC"].value == exact.figures["AUROC"].value


def test_a_name_that_could_be_two_pictures_is_refused():
    pairs = Pairs(*(np.array([one]) for one in ("a.png", "b.png", 1.0, 0.0, "")))
    with pytest.raises(BadTable, match=r"'a.png' could be 2 pictures: 'gan/a.png', 'vae/a.png'"):
        evaluate({"gan/a.png": 1.0, "vae/a.png": 2.0, "b.png": 3.0}, pairs)
    made_by = {"https://host/x/a.png": "gan", "https://host/x/b.png": "vae"}
    found = evaluate({"x/a.png": 1.0, "x/b.png": 0.0}, pairs, generator=made_by)
    assert found.figures["pairs of gan / vae"].value == 1


def test_ratings_that_are_all_alike_have_no_correlation():
    """A figure that cannot be computed is NaN, and no error about a reliability that nobody gave."""
    names = [f"{n}.png" for n in range(12)]
    ratings = Ratings(np.repeat(names, 2), np.tile(["u", "v"], 12), np.full(24, 3.0))
    found = evaluate({name: n for n, name in enumerate(names)}, ratings, resamples=20).figures
    assert np.isnan(found["Spearman"].value) and np.isnan(found["Spearman, disattenuated"].value)


def test_a_score_that_is_missing_is_none_as_rows_have_it():
    counts, p, _ = simulated(60)
    scores = named(counts, p)
    lacking = scores | {counts.image[0]: None}
    assert evaluate(lacking, counts, resamples=20).pictures == evaluate(scores, counts, resamples=20).pictures - 1
