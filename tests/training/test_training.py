"""The recipe of training/: views, the student and its ONNX file, a training run of two epochs on made-up teachers."""

import contextlib

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

import export  # noqa: E402
import pictures  # noqa: E402
import teachers  # noqa: E402
from network import CONTENT, SIDE, TAPS, Student  # noqa: E402

import train  # noqa: E402
from giqa.features.embedded import COMPUTED, OUTPUTS, Embedded  # noqa: E402


@pytest.fixture(scope="module")
def sources():
    rng = np.random.default_rng(0)
    some = [rng.integers(0, 256, (90, 120, 3), dtype=np.uint8) for _ in range(100)]
    return {kind: some for kind in pictures.SHARE} | {"procedural": []}


def test_a_view_is_the_same_on_every_run(sources):
    for index in range(40):
        first, second = pictures.view(index, sources), pictures.view(index, sources)
        assert np.array_equal(first.pixels, second.pixels) and np.array_equal(first.damage, second.damage)
        assert first.pixels.dtype == np.uint8 and first.pixels.shape[2] == 3 and min(first.pixels.shape[:2]) >= 32


@pytest.mark.parametrize("kind", pictures.DAMAGES)
def test_damage_changes_a_picture_and_keeps_its_shape(kind, sources):
    picture = pictures.dead_leaves(np.random.default_rng(1), 96)
    damaged = pictures.DAMAGES[kind](picture, 0.8, np.random.default_rng(2), sources)
    assert damaged.shape == picture.shape and damaged.dtype == np.uint8
    assert not np.array_equal(damaged, picture)


@pytest.mark.slow
def test_the_label_says_what_a_generator_made(sources):
    """Of the DCGAN pictures all but the last 64 are generated; nothing else is."""
    views = [(index, pictures.view(index, sources)) for index in range(400)]
    for index, view in views:
        kind, _, number = pictures._choose(np.random.default_rng((pictures.SEED, index)), sources)
        assert view.damage[-1] == (kind == "gan" and number < 100 - pictures.GAN_REALS)
    assert sum(view.damage[-1] for _, view in views) > 3


def test_every_fifth_picture_is_kept_back():
    assert [i for i in range(12) if not pictures.kept_for_training(i)] == [4, 9]


@pytest.fixture(scope="module")
def student():
    torch.manual_seed(0)
    made = Student()
    for block in made.modules():
        if isinstance(block, torch.nn.BatchNorm2d | torch.nn.BatchNorm1d):
            torch.nn.init.uniform_(block.weight, 0.5, 1.5)
            torch.nn.init.normal_(block.bias, 0, 0.2)
    with torch.no_grad():
        made.train()(torch.randn(8, 3, SIDE, SIDE))
    return made.eval()


def test_the_onnx_file_computes_what_the_student_does(student, tmp_path):
    """Against PyTorch; the file's weights are in half precision, worth 1e-2 of the largest."""
    torch.manual_seed(1)
    heads = train.heads_for({name: kept for name, (_, kept, _) in train.WANTED.items()}).eval()
    file = tmp_path / "student.onnx"
    export.export(student, heads, file)
    assert file.stat().st_size < 8e6
    pixels = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    layers = Embedded(layers=list(OUTPUTS), weights=file)([pixels])
    with torch.no_grad():
        expected = student(train.as_input(pixels[None], "cpu"))
        seen = torch.cat([expected["high.mean"], expected["high.std"]], dim=1)
        foretold = [heads.heads[name](seen)[:, :kept] for name, kept in CONTENT.items()]
        expected["content"] = torch.cat(foretold, dim=1)
    assert sorted(expected) == sorted(COMPUTED)
    for name, values in expected.items():
        values = values.numpy()
        made = layers[f"taps.{name}"] if name.startswith(("low", "mid")) else layers[name]
        assert np.abs(made - values).max() <= 1e-2 * np.abs(values).max()
    maps = Embedded(weights=file).maps(pixels)
    assert {tap: m.shape[2] for tap, m in maps.items()} == {tap: channels for tap, (_, channels) in TAPS.items()}


def test_a_target_weighs_directions_by_the_root_of_their_deviation():
    """Uncorrelated, and its variances are the roots of the correlation matrix's eigenvalues, 1 in the mean."""
    rng = np.random.default_rng(0)
    shared = rng.normal(size=(4000, 1))
    near = [shared + 0.1 * rng.normal(size=(4000, 1)) for _ in range(3)]
    rows = np.concatenate([*near, rng.normal(size=(4000, 1))], axis=1)
    target = train.Target.of(rows, 4)(rows)
    roots = np.sqrt(np.linalg.eigvalsh(np.corrcoef(rows.T))[::-1])
    assert target.var(0) == pytest.approx(roots / roots.mean(), rel=0.02)
    assert np.abs(np.corrcoef(target.T) - np.eye(4)).max() < 0.05


@pytest.mark.slow
def test_a_stopped_run_goes_on(tmp_path, monkeypatch, sources):
    """On made-up teachers: stopped after the first of two epochs, it ends with the same weights."""
    n = 8  # views of a shard and of a step
    monkeypatch.setattr(train, "SHARD", n)
    monkeypatch.setattr(train, "BATCH", n)
    # bfloat16 takes minutes on processors without instructions for it, and has nothing to do with going on
    monkeypatch.setattr(torch, "autocast", lambda *device_and_type: contextlib.nullcontext())
    rng = np.random.default_rng(0)
    for shard in range(4):
        views = rng.integers(0, 256, (n, 1, 1, 3)) * np.ones((1, SIDE, SIDE, 1))
        colour = views[:, 0, 0].astype(np.float16) / 255
        names = [f"{name}.{kind}" for name in teachers.LAYERS for kind in ("mean", "std")]
        layers = {name: colour @ rng.normal(size=(3, 20)) for name in names}
        made = {
            "view": views.astype(np.uint8),
            "damage": rng.random((n, len(pictures.DAMAGES) + 1)).astype(np.float16),
        }
        for folder in ("whole", "stopped"):
            (tmp_path / folder).mkdir(exist_ok=True)
            np.savez(tmp_path / folder / f"views-{shard:03}.npz", **made, **layers, MobileNetV2=colour)
    keep = torch.save

    def stop_after(*args):
        keep(*args)
        raise KeyboardInterrupt

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        whole, _ = train.train(tmp_path / "whole", 4 * n, 2, "cpu")
        with monkeypatch.context() as stopping, pytest.raises(KeyboardInterrupt):
            stopping.setattr(torch, "save", stop_after)
            train.train(tmp_path / "stopped", 4 * n, 2, "cpu")
        resumed, _ = train.train(tmp_path / "stopped", 4 * n, 2, "cpu")
    finally:
        torch.set_num_threads(threads)
    for name, values in whole.state_dict().items():
        assert torch.equal(values, resumed.state_dict()[name]), name
    assert not torch.equal(whole.stages[0][0].weight, Student().stages[0][0].weight)
