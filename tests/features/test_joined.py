import sys
import types

import numpy as np
import pytest

import giqa
from giqa.errors import BadSpec
from giqa.features.joined import Joined
from giqa.features.statistics import Statistics
from giqa.registry import BUILTIN, canonical, make
from giqa.testing import check_extractor


class Brightness:
    """A second extractor: the mean colour, 3 numbers."""

    outputs = ("brightness",)

    def identity(self):
        return {"extractor": "brightness"}

    def prepare(self, pixels):
        return pixels.mean(axis=(0, 1)).astype(np.float32)

    def run(self, prepared):
        return {"brightness": np.stack(prepared)}

    def __call__(self, pixels):
        return self.run([self.prepare(p) for p in pixels])


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    """`brightness` is on the table of names."""
    module = types.ModuleType("second_extractor")
    module.Brightness = Brightness
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(BUILTIN["extractor"], "brightness", "second_extractor:Brightness")


def test_layers_lie_side_by_side():
    """Each extractor's layers, in the order of the list, as it gives them alone."""
    pictures = list(np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), dtype=np.uint8))
    layers = Joined(["brightness", "statistics"])(pictures)
    alone = Brightness()(pictures) | Statistics()(pictures)
    assert list(layers) == ["brightness", "texture.1", "texture.2"]
    assert all(np.array_equal(layers[name], alone[name]) for name in alone)


def test_with_multilayer_each_layer_counts(toy, tmp_path):
    """Through fit, file and score: two layers, and the spec that brings them back."""
    model = giqa.fit(toy[0], extractor="joined(of=['brightness', 'statistics'])", scorer="multilayer")
    assert model.made_by["chosen"]["layers"] == 2
    assert make("extractor", model.extractor).outputs == ("brightness", "texture.1", "texture.2")
    path = model.save(tmp_path / "m.giqa")
    assert np.array_equal(giqa.score(toy[1], model=path).z, giqa.score(toy[1], model=model).z)


def test_identity_is_that_of_the_parts():
    """Other parts, other features: the store must not mix them up."""
    identities = [dict(Joined([spec]).identity()) for spec in ("statistics(scales=1)", "statistics(scales=2)")]
    assert identities[0] != identities[1] and identities[0]["parts"] == [dict(Statistics(scales=1).identity())]
    assert canonical("extractor", Joined(["statistics"])) == "joined(of=['statistics'])"


@pytest.mark.parametrize("of", ["statistics", [], 3, None])
def test_refuses_what_is_no_list(of):
    with pytest.raises(BadSpec, match="takes a list of specs"):
        Joined(of).identity()


def test_refuses_layers_of_one_name():
    with pytest.raises(BadSpec, match="same name"):
        Joined(["statistics", "statistics(scales=1)"]).identity()


def test_contract():
    """Joined keeps every promise of an extractor."""
    check_extractor(lambda: Joined(["brightness", "statistics"]))


def test_levels_are_those_of_the_parts():
    """In their order; a part that declares nothing adds nothing."""
    Brightness.levels = {"high": ("brightness",), "low": ()}
    try:
        assert Joined(["brightness", "statistics"]).levels == {
            "high": ("brightness",),
            "low": ("texture.1", "texture.2"),
        }
    finally:
        del Brightness.levels
    assert Joined(["brightness", "statistics"]).levels == {"low": ("texture.1", "texture.2")}
