"""Version 2's recipe: views of domains, version 1 read back from its file, and a run on made-up teachers."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

import domains  # noqa: E402
import export  # noqa: E402
import finetune  # noqa: E402
import pictures  # noqa: E402

from giqa.features import embedded  # noqa: E402

SHIPPED = Path(embedded.__file__).parent / embedded.VERSIONS[1]


@pytest.fixture(scope="module")
def sources():
    rng = np.random.default_rng(0)
    some = [rng.integers(0, 256, (90, 120, 3), dtype=np.uint8) for _ in range(100)]
    return {kind: some for kind in pictures.SHARE} | {"procedural": []}


def test_views_of_a_domain(sources, monkeypatch):
    """The same on every run; the second of a pair has at least as much of the same damage; a grey domain is grey."""
    monkeypatch.setattr(domains, "VIEWS", 8)
    styles = set()
    for index in range(12):
        (made, strengths), (again, _) = (domains.views(index, sources) for _ in range(2))
        assert all(np.array_equal(a, b) for a, b in zip(made, again, strict=True))
        assert len(made) == 8 and (strengths[1::2] >= strengths[0::2]).all()
        assert (np.count_nonzero(strengths[1::2, :-1], axis=1) == 1).all()
        style = domains.domain(index, sources).style
        styles.add(style)
        if style == "grey":
            assert all((picture == picture[..., :1]).all() for picture in made)
    assert {"grey", "as it is"} <= styles


@pytest.mark.parametrize("kind", domains.NAMES[:-1])
def test_every_damage_changes_a_picture(kind, sources):
    picture = pictures.dead_leaves(np.random.default_rng(1), 96)
    found = domains.damaged(picture, kind, 0.8, np.random.default_rng(2), sources)
    assert found.shape == picture.shape and found.dtype == np.uint8 and not np.array_equal(found, picture)


def test_what_ships_is_read_back(tmp_path):
    """The shipped file as a student, and as a file again: what it says of a picture is the same but for rounding."""
    student, content = finetune.read_network(SHIPPED)
    picture = np.random.default_rng(0).integers(0, 256, (192, 192, 3), dtype=np.uint8)
    expected = embedded.Embedded(version=1)([picture])
    with torch.inference_mode():
        found = student(finetune.as_input(picture[None]))
        found["content"] = content(found)
    for name in ("artefacts", "content", "high.mean", "high.std"):
        assert found[name].numpy() == pytest.approx(expected[name], abs=2e-5)
    export.export(student, content, tmp_path / "again.onnx")
    again = embedded.Embedded(weights=tmp_path / "again.onnx")([picture])
    assert all(again[name] == pytest.approx(expected[name], abs=2e-5) for name in expected)


@pytest.mark.slow
def test_a_run_learns_and_goes_on_after_a_stop(tmp_path, monkeypatch, capsys):
    """Four domains of four views, and two that are only looked at; teachers that see the mean colour."""
    for name, value in {"GROUP": 4, "CHECKED": 2}.items():
        monkeypatch.setattr(finetune, name, value)
    monkeypatch.setattr(finetune, "LAYERS", {"Mixed_5d": ("mid", 3, 1.0)})
    rng = np.random.default_rng(0)
    view = rng.integers(0, 256, (6, 4, 192, 192, 3), dtype=np.uint8)
    view = (view * rng.uniform(0.1, 1, (6, 4, 1, 1, 3))).astype(np.uint8)
    damage = np.zeros((6, 4, 13), np.float32)
    damage[:, 1::2, 0] = 0.5
    colour = view.mean((2, 3)).astype(np.float16)
    widths = {"high.mean": 512, "high.std": 512, "content": 128}
    kept = {f"own.{name}": rng.normal(size=(6, 4, n)).astype(np.float16) for name, n in widths.items()}
    shard = {"view": view, "damage": damage, "Mixed_5d.mean": colour, "Mixed_5d.std": colour[..., :1], **kept}
    np.savez(tmp_path / "domains-000.npz", **shard)
    whole = finetune.finetune(tmp_path, SHIPPED, tmp_path / "whole.pt", 3)
    losses = [float(line.split("loss ")[1].split(",")[0]) for line in capsys.readouterr().err.splitlines()]
    assert len(losses) == 3 and losses[2] < losses[0]
    monkeypatch.setattr(torch, "save", stop_after_the_first(torch.save))
    with pytest.raises(KeyboardInterrupt):
        finetune.finetune(tmp_path, SHIPPED, tmp_path / "again.pt", 3)
    monkeypatch.undo()
    for name, value in {"GROUP": 4, "CHECKED": 2, "LAYERS": {"Mixed_5d": ("mid", 3, 1.0)}}.items():
        monkeypatch.setattr(finetune, name, value)
    again = finetune.finetune(tmp_path, SHIPPED, tmp_path / "again.pt", 3)
    for a, b in zip(whole.student.parameters(), again.student.parameters(), strict=True):
        assert torch.equal(a, b)


def stop_after_the_first(save):
    """A `torch.save` that is interrupted once it has written."""

    def stopping(*given):
        save(*given)
        raise KeyboardInterrupt

    return stopping
