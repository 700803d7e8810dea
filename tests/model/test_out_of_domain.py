"""What a picture shows, apart from how well: flags of reals, of foreign pictures, and what decides them."""

import numpy as np
import pytest

import giqa
from giqa.model.load_model import load
from giqa.model.out_of_domain import LEFT_OUT, Content, content_columns, damage_of
from giqa.scorers.scale import assign_folds
from giqa.types import Features


def pictures(n, high=0.0, low=0.0, seed=0):
    """A low layer of 4 columns and a deep one of 12, each a Gaussian blob around `low` and `high`."""
    rng = np.random.default_rng(seed)
    layers = {
        "texture": rng.normal(low, 1, (n, 4)),
        "deep.mean": rng.normal(high, 1, (n, 12)),
        "deep.std": rng.normal(high, 1, (n, 12)),
    }
    levels = {"levels": {"low": ["texture"], "high": ["deep.mean", "deep.std"]}}
    arrays = {name: layer.astype(np.float32) for name, layer in layers.items()}
    return Features(tuple(f"{seed}-{i}" for i in range(n)), arrays, made_by=levels)


def fitted(n, seed=0):
    return Content().fit(pictures(n, seed=seed), folds=assign_folds(np.arange(n), 0))


@pytest.mark.parametrize("n", [50, 100, 300])
def test_fresh_reals_are_rarely_flagged_and_another_blob_always(n):
    """Of 20 x 100 fresh reals at most 2 %; of another blob, four deviations away in each dimension, all."""
    flagged = [fitted(n, seed=s).outside(pictures(100, seed=1000 + s)).mean() for s in range(20)]
    assert np.mean(flagged) <= 0.02
    assert all(fitted(n, seed=s).outside(pictures(100, high=4.0, seed=2000)).all() for s in range(3))


def test_heavy_tails_are_held_by_the_share_of_reals():
    """Where many reals lie far out, the second condition keeps fresh reals at 2 %."""
    rng = np.random.default_rng(0)

    def heavy(n):
        x = rng.standard_t(0.6, (n, 3)).astype(np.float32)
        return Features(tuple(map(str, range(n))), {"deep": x}, made_by={"levels": {"high": ["deep"]}})

    reals = heavy(400)
    content = Content().fit(reals, folds=np.arange(400) % 5)
    assert content.strays().mean() > 0.05
    assert content.outside(heavy(4000)).mean() <= 0.03


def test_damage_is_no_content():
    """What lies off along a direction of damage alone is in domain, along another one it is not."""
    damage = np.eye(12)[:2]
    content = Content(damage=damage).fit(pictures(200), folds=assign_folds(np.arange(200), 0))
    plain, away = fitted(200), pictures(50, seed=9)
    for column, flagged in ((4, 0.0), (4 + 7, 1.0)):  # four columns of texture come first
        moved = away.matrix()
        moved[:, column] += 400
        assert plain.outside(moved).all() and content.outside(moved).mean() == pytest.approx(flagged, abs=0.04)
    assert content.outside(away.matrix()[:1])[0] == content.outside(away.matrix())[0]


@pytest.mark.parametrize(("along", "flagged"), [((0.6, 0.8), 0.0), ((0.8, -0.6), 1.0)])
def test_a_slanted_direction_of_damage_is_left_out(along, flagged):
    """Roots moved along (3, 4) / 5 of two columns stay in domain; moved across it they do not."""
    content = Content(damage=np.eye(12)[:1] * 0.6 + np.eye(12)[1:2] * 0.8)
    content.fit(pictures(200), folds=assign_folds(np.arange(200), 0))
    moved = pictures(50, seed=9).matrix()
    deep = moved[:, 4:6]  # four columns of texture come first
    roots = np.sign(deep) * np.sqrt(np.abs(deep)) + 20 * np.array(along)
    moved[:, 4:6] = np.sign(roots) * roots**2
    assert content.outside(moved).mean() == pytest.approx(flagged, abs=0.04)


def test_the_embedded_network_has_its_directions():
    """Orthonormal; other extractors have none, and a model keeps them."""
    how = {"extractor": "embedded", "version": 1, "levels": {"high": ["content"]}}
    features = Features(("a",), {"content": np.zeros((1, 128), np.float32)}, made_by=how)
    found = damage_of(features)
    assert found.shape == (LEFT_OUT, 128) and found @ found.T == pytest.approx(np.eye(LEFT_OUT), abs=1e-5)
    assert damage_of(pictures(3)).shape[0] == 0


def test_what_only_the_low_layer_sees_is_not_content():
    """A picture that is off in texture alone, however far, is in domain."""
    assert not fitted(100).outside(pictures(50, low=50.0, seed=3)).any()


def test_the_rule_by_a_second_implementation():
    """Yes when more than 2.5 x 1.4826 x MAD below the median, and (1 + reals as low) / (n + 1) is at most .02."""
    content = fitted(150)
    queries = pictures(400, seed=5)
    queries = Features(
        queries.ids, {n: x * np.linspace(0.5, 3, 400)[:, None].astype("f4") for n, x in queries.layers.items()}
    )
    deep = queries.layers["deep.mean"]
    score = content.parts_[0].score_samples(np.copysign(np.abs(deep) ** 0.5, deep))
    h = content.held_out_
    spread = 1.4826 * np.median(np.abs(h - np.median(h)))
    expected = [bool(s < np.median(h) - 2.5 * spread and (1 + np.sum(h <= s)) / 151 <= 0.02) for s in score]
    assert content.outside(queries).tolist() == expected and 0 < sum(expected) < 400


@pytest.mark.parametrize(
    ("levels", "columns"),
    [
        ({"high": ["b.mean", "b.std"]}, [2, 3, 4]),
        ({"high": ["b.std"]}, [5, 6, 7]),
        ({"high": ["b.mean", "b.std", "c"]}, [8]),
        ({"high": ["gone"], "low": ["a"]}, None),
        ({}, None),
    ],
)
def test_the_deepest_layer_counts_and_its_mean(levels, columns):
    """The last that is high; the mean of a pair; None where no layer is high."""
    widths = {"a": 2, "b.mean": 3, "b.std": 3, "c": 1}
    layers = {name: np.zeros((1, width), np.float32) for name, width in widths.items()}
    found = content_columns(Features(("x",), layers, made_by={"levels": levels}))
    assert columns == (None if found is None else found.tolist())


def test_through_fit_file_and_score(tmp_path):
    """Model, its file and the table say the same; alone as in a batch; the digest covers it."""
    reals, fakes = pictures(80), pictures(12, high=4.0, seed=1)
    mixed = {name: np.concatenate([fakes.layers[name], pictures(12, seed=2).layers[name]]) for name in fakes.layers}
    queries = Features(tuple(map(str, range(24))), mixed, made_by=reals.made_by)
    model = giqa.fit(reals, scorer="multilayer")
    path = model.save(tmp_path / "m.giqa")
    table = giqa.score(queries, model=model)
    assert list(table.out_of_domain) == ["yes"] * 12 + ["no"] * 12
    assert list(giqa.score(queries, model=path).out_of_domain) == list(table.out_of_domain)
    assert load(path).digest == model.digest != giqa.fit(reals, scorer="multilayer", seed=1).digest
    assert load(path).save(tmp_path / "again.giqa").read_bytes() == path.read_bytes()
    alone = [giqa.score(queries.rows(slice(i, i + 1)), model=model).out_of_domain[0] for i in range(24)]
    assert alone == list(table.out_of_domain)
    assert table.summary()["out_of_domain"] == 12
    assert table.made_by["layers"] == ["texture"]  # content decides no score


def test_the_digest_covers_it():
    """Another deep value changes the digest, though the score, which reads the low layer alone, stays."""
    reals = pictures(60)
    touched = {name: layer.copy() for name, layer in reals.layers.items()}
    touched["deep.mean"][3, 3] += 0.5
    one = giqa.fit(reals, scorer="multilayer")
    other = giqa.fit(Features(reals.ids, touched, made_by=reals.made_by), scorer="multilayer")
    assert np.array_equal(one.scale.held_out, other.scale.held_out) and one.digest != other.digest


def test_without_a_deep_layer_nothing_is_known(toy):
    """Empty in the table, None in the summary."""
    table = giqa.score(toy[1], real=toy[0], extractor="statistics")
    assert set(table.out_of_domain) == {""} and table.summary()["out_of_domain"] is None


def test_mirrored_reals_count_once(toy, monkeypatch):
    """With flip the share of reals as low is still of the reals themselves."""
    from giqa.features.statistics import Statistics

    monkeypatch.setattr(Statistics, "levels", property(lambda self: {"low": ("texture.1",), "high": ("texture.2",)}))
    model = giqa.fit(toy[0], extractor="statistics", flip=True)
    assert len(model.content.held_out_) == 60 and len(model.reals) == 120
