"""Realism as people judge it: one file, and the same p for a picture in any company."""

import dataclasses

import numpy as np
import pytest

import giqa
from giqa.api import score
from giqa.errors import BadModel, BadSpec, MissingSource
from giqa.features.embedded import Embedded
from giqa.images import open_source
from giqa.images.decode import decode
from giqa.p_real.columns import Sums, check_maps
from giqa.p_real.distances import LayerDistances
from giqa.p_real.file import is_realism, load_realism, read_realism_header
from giqa.p_real.model import Realism
from giqa.scorers.human import HumanModel
from giqa.scorers.multilayer import MultiLayer
from giqa.scorers.scale import Scale
from giqa.types import Features

TAPS = ("high", "mid")
P = ("p_real", "p_real_low", "p_real_high")


def maps_of(pictures, most):
    network = Embedded()
    return [network.maps(decode(pictures.raw(i)).pixels, TAPS) for i in range(most)]


def model_of(x, seed=0):
    rng = np.random.default_rng(seed)
    logged = np.log1p(x[:, 0])
    p = 1 / (1 + np.exp((logged - logged.mean()) / logged.std()))
    names = [f"{tap}.distance" for tap in TAPS]
    features = Features(tuple(map(str, range(len(x)))), {n: c[:, None] for n, c in zip(names, x.T, strict=True)})
    return HumanModel(resamples=20, seed=seed).fit(features, np.c_[np.full(len(x), 9), rng.binomial(9, p)])


@pytest.fixture(scope="module")
def made(toy):
    """A model of made-up votes on the toy fakes, with 12 references, variant A."""
    distances = LayerDistances().fit(maps_of(open_source(toy[0]), 12), 12)
    x = distances.sums(maps_of(open_source(toy[1]), 24))
    scale = Scale(np.random.default_rng(0).normal(size=30))
    spec = "embedded(crops=False, layers=None, version=2, weights=None)"
    return Realism(model_of(x), distances, spec, TAPS, distances.digest(), None, scale, {"reals_failed": 0})


@pytest.fixture(scope="module")
def file(made, tmp_path_factory):
    return made.save(tmp_path_factory.mktemp("realism") / "people.giqa")


def test_p_is_that_of_distances_computed_by_hand(toy, made):
    """At each place the distance to the nearest reference, one by one; their sum; log1p, standardised, weighted."""
    references, wanted = maps_of(open_source(toy[0]), 12), maps_of(open_source(toy[1]), 3)
    found = score(toy[1], model=made)
    for i in range(3):
        logits = made.model.coefficients_[0]
        for column, tap in enumerate(TAPS):
            halves = np.stack([one[tap].astype(np.float16).astype(np.float64) for one in references])
            total = np.linalg.norm(wanted[i][tap] - halves, axis=-1).min(axis=0).sum()
            z = (np.log1p(total) - made.model.mean_[column]) / made.model.spread_[column]
            logits += made.model.coefficients_[1 + column] * z
        assert found.p_real[i] == pytest.approx(1 / (1 + np.exp(-logits)), abs=2e-4)
        assert found.score[i] == pytest.approx(logits, abs=1e-3)


def test_a_picture_has_the_same_p_in_any_company(toy, made):
    """Bit by bit: alone, in another order, among more than a step holds, with any number of workers, stored or not."""
    source = open_source(toy[1])
    pixels = [decode(source.raw(i)).pixels for i in range(24)]
    all_ = score(pixels, model=made, store=False)
    alone = score(pixels[5:6], model=made, store=False, workers=1)
    order = np.random.default_rng(0).permutation(24)
    mixed = score([pixels[i] for i in order], model=made, workers=3)
    many = score(pixels * 3, model=made)
    for name in P:
        values = getattr(all_, name)
        assert getattr(alone, name)[0] == values[5]
        assert np.array_equal(getattr(mixed, name), values[order])
        assert np.array_equal(getattr(many, name), np.tile(values, 3))


def test_the_usual_table_stays_and_three_columns_join(toy, file):
    plain, told = score(toy[1], toy[0]), score(toy[1], toy[0], human=file)
    for column in plain.columns:
        assert list(map(str, getattr(plain, column))) == list(map(str, getattr(told, column)))
    assert [name for name in told.columns if name not in plain.columns] == list(P)
    assert told.columns[6:9] == P and plain.p_real is None
    assert told.made_by["human"]["digest"] == load_realism(file).digest


def test_what_was_measured_is_not_measured_again(toy, made, monkeypatch):
    """Stopped at any moment, the same command goes on: sums are in the feature store."""
    first = score(toy[1], model=made)
    monkeypatch.setattr(LayerDistances, "sums", None)
    monkeypatch.setattr(Embedded, "maps", None)
    assert np.array_equal(score(toy[1], model=made).p_real, first.p_real)


def test_other_references_are_another_place_in_the_store(toy, made):
    other = LayerDistances().fit(maps_of(open_source(toy[0]), 11), 11)
    assert Sums(other, Embedded(), TAPS).identity() != made.sums.identity()


def test_a_picture_that_cannot_be_read_has_no_p(toy, tmp_path, made):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    for i, path in enumerate(sorted(toy[1].iterdir())[:2]):
        (tmp_path / f"{i}.png").write_bytes(path.read_bytes())
    for found in (score(tmp_path, model=made), score(tmp_path, toy[0], human=made)):
        bad = np.array([bool(error) for error in found.error])
        assert bad.sum() == 1 and np.isnan(found.p_real[bad]).all() and np.isfinite(found.p_real[~bad]).all()


def test_alone_it_gives_log_odds_on_the_scale_of_held_out_reals(toy, made):
    found = score(toy[1], model=made)
    assert found.score == pytest.approx(np.log(found.p_real / (1 - found.p_real)))
    assert found.z == pytest.approx((found.score - made.scale.median) / made.scale.spread)
    assert np.all((found.z_low < found.z) & (found.z < found.z_high))
    unscaled = score(toy[1], model=dataclasses.replace(made, scale=None))
    assert np.isnan(unscaled.z).all() and np.array_equal(unscaled.p_real, found.p_real)


def test_a_file_gives_the_same_p(toy, made, file):
    assert is_realism(file) and not is_realism(file.with_name("absent.giqa"))
    read = load_realism(file)
    assert read.digest == made.digest and read.distances.layers == TAPS
    assert np.array_equal(score(toy[1], model=file, store=False).p_real, score(toy[1], model=made, store=False).p_real)
    assert read_realism_header(file)["taps"] == list(TAPS)
    reference = LayerDistances.open(file).reference_
    assert isinstance(reference.vectors["high"], np.memmap)


def test_alone_it_says_with_how_many_reals_it_compares(toy, made):
    """The 30 of its scale, so that both shares have an interval."""
    scores = score(toy[1], model=made)
    assert scores.made_by["reals"] == 30 and scores.headline().reals == 30
    assert np.isfinite(scores.headline().within.low) and "does not know" not in scores.headline().verdict


def test_an_ordinary_model_is_none_of_people(toy, tmp_path):
    ordinary = giqa.fit(toy[0]).save(tmp_path / "reals.giqa")
    assert not is_realism(ordinary)
    with pytest.raises(BadModel, match="a model of real pictures, not of people"):
        score(toy[1], toy[0], human=ordinary)
    with pytest.raises(MissingSource, match="giqa train human"):
        load_realism(tmp_path / "absent.giqa")


@pytest.mark.parametrize("where", ["references", "squares", "model", "end"])
def test_a_damaged_file_is_refused(file, tmp_path, where):
    content = bytearray(file.read_bytes())
    made = load_realism(file)
    if where == "end":
        content = content[:-10]
    else:
        reference = made.distances.reference_
        parts = {"references": reference.vectors["mid"], "squares": reference.squares["mid"]}
        what = parts.get(where, made.model.draws_)
        place = content.find(np.ascontiguousarray(what).tobytes()[:64])
        content[place + 8 : place + 16] = bytes(8)
    (tmp_path / "damaged.giqa").write_bytes(content)
    with pytest.raises(BadModel, match=r"damaged|cut short"):
        load_realism(tmp_path / "damaged.giqa")


def test_no_column_is_believed_far_beyond_the_labelled_pictures(made):
    """At 4 spreads of log(1 + distance) from their mean p stays what it is, however much farther a picture lies."""
    mean, spread = made.model.mean_, made.model.spread_

    def p(steps):
        layers = {
            f"{tap}.distance": np.expm1(mean[i : i + 1] + steps * spread[i])[:, None] for i, tap in enumerate(TAPS)
        }
        return made.p_real(Features(("a",), layers))["p_real"][0]

    assert p(4.0) == pytest.approx(p(7.0), abs=1e-9) and p(-4.0) == pytest.approx(p(-9.0), abs=1e-9)
    assert abs(p(3.0) - p(4.0)) > 1e-3 and abs(p(-3.0) - p(-4.0)) > 1e-6


def test_another_network_is_refused(made):
    other = dataclasses.replace(made, made_by={"maps": {"extractor": "embedded", "version": 0}})
    with pytest.raises(BadModel, match="other maps"):
        other.sums  # noqa: B018


def test_features_are_refused_in_plain_words(made):
    with pytest.raises(BadSpec, match="from pictures"):
        score(np.zeros((3, 4)), model=made)
    with pytest.raises(BadSpec, match="from pictures"):
        score(np.zeros((3, 4)), np.random.default_rng(0).normal(size=(30, 4)), human=made)


def test_z_of_pooled_layers_join_the_distances(toy, tmp_path):
    """Beside the sums stand the z that the density scorer gives the picture's own features; kept in the file too."""
    reals, fakes = (giqa.extract(where).features for where in toy)
    densities = MultiLayer().fit(reals)
    distances = LayerDistances("B", vectors=50).fit(maps_of(open_source(toy[0]), 4), 4)
    measured = giqa.extract(toy[1], Sums(distances, Embedded(), TAPS, densities=densities)).features
    assert list(measured.layers) == ["high.distance", "mid.distance", "pixels.z", "taps.z", "artefacts.z"]
    z = np.concatenate([measured.layers[f"{name}.z"] for name in ("pixels", "taps", "artefacts")], axis=1)
    assert z == pytest.approx(densities.layer_z(fakes), rel=1e-5)
    votes = np.c_[np.full(24, 3), np.arange(24) % 4]
    model = HumanModel(resamples=10).fit(measured, votes)
    spec = "embedded(crops=False, layers=None, version=2, weights=None)"
    made = Realism(model, distances, spec, TAPS, distances.digest(), densities=densities)
    read = load_realism(made.save(tmp_path / "people.giqa"))
    assert read.digest == made.digest
    found = score(toy[1], model=read, store=False)
    assert np.array_equal(found.p_real, score(toy[1], model=made).p_real)
    assert found.p_real == pytest.approx(model.p_real(measured)[0])


@pytest.mark.parametrize(("content_of", "runs"), [(2, 1), (1, 2)])
def test_one_run_of_a_network_gives_all_that_is_asked_of_it(toy, monkeypatch, content_of, runs):
    """Maps, pooled layers and content; another version's content takes a run of its own. The same bits either way."""
    network, content = Embedded(), Embedded(version=content_of, layers=["content"])
    distances = LayerDistances("B", vectors=50).fit(maps_of(open_source(toy[0]), 4), 4)
    sums = Sums(distances, network, TAPS, content=content, pooled=True)
    picture, asked, real = decode(open_source(toy[1]).raw(0)).pixels, [], Embedded._network

    def counted(self):
        asked.append(self.version)
        return real(self)

    monkeypatch.setattr(Embedded, "_network", counted)
    maps, pooled, seen, _ = sums.prepare(picture)
    assert len(asked) == runs
    for given, alone in (
        (maps, network.maps(picture, TAPS)),
        (pooled, network.prepare(picture)),
        (seen, content.prepare(picture)),
    ):
        assert given.keys() == alone.keys() and all(np.array_equal(given[name], alone[name]) for name in alone)


def test_layers_are_those_of_the_network():
    assert check_maps(Embedded(), None) == ("mid", "high")
    assert check_maps(Embedded(), ["mid"]) == ("mid",)

    class Inception:  # a file that ends early has five of the paper's seven
        def maps(self, pixels, taps):
            raise AssertionError("its names are enough")

        def taps(self):
            return ("Conv2d_1a_3x3", "Conv2d_2b_3x3", "Conv2d_3b_1x1", "MaxPool_5a_3x3", "Mixed_5d", "Mixed_6e")

    five = ("Conv2d_1a_3x3", "Conv2d_2b_3x3", "Conv2d_3b_1x1", "Mixed_5d", "Mixed_6e")
    assert check_maps(Inception(), None) == five

    class Own:
        def maps(self, pixels, taps): ...

    with pytest.raises(BadSpec, match="--layers"):
        check_maps(Own(), None)


def test_scripts_of_before_read_human_models_from_here():
    from giqa.p_real import model

    assert model.load_realism is load_realism and model.is_realism is is_realism
