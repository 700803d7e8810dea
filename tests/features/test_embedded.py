import hashlib
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

import giqa
from giqa.errors import BadSpec, BadWeights, MissingWeights
from giqa.features import embedded
from giqa.features.embedded import VERSIONS, Embedded
from giqa.features.nss import NSS
from giqa.features.statistics import Statistics
from giqa.registry import canonical, make
from giqa.testing import check_extractor

EVERY = ("texture", "nss", "low", "mid", "high", "content", "artefacts")
FOLDER = Path(embedded.__file__).parent


@pytest.fixture(scope="module")
def pictures():
    rng = np.random.default_rng(0)
    sizes = ((64, 64), (192, 192), (300, 200), (7, 500))
    return [rng.integers(0, 256, (*size, 3), dtype=np.uint8) for size in sizes]


def test_layers_and_their_widths(pictures):
    """What the table in the docstring says, for pictures of any size."""
    extractor = Embedded(layers=EVERY)
    layers = extractor(pictures)
    assert list(layers) == list(extractor.outputs)
    taps = {"taps.low": 96, "taps.mid": 256, "high": 512}
    widths = {"pixels.texture": 36, "pixels.nss": 36, "artefacts": 24, "content": 128}
    widths |= {f"{tap}.{kind}": c for tap, c in taps.items() for kind in ("mean", "std")}
    assert {name: rows.shape[1] for name, rows in layers.items()} == widths
    assert all(rows.dtype == np.float32 and np.isfinite(rows).all() for rows in layers.values())


def test_keeps_the_contract_of_extractors():
    check_extractor(lambda: Embedded(layers=EVERY))


@pytest.mark.parametrize(("layer", "extractor"), [("texture", Statistics(scales=2)), ("nss", NSS(scales=2))])
def test_what_is_made_by_hand_is_what_its_extractor_makes(pictures, layer, extractor):
    assert np.array_equal(
        Embedded()(pictures)[f"pixels.{layer}"], np.concatenate(list(extractor(pictures).values()), axis=1)
    )


def test_the_same_bits_from_any_number_of_threads(pictures):
    """Alone, and beside seven others."""
    extractor = Embedded()
    alone = [extractor([picture]) for picture in pictures]
    with ThreadPoolExecutor(8) as pool:
        together = extractor.run(list(pool.map(extractor.prepare, pictures * 4)))
    for name, rows in together.items():
        assert np.array_equal(rows, np.concatenate([one[name] for one in alone] * 4))


def test_pooled_layers_are_mean_and_deviation_of_the_maps(pictures):
    """float64, from the maps, 1e-4 of the largest."""
    extractor = Embedded(layers=EVERY)
    layers = extractor(pictures)
    for row, picture in enumerate(pictures):
        for tap, places in extractor.maps(picture).items():
            places = places.reshape(-1, places.shape[2]).astype(np.float64)
            for kind, expected in (("mean", places.mean(0)), ("std", np.sqrt(places.var(0) + 1e-6))):
                name = f"{tap}.{kind}" if tap == "high" else f"taps.{tap}.{kind}"
                assert np.abs(layers[name][row] - expected).max() <= 1e-4 * np.abs(expected).max()


def test_layers_are_chosen_by_name(pictures):
    """The bits do not depend on what else is asked for; without a choice it is all."""
    everything = Embedded(layers=EVERY)(pictures)
    for layers in (["mid"], "texture", ["high", "nss"]):
        for name, rows in Embedded(layers=layers)(pictures).items():
            assert np.array_equal(rows, everything[name])
    assert tuple(everything) == Embedded().outputs
    for layers in ([], ["middle"]):
        with pytest.raises(BadSpec, match="takes texture, nss, low, mid, high, content, artefacts"):
            _ = Embedded(layers=layers).outputs


def test_crops_are_pooled_as_one_picture(pictures):
    """By hand from the maps of the corners and the middle; the deep tap still sees the whole."""
    picture = pictures[2]  # 300 x 200
    layers, whole = Embedded(layers=EVERY, crops=True)([picture]), Embedded(layers=EVERY)([picture])
    parts = [picture[y : y + 192, x : x + 192] for y, x in ((0, 0), (0, 8), (108, 0), (108, 8), (54, 4))]
    places = np.concatenate([Embedded().maps(part, ["mid"])["mid"].reshape(-1, 256) for part in parts])
    assert layers["taps.mid.mean"][0] == pytest.approx(places.mean(axis=0), abs=1e-4)
    assert layers["taps.mid.std"][0] == pytest.approx(np.sqrt(places.var(axis=0) + 1e-6), abs=1e-4)
    assert np.array_equal(layers["high.mean"], whole["high.mean"])
    assert not np.array_equal(layers["artefacts"], whole["artefacts"])
    small = pictures[1]  # 192 x 192: one crop, all of it
    assert np.array_equal(Embedded(crops=True)([small])["taps.mid.std"], Embedded()([small])["taps.mid.std"])


@pytest.mark.parametrize("crops", [False, True])
def test_layers_and_maps_of_one_run_are_the_same_bits(pictures, crops):
    extractor = Embedded(crops=crops)
    for picture in pictures:
        layers, maps = extractor.prepare_with_maps(picture, ["mid", "high"])
        for name, row in extractor.prepare(picture).items():
            assert np.array_equal(layers[name], row)
        for tap, places in extractor.maps(picture, ["mid", "high"]).items():
            assert np.array_equal(maps[tap], places)


def test_every_layer_has_a_level():
    assert Embedded(layers="mid").levels == {"mid": ("taps.mid.mean", "taps.mid.std")}
    assert sorted(name for names in Embedded().levels.values() for name in names) == sorted(Embedded().outputs)


@pytest.mark.parametrize("version", VERSIONS)
def test_what_ships_is_what_its_card_says(version):
    """At most 8 MB; the card names its digest."""
    file = FOLDER / VERSIONS[version]
    content = file.read_bytes()
    assert len(content) <= 8e6
    assert hashlib.sha256(content).hexdigest() in file.with_suffix(".md").read_text()
    assert Embedded(version).identity()["weights_sha256"] == hashlib.sha256(content).hexdigest()


def test_the_spec_says_the_version():
    assert (
        canonical("extractor", make("extractor", "embedded"))
        == "embedded(crops=False, device='cpu', layers=None, version=2, weights=None)"
    )


def test_errors_say_what_to_do(tmp_path, pictures):
    with pytest.raises(BadSpec, match="is one of 1"):
        Embedded(version=0).prepare(pictures[0])
    with pytest.raises(MissingWeights, match="there is no network"):
        Embedded(weights=tmp_path / "none.onnx").prepare(pictures[0])
    broken = tmp_path / "broken.onnx"
    broken.write_bytes((FOLDER / VERSIONS[1]).read_bytes()[:1000])
    with pytest.raises(BadWeights, match="not an ONNX network"):
        Embedded(weights=broken).prepare(pictures[0])


def test_a_device_that_cannot_be_used_is_refused(pictures, monkeypatch):
    """ONNX Runtime itself takes the CPU in silence: features must not come from it under the name of the GPU."""
    with pytest.raises(BadSpec, match="cpu or cuda, got 'tpu'"):
        Embedded(device="tpu").prepare(pictures[0])
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("there is a GPU here")
    with pytest.raises(BadSpec, match="onnxruntime-gpu"):
        Embedded(device="cuda").prepare(pictures[0])
    monkeypatch.setattr(
        onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider"]
    )  # compiled in, no driver
    with warnings.catch_warnings(), pytest.raises(BadSpec, match="cannot use it here"):
        warnings.simplefilter("ignore")  # of onnxruntime
        Embedded(device="cuda", layers="mid").prepare(pictures[0])


def test_the_identity_names_a_device_that_rounds_otherwise():
    assert "device" not in Embedded().identity()
    assert Embedded(device="cuda").identity() == Embedded().identity() | {"device": "cuda"}


def test_damage_is_seen_on_toy_pictures(toy):
    """Through fit and score: the damaged toy fakes lie below the undamaged ones, which are like reals."""
    scores = giqa.score(toy[1], real=toy[0], extractor="embedded", scorer="multilayer")
    damaged = np.array(["none" not in name for name in scores.id])
    assert np.median(scores.z[~damaged]) > -1.5
    assert np.median(scores.z[damaged]) < -4
