"""examples/giqa_plugin: a package of third parties, installed by pip, keeps the contracts and is used by name."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import giqa
from giqa import registry
from giqa.cli import main
from giqa.images import open_source, sources
from giqa.testing import check_extractor, check_metric, check_reference_scorer, check_source

EXAMPLE = Path(__file__).parents[1] / "examples" / "giqa_plugin"


@pytest.fixture(scope="module")
def plugin(tmp_path_factory):
    """What `pip install` makes of the example, first on the path; nothing is fetched."""
    pytest.importorskip("setuptools")
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("installed")
    for file in EXAMPLE.iterdir():
        if file.is_file():  # pip builds in the folder itself
            (source / file.name).write_bytes(file.read_bytes())
    flags = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--target", str(target)]
    subprocess.run([sys.executable, "-m", "pip", "install", *flags, str(source)], check=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(target))
        sources._of_third_parties.cache_clear()
        import giqa_plugin

        yield giqa_plugin
    sources._of_third_parties.cache_clear()
    sys.modules.pop("giqa_plugin", None)


def test_its_four_parts_keep_the_contracts(plugin, tmp_path):
    check_extractor(lambda: registry.make("extractor", "colour"))
    check_reference_scorer(lambda: registry.make("scorer", "middle"))
    check_reference_scorer(lambda: registry.make("scorer", "middle(power=2.0)"))
    check_metric(lambda: registry.make("metric", "shift"))
    pictures = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
    pictures.tofile(tmp_path / "a.rgb64")
    source = open_source(str(tmp_path / "a.rgb64"))
    check_source(source)
    assert isinstance(source, plugin.Rgb64) and np.array_equal(source.raw(2), pictures[2])


def test_they_are_used_by_name(plugin, tmp_path, monkeypatch):
    """By hand: a picture of the reals' mean colour scores above one that is far from it; the file is read again."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for name, level, n in (("reals", 100, 40), ("fakes", 100, 6)):
        grey = rng.normal(level, 10, (n, 1, 1, 3)) + rng.normal(0, 5, (n, 64, 64, 3))
        grey[0] = 250 if name == "fakes" else grey[0]
        grey.clip(0, 255).astype(np.uint8).tofile(f"{name}.rgb64")
    giqa.fit("reals.rgb64", extractor="colour", scorer="middle", store=False).save("reals.giqa")
    scores = giqa.score("fakes.rgb64", model="reals.giqa", store=False)
    assert len(scores) == 6 and scores.z.argmin() == 0
    listed = CliRunner().invoke(main, ["list"]).output
    assert all(name in listed for name in ("colour", "middle", "shift"))


def test_a_broken_file_is_named(plugin, tmp_path):
    (tmp_path / "short.rgb64").write_bytes(b"123")
    with pytest.raises(giqa.errors.BadSource, match="3 bytes"):
        open_source(str(tmp_path / "short.rgb64"))
