"""A fitted model and the one file it is kept in."""

import dataclasses
import io
import json
import struct

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file, save_file

import giqa
from giqa import registry
from giqa.errors import BadModel, BadShape, BadSpec, MissingSource
from giqa.images.toy import landscape
from giqa.model.file import read_header
from giqa.model.load_model import load
from giqa.types import Features


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GIQA_HOME", str(tmp_path / "home"))


def features(n, d=4, away=0.0, seed=0):
    """Two layers of d and 2 features for n pictures."""
    x = np.random.default_rng(seed).normal(size=(n, d + 2)).astype(np.float32) + np.float32(away)
    return Features(tuple(f"{i}.png" for i in range(n)), {"a": x[:, :d], "b": x[:, d:]})


SCORERS = (
    "knn",
    "knn(k=3)",
    "sgm",
    "gmm(n_components=2)",
    "gmm(n_components=2, covariance='diag', pca=3, shrinkage=0.2)",
)
REALS, FAKES = features(120), features(30, away=1.0, seed=1)


def assert_equal_bits(a, b):
    assert list(a) == list(b)
    for name in a:
        assert np.asarray(a[name]).tobytes() == np.asarray(b[name]).tobytes(), name


def saved(tmp_path, scorer="knn(k=2)", **options):
    model = giqa.fit(REALS, scorer=scorer, **options)
    return model, model.save(tmp_path / "new" / "folder" / "m.giqa")


@pytest.mark.parametrize("preset", registry.PRESETS)
@pytest.mark.parametrize("scorer", SCORERS)
@pytest.mark.filterwarnings("ignore:GMM")
def test_save_and_load_give_the_same_bits(tmp_path, scorer, preset):
    """Every column of scores, the scale, digest, neighbours and all that the model says of itself."""
    model, path = saved(tmp_path, scorer, preset=preset, seed=3)
    loaded = load(path)
    assert_equal_bits(model.columns(FAKES), loaded.columns(FAKES))
    assert_equal_bits(dict(enumerate(model.neighbours(FAKES))), dict(enumerate(loaded.neighbours(FAKES))))
    assert loaded.digest == model.digest
    assert registry.canonical("scorer", loaded.scorer) == registry.canonical("scorer", model.scorer)
    assert loaded.scale.seed == 3 and loaded.made_by == model.made_by
    assert loaded.reals.ids == model.reals.ids and list(loaded.reals.layers) == ["a", "b"]
    assert (loaded.reals.layers["b"] == model.reals.layers["b"]).all() and set(loaded.reals.ids) == set(REALS.ids)
    again = loaded.save(tmp_path / "again.giqa")
    assert again.read_bytes() == path.read_bytes()


def test_giqa_score_takes_a_model_or_its_file(tmp_path):
    """The same table from the reals, the model and its file."""
    model, path = saved(tmp_path)
    tables = [giqa.score(FAKES, model=m) for m in (model, path, str(path))] + [
        giqa.score(FAKES, REALS, scorer="knn(k=2)")
    ]
    for one in tables[1:]:
        assert one.rows() == tables[0].rows() and one.made_by == tables[0].made_by


@pytest.mark.parametrize("k", [np.int64(3), np.int32(3)])
def test_a_numpy_number_as_parameter_survives_the_file(tmp_path, k):
    """Parameters that a loop over an array hands over are read back as numbers."""
    from giqa.scorers.knn import KNN

    model, path = saved(tmp_path, KNN(k=k))
    assert_equal_bits(load(path).columns(FAKES), model.columns(FAKES))
    assert read_header(path)["scorer"] == "knn(k=3, preset='recommended')"


def test_a_failing_save_leaves_the_old_file(tmp_path, monkeypatch):
    """Written under another name and renamed; nothing else is left in the folder."""

    _, path = saved(tmp_path)
    before = path.read_bytes()

    def fail(*_):
        raise OSError("died")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="died"):
        giqa.fit(REALS, scorer="sgm").save(path)
    assert path.read_bytes() == before and list(path.parent.iterdir()) == [path]


# Files that are not a model


def test_a_file_cut_anywhere_is_refused(tmp_path):
    """A sentence with the path and what to do, for 40 lengths, the empty file and all but the last byte."""
    _, path = saved(tmp_path)
    whole, cut = path.read_bytes(), tmp_path / "cut.giqa"
    for length in (*range(0, 64, 7), *range(64, len(whole), len(whole) // 30), len(whole) - 1):
        cut.write_bytes(whole[:length])
        for read in (read_header, load):
            with pytest.raises(BadModel, match=r"cut\.giqa is not a giqa model, or is cut short .*; fit it again"):
                read(cut)


def test_a_file_that_is_something_else_is_refused(tmp_path):
    """A picture, text, JSON, another safetensors file, one whose header is not JSON or not an object."""
    path = tmp_path / "x.giqa"
    picture = io.BytesIO()
    Image.new("RGB", (9, 9)).save(picture, "PNG")
    others = [picture.getvalue(), b"reals", b"{}", struct.pack("<Q", 2) + b"{}", b"\xff" * 100]
    for content in others:
        path.write_bytes(content)
        with pytest.raises(BadModel, match="is not a giqa model"):
            load(path)
    for metadata in (None, {"other": "1"}, {"giqa": "{"}, {"giqa": "5"}, {"giqa": "null"}):
        save_file({"a": np.zeros(3)}, path, metadata)
        with pytest.raises(BadModel, match="is not a giqa model"):
            load(path)


def test_another_file_format_names_both_versions(tmp_path):
    """What the file has and which giqa wrote it; what this giqa is and which format it reads."""
    _, path = saved(tmp_path)
    arrays, header = load_file(path), read_header(path)
    header["format"], header["made_by"]["giqa"] = 7, "4.5.6"
    save_file(arrays, path, {"giqa": json.dumps(header)})
    with pytest.raises(BadModel) as caught:
        load(path)
    message = str(caught.value)
    assert "has file format 7, written by giqa 4.5.6" in message
    assert f"this is giqa {giqa.__version__}, which reads formats 2 and 3" in message
    assert "Fit it again, or use that version" in message


@pytest.mark.parametrize("read", [read_header, load, lambda path: giqa.score(FAKES, model=path)])
def test_a_missing_file_says_how_to_make_one(tmp_path, read):
    message = r"There is no model file .*none\.giqa; make one with: giqa fit REALS -o none\.giqa"
    with pytest.raises(MissingSource, match=message):
        read(tmp_path / "none.giqa")


def test_the_header_is_read_without_the_arrays(tmp_path, monkeypatch):
    """What the model says of itself, as JSON; no array is asked for."""
    import safetensors
    import safetensors.numpy

    _, path = saved(tmp_path)
    opened = safetensors.safe_open

    class HeaderOnly:
        def __init__(self, *args, **options):
            self.file = opened(*args, **options)

        def __enter__(self):
            self.file.__enter__()
            return self

        def __exit__(self, *error):
            self.file.__exit__(*error)

        def metadata(self):
            return self.file.metadata()

    def refuse(*_):
        raise AssertionError("arrays were loaded")

    monkeypatch.setattr(safetensors, "safe_open", HeaderOnly)
    monkeypatch.setattr(safetensors.numpy, "load_file", refuse)
    header = read_header(path)
    assert header["scorer"] == "knn(k=2, preset='recommended')"
    assert header["layers"] == {"a": 4, "b": 2}
    assert header["made_by"]["reals"] == 120 and header["extractor"] is None
    with pytest.raises(AssertionError, match="arrays were loaded"):
        load(path)


# What is in the file


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """30 toy landscapes, as PNG."""
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    for i, pixels in enumerate(landscape(rng, 32) for _ in range(30)):
        Image.fromarray(pixels).save(folder / f"real-{i}.png")
    return folder


def encoded(folder):
    return {i: path.read_bytes() for i, path in enumerate(sorted(folder.iterdir()))}


@pytest.mark.parametrize("extractor", ["statistics", "embedded"])
def test_no_picture_is_in_the_file(pictures, tmp_path, extractor):
    """Neither its encoded bytes nor a row of its pixels; only features, names and an 8x8 thumbnail's worth of info."""
    path = giqa.fit(pictures, extractor=extractor, scorer="sgm").save(tmp_path / "m.giqa")
    content = path.read_bytes()
    for file in encoded(pictures).values():
        pixels = np.asarray(Image.open(io.BytesIO(file)))
        assert file[:64] not in content and file[-64:] not in content
        assert not any(pixels[y].tobytes() in content for y in range(0, 32, 5))
    names = set(load_file(path))
    learned = {name for name in names if name.startswith("content.")}
    assert bool(learned) == (extractor == "embedded")  # a layer of content is what out of domain is told by
    assert all(
        name.startswith("content.parts_.0.")
        for name in learned - {"content.columns_", "content.held_out_", "content.directions_"}
    )
    assert {name for name in names - learned if not name.startswith("scorer.")} == {
        "scale.held_out",
        "reals.matrix",
        "reals.ids",
        "reals.info",
        "reals.detail_1",
    }
    assert load(path).thumbnails is None
    assert b"real-7.png" in content  # names are


def test_thumbnails_are_kept_only_when_given(pictures, tmp_path):
    """As the bytes they were, under their rows, of whatever lengths."""
    kept = {3: encoded(pictures)[3], 0: b"tiny", 29: encoded(pictures)[29]}
    model = dataclasses.replace(giqa.fit(pictures, scorer="sgm"), thumbnails=kept)
    path = model.save(tmp_path / "m.giqa")
    assert kept[3] in path.read_bytes() and encoded(pictures)[4][:64] not in path.read_bytes()
    assert load(path).thumbnails == kept
    assert load(path).digest == model.digest


def test_a_model_of_pictures_survives_the_file(pictures, tmp_path):
    """A real scored again is known as a copy of itself, under any name, after loading too."""
    model = giqa.fit(pictures, scorer="knn")
    loaded = load(model.save(tmp_path / "m.giqa"))
    assert loaded.reals.info.tobytes() == model.reals.info.tobytes()
    a, b = giqa.score(pictures, model=model), giqa.score(pictures, model=loaded)
    assert a.rows() == b.rows()
    assert list(b.duplicate_of) == list(b.id)
    assert (
        loaded.extractor == "embedded(crops=False, device='cpu', layers=None, version=2, weights=None)"
        and loaded.identity == model.identity
    )


# Use


@pytest.mark.filterwarnings("ignore:More than half of the held-out reals")
def test_neighbours_by_hand():
    """On standardised features; the reals 0..19 on a line: next to 7.2 lie 7, 8 and 6, .2, .8 and 1.2 apart."""
    line, query = np.arange(20, dtype=np.float32)[:, None], Features(("x",), {"features": np.float32([[7.2]])})
    for scorer in ("knn", "sgm", "knn(k=3, preset='paper')"):
        model = giqa.fit(line, scorer=scorer)
        rows, distances = model.neighbours(query, k=3)
        assert [model.reals.ids[row] for row in rows[0]] == ["07", "08", "06"]
        assert distances[0] == pytest.approx(np.array([0.2, 0.8, 1.2]) / line.std(), rel=1e-5)


def test_more_neighbours_than_reals_are_all_reals():
    rows, distances = giqa.fit(REALS, scorer="sgm").neighbours(FAKES, k=1000)
    assert rows.shape == distances.shape == (30, 120)
    assert (np.sort(rows, axis=1) == np.arange(120)).all()


@pytest.mark.parametrize(
    ("layers", "got"),
    [
        ({"a": 4}, "a (4)"),
        ({"a": 4, "b": 3}, "a (4), b (3)"),
        ({"a": 4, "c": 2}, "a (4), c (2)"),
        ({"a": 4, "b": 2, "c": 1}, "a (4), b (2), c (1)"),
        ({"features": 6}, "features (6)"),
    ],
)
def test_other_layers_are_refused_with_both_lists(layers, got):
    """Also when the total width would fit."""
    model = giqa.fit(REALS, scorer="sgm")
    wrong = Features(("x",), {name: np.zeros((1, width), np.float32) for name, width in layers.items()})
    with pytest.raises(BadShape) as caught:
        model.score(wrong)
    assert str(caught.value) == f"The model wants the layers a (4), b (2); got {got}."


def test_layers_in_another_order_are_the_same_layers():
    """Layers have names: their order in the mapping cannot change a score."""
    model = giqa.fit(REALS, scorer="sgm")
    turned = Features(FAKES.ids, dict(reversed(FAKES.layers.items())))
    assert_equal_bits(model.columns(FAKES), model.columns(turned))
    assert_equal_bits(dict(enumerate(model.neighbours(FAKES))), dict(enumerate(model.neighbours(turned))))


def test_the_digest_is_what_was_learned(tmp_path):
    """Another real, another value or another k changes it; names, saving and fitting again do not."""
    digest = giqa.fit(REALS, scorer="knn(k=2)").digest
    assert len(digest) == 64
    assert giqa.fit(REALS, scorer="knn(k=2)").digest == digest
    assert load(saved(tmp_path)[1]).digest == digest
    renamed = dataclasses.replace(REALS, ids=tuple(f"{i}.jpg" for i in range(120)))
    assert giqa.fit(renamed, scorer="knn(k=2)").digest == digest
    touched = {name: layer.copy() for name, layer in REALS.layers.items()}
    touched["b"][77, 1] += 0.5
    changed = [
        giqa.fit(Features(REALS.ids, touched), scorer="knn(k=2)"),
        giqa.fit(REALS.rows(slice(0, 119)), scorer="knn(k=2)"),
        giqa.fit(REALS, scorer="knn(k=3)"),
        giqa.fit(REALS, scorer="sgm"),
    ]
    assert len({digest, *(model.digest for model in changed)}) == 5


def test_scores_say_which_model_made_them():
    model = giqa.fit(REALS, scorer="sgm")
    assert giqa.score(FAKES, model=model).made_by == {
        **model.made_by,
        "model_digest": model.digest,
        "shared": list(model.scale.shared),
    }


# Scorers of third parties


class Nearness:
    """Minus the distance to the mean of the reals: no folds, no numbers in an array of its own."""

    def __init__(self, power=1.0):
        self.power = power

    def fit(self, features, y=None):
        self.centre_ = {"mean": features.mean(axis=0)}
        return self

    def score_samples(self, features):
        return -(np.linalg.norm(features - self.centre_["mean"], axis=1) ** self.power).astype(np.float64)


def test_a_third_partys_scorer_gets_the_scale_too():
    """fit and score_samples are enough: z, percentile and interval come from fits without each fold."""
    model = giqa.fit(REALS, scorer=Nearness(2.0))
    x, reals = FAKES.matrix(), REALS.matrix()
    table = giqa.score(FAKES, model=model)
    assert table.score == pytest.approx(-np.sum((x - reals.mean(axis=0)) ** 2, axis=1), rel=1e-4)
    place = [(1 + np.sum(model.scale.held_out <= s)) / 121 for s in table.score]
    assert table.percentile == pytest.approx(np.array(place))
    assert (table.z_low < table.z).all() and (table.z < table.z_high).all()
    assert table.made_by["scorer"].endswith("Nearness(power=2.0)")
    near, far = model.score(features(2, away=0.0))["z"].mean(), model.score(features(2, away=5.0))["z"].mean()
    assert near > far


def test_held_out_scores_have_not_seen_their_fold():
    """By a second, stupid implementation: the scorer fitted again without each real's fold."""
    from giqa.scorers.scale import assign_folds

    model = giqa.fit(REALS, scorer=Nearness(), seed=4)
    matrix = model.reals.matrix()  # in the order in which it was fitted
    folds = assign_folds(np.arange(120), 4)
    for i in range(0, 120, 17):
        alone = Nearness().fit(matrix[folds != folds[i]])
        assert model.scale.held_out[i] == pytest.approx(alone.score_samples(matrix[i : i + 1])[0])


def test_the_digest_of_a_third_partys_model_is_the_same_each_time():
    """It is made of what was learned, not of where that lies in memory; another real changes it."""
    digests = {giqa.fit(REALS, scorer=Nearness()).digest for _ in range(3)}
    assert len(digests) == 1
    assert giqa.fit(REALS.rows(slice(0, 119)), scorer=Nearness()).digest not in digests


def test_a_scorer_whose_state_is_not_arrays_is_not_saved(tmp_path):
    """Files hold no pickles: a sentence names the scorer, and no file is left."""
    model = giqa.fit(REALS, scorer=Nearness())
    with pytest.raises(BadModel, match=r"Nearness cannot be kept in a file: parts_\.0\.centre_ is not a numeric array"):
        model.save(tmp_path / "m.giqa")
    assert list(tmp_path.iterdir()) == []


class Folding:
    """A third party's scorer that does hold out folds; what it learned is what a test makes of it."""

    def __init__(self, learn=None):
        self.learn = learn

    def fit(self, features, y=None, folds=None):
        self.extra_ = self.learn
        self.held_out_ = -np.arange(len(features), dtype=float)
        return self

    def score_samples(self, features):
        return -np.arange(len(features), dtype=float)

    def score_folds(self, features):
        return np.repeat(self.score_samples(features)[:, None], 5, axis=1)

    def score_with_deviation(self, features):
        return self.score_samples(features), np.zeros(len(features))


@pytest.mark.parametrize("state", [[[1], [1, 2]], {"a": 1}, "text", ["a"], object(), [None]])
def test_each_kind_of_state_that_is_not_numbers_is_refused(tmp_path, state):
    """Ragged lists, mappings, text, objects; the digest passes over them."""
    model = giqa.fit(REALS, scorer=Folding(state))
    with pytest.raises(BadModel, match="Folding cannot be kept in a file: extra_ is not a numeric array"):
        model.save(tmp_path / "m.giqa")
    assert len(model.digest) == 64


def test_a_scorer_without_a_name_is_not_saved(tmp_path):
    """Its file could not say what to load: it is refused when saved, not when somebody else loads it."""
    message = r"Folding cannot be kept in a file: it has no name; add it to the entry points giqa\.scorers"
    with pytest.raises(BadModel, match=message):
        giqa.fit(REALS, scorer=Folding([1.0, 2.0])).save(tmp_path / "m.giqa")


def test_a_registered_third_partys_scorer_is_saved_and_loaded(tmp_path, monkeypatch):
    """By the name of its entry point."""
    import sys
    import types

    module = types.ModuleType("a_third_party")
    module.Folding = Folding
    monkeypatch.setitem(sys.modules, "a_third_party", module)
    monkeypatch.setattr(Folding, "__module__", "a_third_party")
    monkeypatch.setitem(registry.BUILTIN["scorer"], "folding", "a_third_party:Folding")
    model = giqa.fit(REALS, scorer="folding(learn=[1.0, 2.0])")
    loaded = load(model.save(tmp_path / "m.giqa"))
    assert loaded.scorer.extra_.tolist() == [1.0, 2.0]
    assert_equal_bits(loaded.columns(FAKES), model.columns(FAKES))
    assert loaded.digest == model.digest


def test_a_flipped_bit_is_found_out(tmp_path):
    """The checksum in the header is checked: a damaged file is refused, not scored with."""
    path = giqa.fit(REALS, scorer="knn").save(tmp_path / "m.giqa")
    content = bytearray(path.read_bytes())
    place = content.find(np.ascontiguousarray(load(path).scale.held_out).tobytes())
    content[place + 5] ^= 1
    path.write_bytes(content)
    with pytest.raises(BadModel, match="does not have the checksum it was saved with"):
        load(path)


def test_neighbours_take_what_score_takes(tmp_path):
    """Of 0, 1 and 10 along one axis, 9 is nearest to the third real."""
    reals = np.repeat(np.array([[0.0], [1.0], [10.0]], np.float32), 10, axis=0) + np.arange(30)[:, None] / 1000
    model = giqa.fit(reals, scorer="knn(k=1)")
    assert int(model.neighbours(np.array([[9.0]], np.float32), 1)[0][0, 0]) == 20
    for wrong in ("x", np.zeros((1, 2), np.float32)):
        with pytest.raises(BadShape):
            model.neighbours(wrong)
    with pytest.raises(BadSpec, match="k is a whole number"):
        model.neighbours(reals, 0)
    with pytest.raises(BadSpec, match="is a folder"):
        model.save(tmp_path)
    for name in ("progress", "runner"):
        with pytest.raises(BadSpec, match=name):
            giqa.fit(np.zeros((30, 8, 8, 3), np.uint8), "statistics", store=False, **{name: "local"})
