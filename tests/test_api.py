import shutil
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import giqa
import giqa.evaluate
import giqa.explain
import giqa.p_real
import giqa.report
import giqa.serve
import giqa.study
import giqa.text
import giqa.train
import giqa.votes
from giqa.errors import BadModel, BadShape, BadSource, BadSpec, GiqaError
from giqa.features.embedded import Embedded
from giqa.features.reader import extract
from giqa.features.statistics import Statistics
from giqa.images import open_source
from giqa.images.decode import decode
from giqa.images.toy import write_toy
from giqa.model.columns import NUMBERS
from giqa.p_real.distances import LayerDistances
from giqa.p_real.model import Realism
from giqa.scorers.human import HumanModel
from giqa.scorers.knn import KNN
from giqa.types import Features

SCORERS = [
    "multilayer",
    "gmm",
    "sgm",
    "knn",
    "knn(k=3, preset='released')",
    "gmm(n_components=2, preset='released')",
]


def numbers(scores):
    return np.stack([getattr(scores, name) for name in NUMBERS])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:GMM. 60 reals for 2 full covariances")
@pytest.mark.parametrize("scorer", SCORERS)
def test_a_score_does_not_depend_on_its_company(toy, scorer):
    """Alone, in another order, with 1 or 2 workers, from the store or not: the same bits."""
    reals, fakes = toy
    model = giqa.fit(reals, scorer=scorer)
    paths = sorted(fakes.iterdir())
    whole = giqa.score(fakes, model=model)
    for workers in (1, 2):
        assert np.array_equal(numbers(giqa.score(fakes, model=model, workers=workers, store=False)), numbers(whole))
    order = np.random.default_rng(0).permutation(len(paths))
    shuffled = giqa.score([paths[i] for i in order], model=model)
    assert np.array_equal(numbers(shuffled), numbers(whole)[:, order])
    for i in (0, 11, 23):
        assert np.array_equal(numbers(giqa.score(paths[i], model=model))[:, 0], numbers(whole)[:, i])


@pytest.mark.slow
def test_damage_scores_below_no_damage(tmp_path):
    """The demo's pictures: every undamaged one scores above every one with more than half damage."""
    reals, fakes = write_toy(tmp_path)
    scores = giqa.score(fakes, real=reals)
    strength = np.array([float(i.rsplit("_", 1)[1].removesuffix(".png")) for i in scores.id])
    assert scores.z[strength == 0].min() > scores.z[strength > 0.5].max()


@pytest.mark.filterwarnings("ignore:1 real shows something that the others do not")
@pytest.mark.parametrize(
    ("scorer", "full"),
    [
        (None, "multilayer(combine='fisher', density='sgm', levels=('low', 'mid', 'taught'), seed=3)"),
        ("knn(k=2)", "knn(k=2, preset='recommended')"),
    ],
)
def test_a_saved_model_scores_as_the_fitted_one(toy, tmp_path, scorer, full):
    """Fit once, score anywhere: bit-equal through the file, with `made_by` telling how."""
    reals, fakes = toy
    model = giqa.fit(reals, scorer=scorer, seed=3)
    path = model.save(tmp_path / "reals.giqa")
    direct, loaded = giqa.score(fakes, model=model), giqa.score(fakes, model=path)
    assert np.array_equal(numbers(direct), numbers(loaded))
    assert np.array_equal(numbers(direct), numbers(giqa.score(fakes, real=reals, scorer=scorer, seed=3)))
    assert direct.rows() == loaded.rows() and set(loaded.out_of_domain) <= {"yes", "no"}
    assert loaded.made_by["scorer"] == full
    assert loaded.made_by["extractor"] == "embedded(crops=False, device='cpu', layers=None, version=2, weights=None)"
    assert loaded.made_by["reals"] == 60


def test_unreadable_pictures_get_a_row_and_the_run_goes_on(toy, tmp_path):
    """A picture that cannot be decoded is named with the reason; the others score as without it."""
    reals, fakes = toy
    mixed = tmp_path / "mixed"
    shutil.copytree(fakes, mixed)
    (mixed / "aaa_empty.png").write_bytes(b"")
    (mixed / "zzz_text.jpg").write_text("not a picture")
    scores, clean = giqa.score(mixed, real=reals), giqa.score(fakes, real=reals)
    assert np.array_equal(numbers(scores)[:, 1:-1], numbers(clean))
    assert np.isnan(numbers(scores)[:, [0, -1]]).all()
    assert "empty" in scores.error[0] and scores.error[-1] and not any(scores.error[1:-1])
    assert scores.summary()["failed"] == 2
    assert len(scores.ranked()) == len(clean)


@pytest.mark.filterwarnings("ignore:the reals and these pictures are saved differently")
def test_copies_of_reals_are_flagged(toy, tmp_path):
    """A fake with the pixels of a real, and one that is the same picture as JPEG, name the real they repeat."""
    reals, _ = toy
    fakes = tmp_path / "fakes"
    fakes.mkdir()
    shutil.copy(reals / "real_007.png", fakes / "copy.png")
    Image.open(reals / "real_008.png").save(fakes / "coded.jpg", quality=90)
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)).save(fakes / "other.png")
    scores = giqa.score(fakes, real=reals)
    assert dict(zip(scores.id, scores.duplicate_of, strict=True)) == {
        "coded.jpg": "real_008.png",
        "copy.png": "real_007.png",
        "other.png": "",
    }


@pytest.mark.filterwarnings("ignore:the reals and these pictures are saved differently")
def test_notes_say_what_decoding_did(toy, tmp_path):
    """An alpha channel that was composited on white is on record."""
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 4), dtype=np.uint8)
    Image.fromarray(picture).save(tmp_path / "alpha.png")
    assert "alpha composited on white" in giqa.score(tmp_path / "alpha.png", real=toy[0]).notes[0]


def test_features_are_welcome_where_pictures_are(toy):
    """A float array (n, d) is features: fit and score need no pictures then."""
    rng = np.random.default_rng(0)
    reals, fakes = rng.normal(size=(100, 5)).astype(np.float32), rng.normal(size=(7, 5)).astype(np.float32) + 3
    model = giqa.fit(reals, scorer="sgm")
    assert (giqa.score(fakes, model=model).z < -1).all()
    for extractor in (None, "statistics"):
        features = extract(toy[0], extractor).features
        of_pictures = giqa.score(toy[0], real=toy[0], extractor=extractor)
        assert np.isfinite(of_pictures.detail).all()  # which needs pixels, so features have none
        assert giqa.score(features, model=giqa.fit(features)).rows() == replace(of_pictures, detail=None).rows()


def test_flip_doubles_the_reference_and_keeps_pairs_in_one_fold(toy):
    """Mirrored copies join; were a picture and its mirror image in two folds, each would find its twin."""
    model = giqa.fit(toy[0], scorer="knn", flip=True)
    assert len(model.reals) == 120
    assert list(model.reals.ids[60:]) == [f"{name}#flip" for name in model.reals.ids[:60]]
    assert model.made_by["flip"] is True
    assert np.median(model.scale.held_out) < -np.log(model.scorer.floor_) - 3


def test_match_brings_both_sets_to_one_coding(toy):
    """With match(...) both sets pass through it, and it is on record; 'auto' does nothing to sets saved alike."""
    reals, fakes = toy
    matched = giqa.score(fakes, real=reals, match="match(size=16, coding='jpeg', quality=75)")
    assert matched.made_by["match"] == "match(coding='jpeg', quality=75, size=16)"
    assert not np.array_equal(matched.score, giqa.score(fakes, real=reals).score)
    assert giqa.score(fakes, real=reals, match="auto").made_by["match"] is None


@pytest.mark.filterwarnings("ignore:.* reals are there more than once")
def test_twins_stay_in_one_fold(toy, tmp_path):
    """Every real twice: a held-out real does not find its twin, so scores are not those of copies."""
    doubled = tmp_path / "doubled"
    doubled.mkdir()
    for path in toy[0].iterdir():
        shutil.copy(path, doubled / path.name)
        shutil.copy(path, doubled / f"again_{path.name}")
    scale = giqa.fit(doubled, scorer="knn").scale
    assert np.median(scale.held_out) < 1  # a distance of 0 would be clamped to a thousandth: -log far above 1


def test_seed_decides_the_folds(toy):
    """The same seed the same held-out scores, another seed others."""
    first, again, other = (giqa.fit(toy[0], scorer="knn", seed=s).scale.held_out for s in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_more_pictures_than_one_step(toy):
    """150 pictures in steps of 64 come out complete and in order, with progress to the end."""
    pictures = np.random.default_rng(0).integers(0, 256, (150, 8, 8, 3), dtype=np.uint8)
    seen = []
    result = extract(pictures, "statistics", progress=lambda what, done, total: seen.append((what, done, total)))
    assert result.features.ids == tuple(f"{i:03d}" for i in range(150))
    assert np.array_equal(result.features.layers["texture.1"], Statistics()(list(pictures))["texture.1"])
    assert seen == [("features", 64, 150), ("features", 128, 150), ("features", 150, 150)]


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda r, f: giqa.score(f), BadSpec, "Score against what"),
        (lambda r, f: giqa.score(f, real=r, scorer="knnn"), BadSpec, "Did you mean 'knn'"),
        (lambda r, f: giqa.score(f, real=r, extractor="knn"), BadSpec, "no extractor 'knn'"),
        (lambda r, f: giqa.score(f, model=giqa.fit(r), scorer="knn"), BadSpec, "brings its own"),
        (
            lambda r, f: giqa.score(f, model=giqa.fit(np.zeros((30, 2), np.float32) + np.arange(30)[:, None])),
            BadShape,
            "fitted on feature arrays",
        ),
        (lambda r, f: giqa.fit(sorted(r.iterdir())[:19]), BadShape, "At least 20 different real pictures"),
        (lambda r, f: giqa.fit(r, scorer="knn(k=55)"), BadShape, "at least 55"),
        (
            lambda r, f: giqa.fit(np.zeros((30, 2), np.float32), match="match(size=16)"),
            BadSpec,
            "cannot be asked of features",
        ),
        (lambda r, f: giqa.fit(r, match="match(sise=8)"), BadSpec, "no parameter 'sise'"),
    ],
)
def test_errors_say_what_to_do(toy, call, error, says):
    with pytest.raises(error, match=says):
        call(*toy)


def test_reals_that_cannot_be_read_are_left_out_by_name(toy, tmp_path):
    """A warning names the first five and counts the others; the model knows how many were left out."""
    reals = tmp_path / "reals"
    shutil.copytree(toy[0], reals)
    for i in range(7):
        (reals / f"broken_{i}.png").write_bytes(b"no")
    with pytest.warns(UserWarning) as caught:
        model = giqa.fit(reals)
    said = [str(w.message) for w in caught]
    assert len(said) == 6 and said[0].startswith("reals: broken_0.png left out: ")
    assert said[5] == "reals: ... and 2 more left out"
    assert (len(model.reals), model.made_by["reals_failed"]) == (60, 7)


def test_no_readable_real_is_an_error(tmp_path):
    for i in range(3):
        (tmp_path / f"{i}.png").write_bytes(b"no")
    with pytest.raises(BadSource, match="Not one of the 3 reals could be read"):
        giqa.fit(tmp_path)


@pytest.mark.parametrize(
    ("extractor", "says"),
    [
        ("statistics", "version was 3, is 99"),
        ("embedded", r"by_hand was \[.*'version': 2,.*\], is \[.*'version': 99,.*\]"),  # it computes them too
    ],
)
def test_a_model_refuses_an_extractor_that_changed(toy, monkeypatch, extractor, says):
    """Other preprocessing than at fitting time is an error, not another score."""
    model = giqa.fit(toy[0], extractor=extractor)
    changed = dict(Statistics().identity()) | {"version": 99}
    monkeypatch.setattr(Statistics, "identity", lambda self: changed)
    with pytest.raises(BadModel, match=says):
        giqa.score(toy[1], model=model)


def test_one_scorer_object_may_fit_two_models(toy):
    """The caller's object stays as it is: a second fit does not change the first model."""
    rng = np.random.default_rng(0)
    near, far = rng.normal(size=(60, 3)).astype(np.float32), rng.normal(size=(60, 3)).astype(np.float32) + 100
    scorer, queries = KNN(k=1), rng.normal(size=(4, 3)).astype(np.float32)
    first = giqa.fit(near, scorer=scorer)
    before = giqa.score(queries, model=first).z
    giqa.fit(far, scorer=scorer)
    assert np.array_equal(giqa.score(queries, model=first).z, before)
    assert not hasattr(scorer, "reference_")


@pytest.mark.filterwarnings("ignore:.* reals are there more than once")
def test_equal_rows_of_features_stay_in_one_fold():
    """Every row twice: a held-out row does not find its twin, and 30 copies of one row are not 20 different reals."""
    rows = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
    once, twice = giqa.fit(rows, scorer="knn"), giqa.fit(np.repeat(rows, 2, axis=0), scorer="knn")
    assert np.median(twice.scale.held_out) == pytest.approx(np.median(once.scale.held_out), abs=0.5)
    with pytest.raises(BadShape, match="got 1 "):
        giqa.fit(np.ones((30, 3), np.float32))


def test_mirrored_reals_are_no_second_opinion(toy):
    """With flip the scale still counts each real once: 60 reals, percentiles in steps of 1/61."""
    model = giqa.fit(toy[0], scorer="knn", flip=True)
    assert len(model.scale.held_out) == 60 and model.made_by["reals"] == 60 and len(model.reals) == 120


def test_a_row_that_is_not_finite_costs_that_row(toy):
    """NaN features get an error by name; the others score as without them."""
    rng = np.random.default_rng(0)
    model = giqa.fit(rng.normal(size=(60, 3)).astype(np.float32))
    queries = rng.normal(size=(80, 3)).astype(np.float32)
    broken = queries.copy()
    broken[70, 1] = np.nan
    scores, clean = giqa.score(broken, model=model), giqa.score(queries, model=model)
    assert scores.error[70] == "its features are not finite" and sum(map(bool, scores.error)) == 1
    assert np.array_equal(np.delete(scores.z, 70), np.delete(clean.z, 70))


@pytest.mark.parametrize("extractor", ["embedded", "statistics"])
def test_features_made_another_way_are_refused(toy, extractor):
    """A model knows how its features were made: others of the same shape are an error, not another score."""
    model = giqa.fit(toy[0], extractor=extractor)
    alike = extract(toy[1], extractor).features
    assert np.array_equal(giqa.score(alike, model=model).z, giqa.score(toy[1], model=model).z)
    with pytest.raises(BadShape, match=r"match is 'match.*size=16.*', should be None"):
        giqa.score(extract(toy[1], extractor, match="match(size=16)").features, model=model)


@pytest.mark.filterwarnings("ignore:1 real shows something that the others do not")
@pytest.mark.parametrize("extractor", ["embedded", "statistics"])
def test_levels_are_no_part_of_how_features_were_made(toy, tmp_path, extractor):
    """Features with and without them, and those of a model read from its file, are the same features."""
    features = extract(toy[0], extractor).features
    bare = Features(
        features.ids, features.layers, features.info, {k: v for k, v in features.made_by.items() if k != "levels"}
    )
    assert "levels" in features.made_by
    for model in (giqa.fit(toy[0], extractor=extractor), giqa.fit(features), giqa.fit(bare)):
        loaded = giqa.load(model.save(tmp_path / "m.giqa"))
        for reader in (model, loaded):
            assert np.array_equal(giqa.score(bare, model=reader).z, giqa.score(features, model=reader).z)


def test_misspelt_keywords_are_refused(toy):
    with pytest.raises(TypeError):
        giqa.score(toy[1], real=toy[0], scorrer="knn")


class Counted:
    """Pictures of a folder, and how often each was read."""

    def __init__(self, folder):
        self.source, self.reads = open_source(folder), Counter()
        self.name, self.ids = self.source.name, self.source.ids

    def __len__(self):
        return len(self.ids)

    def raw(self, index):
        self.reads[index] += 1
        return self.source.raw(index)

    def path(self, index):
        return self.source.path(index)

    @property
    def times(self):
        """How many pictures were read once, twice, ..."""
        return dict(Counter(self.reads.values()))


@pytest.fixture(scope="module")
def human(toy):
    """A human model of made-up votes on 24 fakes, with 12 references."""
    taps, rng = ("high",), np.random.default_rng(0)
    reals, fakes = open_source(toy[0]), open_source(toy[1])
    maps = [
        [Embedded().maps(decode(where.raw(i)).pixels, taps) for i in range(n)]
        for where, n in ((reals, 12), (fakes, 24))
    ]
    distances = LayerDistances().fit(maps[0], 12)
    features = Features(fakes.ids[:24], {"high.distance": distances.sums(maps[1])})
    model = HumanModel(resamples=20).fit(features, np.c_[np.full(24, 9), rng.binomial(9, 0.5, 24)])
    extractor = "embedded(crops=False, device='cpu', layers=None, version=2, weights=None)"
    return Realism(model, distances, extractor, taps, distances.digest())


@pytest.fixture
def counted(tmp_path):
    """30 reals and 30 fakes; of the fakes 24 + 3 get maps."""
    reals, fakes = write_toy(tmp_path, n_real=30, n_fake=30, size=32)
    return Counted(reals), Counted(fakes)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("match", [None, "auto"])
def test_every_picture_is_read_once_for_its_score(counted, match):
    """Looks at size and coding, sharpness, features: one read of each picture, real or fake."""
    reals, fakes = counted
    giqa.score(fakes, real=reals, extractor="statistics", scorer="knn", match=match, store=False)
    assert fakes.times == reals.times == {1: 30}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("asked", [False, True], ids=["alone", "human"])
def test_a_report_with_maps_reads_a_fake_once_and_those_with_maps_twice(counted, human, tmp_path, asked):
    """Score, p_real, small pictures: one read; the 27 with maps one more. Reals: fit, maps, and small pictures of the
    nearest ones, which are all of these 30: three reads at most."""
    reals, fakes = counted
    how = {"extractor": "statistics", "scorer": "knn", "store": False, "human": human if asked else None}
    scores = giqa.score(fakes, real=reals, report=tmp_path / "report.html", maps=True, **how)
    assert fakes.times == {1: 3, 2: 27} and (scores.p_real is not None) == asked
    assert len(reals.reads) == 30 and max(reals.reads.values()) <= 3


@pytest.mark.filterwarnings("ignore")
def test_a_fitted_model_reads_no_real_but_those_that_the_report_shows(counted, tmp_path):
    """The nearest reals once each, for their small pictures; without `real=` none."""
    reals, fakes = counted
    model = giqa.fit(open_source(reals.source.name), extractor="statistics", scorer="knn", store=False)
    giqa.score(fakes, real=reals, model=model, report=tmp_path / "report.html", store=False)
    assert fakes.times == {1: 30} and set(reals.times) == {1}


def test_functions_have_names_that_no_module_has():
    """They stay callable once the modules `giqa.compare`, `giqa.explain` and `giqa.evaluate` are imported."""
    import importlib

    for module in ("compare", "explain", "evaluate", "compare.track"):
        importlib.import_module(f"giqa.{module}")
    for name in ("compare_generators", "track_run", "explain_picture", "evaluate_scores"):
        assert callable(getattr(giqa, name)) and name in dir(giqa)
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module(f"giqa.{name}")


def test_each_class_is_scored_against_its_own_reals(toy, tmp_path):
    """Every number of a class is that of the class alone; what has no reals of its class has a row that says so."""
    reals, fakes = (sorted(folder.iterdir()) for folder in toy)

    def table(name, paths, classes):
        lines = [f"{path},{label}" for path, label in zip(paths, classes, strict=True)]
        (tmp_path / name).write_text("\n".join(["image,kind", *lines]) + "\n")
        return str(tmp_path / name)

    half = len(reals) // 2
    real = table("reals.csv", reals, ["a/x"] * half + ["b"] * (len(reals) - half))
    fake = table("fakes.csv", fakes[:7], ["b", "a/x", "b", "rare", "", "a/x", "b"])
    with pytest.warns(UserWarning, match="class 'rare' left out: there are no reals of it"):
        found = giqa.score_by_class(fake, real, "kind", scorer="knn", report=tmp_path / "r.html")
    alone = giqa.score([fakes[row] for row in (0, 2, 6)], real=reals[half:], scorer="knn")
    assert np.array_equal(numbers(found.scores)[:, [0, 2, 6]], numbers(alone))
    assert found.scores.error[3] == "class 'rare': there are no reals of it" and "no class" in found.scores.error[4]
    assert [path.name for path in sorted(tmp_path.glob("*.html"))] == ["r-a_x.html", "r-b.html"]
    head, parts = found.headline(), [part.headline() for part in found.classes.values()]
    assert head.pictures == 5 and head.within.value == pytest.approx(
        (2 * parts[0].within.value + 3 * parts[1].within.value) / 5
    )
    found.scores.write(tmp_path / "s.csv")
    again = giqa.read_scores(tmp_path / "s.csv")
    assert np.array_equal(again.z, found.scores.z, equal_nan=True)
    assert again.made_by["classes"]["b"]["reals"] == len(reals) - half
    scored = np.flatnonzero(~np.isnan(again.z))  # raw scores of two fits have no common scale
    assert again.ranked().tolist() == scored[np.argsort(-again.z[scored], kind="stable")].tolist()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"by": "kind"}, "'kind' is a column of a table"),
        ({"by": "folder", "human": "people.giqa"}, "human is of one set of reals"),
    ],
)
def test_a_class_that_cannot_be_read_is_refused(toy, given, words):
    with pytest.raises(BadSpec, match=words):
        giqa.score_by_class(str(toy[1]), str(toy[0]), **given)


def clouds():
    rng = np.random.default_rng(0)
    return rng.normal(size=(60, 4)).astype("f4"), rng.normal(size=(30, 4)).astype("f4")


REALS, FAKES = clouds()
MEANINGLESS = {
    "a seed below 0": lambda: giqa.fit(REALS, seed=-1),
    "a seed that is text": lambda: giqa.fit(REALS, seed="a"),
    "a seed that is half": lambda: giqa.compare_generators(REALS, {"a": FAKES}, seed=1.5),
    "a scorer that is a number": lambda: giqa.fit(REALS, scorer=5),
    "a scorer that is a class": lambda: giqa.fit(REALS, scorer=KNN),
    "a model that is a number": lambda: giqa.score(FAKES, model=5),
    "a human model that is a number": lambda: giqa.score(FAKES, real=REALS, scorer="sgm", human=5),
    "a path that is a number": lambda: giqa.load(5),
    "no path": lambda: giqa.read_scores(None),
    "a path with a NUL": lambda: giqa.load("a\0.giqa"),
    "a report without a name": lambda: giqa.score(FAKES, real=REALS, scorer="sgm", report="/"),
    "reals to leave out by number": lambda: giqa.fit(REALS, leave_out=5),
    "generators without names": lambda: giqa.compare_generators(REALS, [FAKES, FAKES]),
    "a metric that is a number": lambda: giqa.compare_generators(REALS, {"a": FAKES}, metrics=5),
    "metrics that are numbers": lambda: giqa.compare_generators(REALS, {"a": FAKES}, metrics=[5]),
    "pictures below 0": lambda: giqa.compare_generators(REALS, {"a": FAKES}, pictures=-1),
    "pictures that are text": lambda: giqa.compare_generators(REALS, {"a": FAKES}, pictures="x"),
    "no layer": lambda: giqa.compare_generators(REALS, {"a": FAKES}, layers=[]),
    "other scores by number": lambda: giqa.compare_generators(REALS, {"a": FAKES}, beside=5),
    "pairs by a list": lambda: giqa.compare_generators(REALS, {"a": FAKES}, paired=["x"]),
    "features of no column": lambda: giqa.fit(np.zeros((30, 0), "f4")),
    "a match that is a number": lambda: giqa.extract(np.zeros((2, 16, 16, 3), np.uint8), "statistics", match=5),
    "workers below 1": lambda: giqa.extract(np.zeros((2, 16, 16, 3), np.uint8), "statistics", workers=-1),
    "scores that are a number": lambda: giqa.evaluate_scores(5, "votes.csv"),
    "no column of scores": lambda: giqa.evaluate_scores({"a.png": 1.0}, "votes.csv", column=[]),
    "progress that is a number": lambda: giqa.fit(REALS, scorer="sgm", progress=5),
    "flip that is a text": lambda: giqa.fit(REALS, scorer="sgm", flip="no"),
    "arrays as specs": lambda: giqa.fit(REALS, scorer=np.ones(2)),
    "an array as preset": lambda: giqa.fit(REALS, preset=np.ones(2)),
    "masked features": lambda: giqa.fit(np.ma.masked_array(REALS, REALS > 2), scorer="sgm"),
    "ids that are numbers": lambda: giqa.Features((1, 2), {"a": np.zeros((2, 3))}),
    "layers without names": lambda: giqa.Features(("a", "b"), np.zeros((2, 3))),
    "a layer of texts": lambda: giqa.Features(("a", "b"), {"a": [["x"], ["y"]]}),
    "a layer of ragged rows": lambda: giqa.Features(("a", "b"), {"a": [[1.0], [1.0, 2.0]]}),
    "rows that are not there": lambda: giqa.Features(("a", "b"), {"a": np.zeros((2, 3))}).rows([5]),
    "a table of scores without texts": lambda: giqa.Scores(*[np.zeros(2)] * 10),
    "a table of scores of two lengths": lambda: giqa.Scores(["a"], *[np.zeros(2)] * 5, *[[""]] * 4),
    "a scale of nothing": lambda: giqa.scorers.Scale(np.empty(0)),
    "folds below 0": lambda: giqa.scorers.KNN().fit(REALS, folds=np.full(60, -1)),
    "folds of other pictures": lambda: giqa.scorers.GMM().fit(REALS, folds=np.arange(5)),
    "one fold for all": lambda: giqa.scorers.SGM().fit(REALS, folds=np.ones(60, int)),
    "deviations without folds": lambda: giqa.scorers.SGM().fit(REALS).score_with_deviation(FAKES),
    "one real": lambda: giqa.scorers.SGM().fit(REALS[:1]),
    "k that is True": lambda: giqa.scorers.KNN(k=True).fit(REALS),
    "a ridge that is a text": lambda: giqa.scorers.SGM(reg="1").fit(REALS),
    "starts without end": lambda: giqa.scorers.GMM(n_init=10**9).fit(REALS),
    "heads that are a text": lambda: giqa.scorers.MBC(n_heads="4").fit(REALS, np.arange(60.0)),
    "resamples without end": lambda: giqa.scorers.HumanModel(resamples=10**12).fit(REALS, np.arange(60) % 2),
    "votes that are a text": lambda: giqa.scorers.HumanModel().fit(REALS, "yes"),
    "subsets without end": lambda: giqa.metrics.kernel_distance(REALS, FAKES, subsets=10**12),
    "groups by a fraction": lambda: giqa.metrics.jackknifed(giqa.metrics.Frechet(), REALS, FAKES, most=1.5),
    "a metric that is none": lambda: giqa.metrics.evaluate([None], REALS, FAKES),
    "scorers made by a number": lambda: giqa.metrics.diversity_score(REALS, FAKES, 5),
    "scores that are a text": lambda: giqa.metrics.quality_score("abc", [1.0]),
    "statistics of NaN pictures": lambda: giqa.metrics.Moments.from_statistics([0.0], [[1.0]], float("nan")),
    "a share that is a text": lambda: giqa.compare.pick(np.arange(5.0), keep="a"),
    "picked by texts": lambda: giqa.compare.pick("abc", top=2),
    "a tensor without data": lambda: giqa.fit(torch().empty(50, 6, device="meta")),
    "seeds without end": lambda: giqa.images.from_seeds(lambda seed: REALS, 10**12),
    "columns of two lengths": lambda: giqa.tables.as_csv({"a": [1], "b": [1, 2]}),
    "a table of numbers": lambda: giqa.tables.parse_table(5, "a.csv"),
    "votes that are a number": lambda: giqa.votes.majority(5),
    "judgements without a table": lambda: giqa.votes.as_labels(None),
    "a prior below 0": lambda: giqa.votes.bradley_terry(PAIRS, prior=-1.0),
    "steps without an end": lambda: giqa.votes.bradley_terry(PAIRS, most=0.5),
    "counts that are a text": lambda: giqa.votes.krippendorff_alpha("a"),
    "values of no category": lambda: giqa.votes.krippendorff_alpha(np.ones((4, 2)), np.ones(3), "interval"),
    "votes of no number": lambda: giqa.votes.reliability([3, 3], [1, 2], k=None),
    "columns that are texts": lambda: giqa.votes.Ratings("a", "b", "c"),
    "rows of judgements that are not there": lambda: PAIRS.rows(np.array([7])),
    "a staircase of texts": lambda: giqa.votes.Staircase(down="a"),
    "a study of half a vote": lambda: giqa.study.Settings("hype", votes_each=0.5),
    "a study whose name is no text": lambda: giqa.study.make_study(None, "\udcff", giqa.study.Settings("hype"), []),
    "a limit that is a text": lambda: giqa.serve.Limits(body="64MB"),
    "models that are one path": lambda: giqa.serve.load_models("m.giqa"),
    "a quantile of a text": lambda: giqa.train.RunningQuantile(q="a"),
    "a state that is none": lambda: giqa.train.RunningQuantile().restore(None),
    "a weight that is NaN": lambda: giqa.train.ohem_weights(np.ones(3), weight=float("nan")),
    "a run that is a formula": lambda: giqa.train.Snapshots("s", run='=HYPERLINK("x")'),
    "iterations that are texts": lambda: giqa.train.Snapshots("s").write(np.zeros((1, 4, 4, 3), "u1"), "a"),
    "a GAN of no channel": lambda: giqa.train.train_gan("reals", "gan", width=0),
    "a GAN of any seed": lambda: giqa.train.train_gan("reals", "gan", seed=-1),
    "a model named by a number": lambda: giqa.p_real.train_human("v.csv", None, "reals", 5),
    "no votes to learn from": lambda: giqa.p_real.train_human(5, None, "reals", "h.giqa"),
    "scores of pictures that are texts": lambda: giqa.evaluate_scores({"a.png": "x"}, "votes.csv"),
    "generators that are a number": lambda: giqa.evaluate_scores({"a.png": 1.0}, "votes.csv", generator=5),
    "a map of no numbers": lambda: giqa.evaluate.measure_map(None, np.eye(3)),
    "a share above 1": lambda: giqa.evaluate.measure_map(np.eye(3), np.eye(3), threshold=2),
    "taps that are a number": lambda: giqa.explain.fit_maps(np.zeros((20, 16, 16, 3), np.uint8), "nss", taps=5),
    "text in no picture": lambda: giqa.text.find_text(None),
    "errors of no text": lambda: giqa.text.character_error_rate(None, "a"),
    "a report of nothing": lambda: giqa.report.write_report("r.html", None),
    "a level above 1": lambda: giqa.metrics.Jackknife.of_mean(np.arange(9.0)).interval(level=95),
    "a table that is no mapping": lambda: giqa.tables.write_table("a.csv", 5),
}


PAIRS = giqa.votes.Pairs(*map(np.array, (["a", "b"], ["b", "a"], [1.0, 2.0], [1.0, 1.0], ["", ""])))


def torch():
    return pytest.importorskip("torch")


@pytest.mark.parametrize("call", MEANINGLESS.values(), ids=MEANINGLESS)
def test_what_means_nothing_is_said_in_a_sentence(call):
    """Nothing that a person passes ends in an error of numpy or of Python's own."""
    with pytest.raises(GiqaError, match=r".{20}"):
        call()


def test_lists_tensors_and_tables_are_features_like_arrays():
    ids = tuple(map(str, range(30)))
    expected = giqa.Features(ids, {"a": FAKES})
    for same in (FAKES.tolist(), torch().tensor(FAKES, requires_grad=False), np.ma.masked_array(FAKES)):
        assert np.array_equal(giqa.Features(ids, {"a": same}).matrix(), expected.matrix())


@pytest.mark.parametrize("by", ["nope", "id", "error"])
def test_rows_are_ranked_by_numbers(by):
    scores = giqa.score(FAKES, real=REALS, scorer="sgm")
    with pytest.raises(BadSpec, match="ranked by a column of numbers: score, z, percentile, z_low, z_high; got"):
        scores.ranked(by)
