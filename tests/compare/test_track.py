import json
import shutil
import warnings

import numpy as np
import pytest
from PIL import Image
from test_cli import giqa

from giqa.compare import compare
from giqa.compare.track import METRICS, Track, answer, track
from giqa.errors import BadSource, BadSpec
from giqa.images import open_source
from giqa.images.iterations import iterations_of

STEPS = (100, 500, 2000)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run that learns: toy pictures under ever less noise in folders by iteration, a table of them, and reals."""
    from giqa.images.toy import write_toy

    root = tmp_path_factory.mktemp("run")
    reals, _ = write_toy(root / "toy", n_real=140, n_fake=4, size=32)
    every = sorted(reals.iterdir())
    rng = np.random.default_rng(0)
    lines = ["image,kind,epoch"]
    for step, noise in zip(STEPS, (60, 30, 5), strict=True):
        folder = root / "samples" / f"v2_iter_{step:06d}"
        folder.mkdir(parents=True)
        for path in every[120:]:
            pixels = np.asarray(Image.open(path), float)
            pixels = np.clip(pixels + noise * rng.normal(size=pixels.shape), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / path.name)
            lines.append(f"samples/{folder.name}/{path.name},generated,{step // 100}")
    (root / "reals").mkdir()
    for path in every[:120]:
        Image.open(path).save(root / "reals" / path.name)
        lines.append(f"reals/{path.name},real,")
    (root / "table.csv").write_text("\n".join(lines) + "\n")
    return root


def test_folders_and_tables_name_iterations(run):
    """The number beside a word for it; or a column, whose empty rows are no checkpoints (see test_iterations)."""
    folders = iterations_of(open_source(run / "samples"))
    assert len(folders) == 60 and sorted(set(folders.values())) == list(STEPS)
    table = iterations_of(open_source(run / "table.csv"))
    assert len(table) == 60 and sorted(set(table.values())) == [1, 5, 20]
    with pytest.raises(BadSource, match="does not say which picture is of which iteration"):
        iterations_of(open_source(run / "reals"))
    (run / "odd.csv").write_text("image,epoch\nreals/x.png,last\n")
    with pytest.raises(BadSpec, match="'last', which is no number"):
        iterations_of(open_source(run / "odd.csv"))


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_best_checkpoint_is_the_last_of_a_run_that_learns(run):
    found = track(run / "samples", run / "reals", metrics="qs,kd,authenticity", layers="low")
    assert found.iterations == STEPS
    for metric in ("qs", "kd"):
        values = found.line(metric)
        rising = values[:, 0] * (-1 if metric == "kd" else 1)
        assert np.all(np.diff(rising) > 0) and found.best(metric) == 2
        assert 2 in found.as_good(metric) and 0 not in found.as_good(metric)
        assert np.all((values[:, 1] < values[:, 0]) & (values[:, 0] < values[:, 2]))
    assert found.best("authenticity") is None and found.as_good("authenticity") == []
    whole = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert whole["best"]["qs"]["iteration"] == 2000 and "verdicts" not in whole
    assert set(whole["generators"]) == {"100", "500", "2000"}


def test_the_command(run, tmp_path):
    """A row an iteration with a star at the best; JSON and a page; the reals of the table are no checkpoint."""
    status, out, err = giqa(
        "track", run / "table.csv", "--real", run / "reals", "--metrics", "qs,coverage",
        "-o", tmp_path / "t.json", "--report", tmp_path / "t.html",
    )  # fmt: skip
    assert status == 0, err
    rows = [line.split("\t") for line in out.splitlines()]
    assert rows[0] == ["iteration", "pictures", "qs", "coverage"]
    assert [row[:2] for row in rows[1:]] == [["1", "20"], ["5", "20"], ["20", "20"]]
    assert [row[2].endswith("*") for row in rows[1:]] == [False, False, True]
    assert "qs: best at 20;" in err
    page = (tmp_path / "t.html").read_text()
    assert page.count("<svg") == 2 and page.count('class="best"') == 2 and str(run) not in page
    assert json.loads((tmp_path / "t.json").read_text())["iterations"] == [1, 5, 20]


def test_one_iteration_is_no_run(run):
    status, _, err = giqa("track", run / "table.csv[epoch=5]", "--real", run / "reals")
    assert status == 2 and "pictures of 1 iterations; at least two are needed" in err


def test_where_iterations_are_not_clear_the_command_refuses_and_the_option_chooses(run, tmp_path):
    """Exit status 2 with the folders that could be meant; `--iteration` takes one; what cannot be read is said."""
    for place, prompt in enumerate(("prompt_0000", "prompt_0001")):
        shutil.copytree(run / "samples" / f"v2_iter_{STEPS[place]:06d}", tmp_path / "run" / prompt)
    (tmp_path / "run" / "prompt_0001" / "broken.png").write_bytes(b"<html>")
    common = ("track", tmp_path / "run", "--real", run / "reals", "--metrics", "qs")
    status, _, err = giqa(*common)
    assert status == 2 and "--iteration 'prompt_{}' (0, 1: prompt_0000/" in err
    status, out, err = giqa(*common, "--iteration", "prompt_{}")
    assert status == 0, err
    assert [line.split("\t")[:2] for line in out.splitlines()[1:]] == [["0", "20"], ["1", "20"]]
    assert "pictures of the run: prompt_0001/broken.png left out: not an image" in err


def test_metrics_by_default_are_there():
    from giqa.registry import names

    assert set(METRICS.split(",")) <= set(names("metric"))


def test_a_metric_of_one_checkpoint_alone_decides_nothing():
    """Recall takes 6 pictures, and one of three checkpoints has them."""
    rng = np.random.default_rng(0)
    sets = {str(step): rng.normal(size=(n, 3)) for step, n in ((100, 2), (200, 20), (300, 3))}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = Track((100.0, 200.0, 300.0), compare(rng.normal(size=(40, 3)), sets, metrics="recall", scorer="sgm"))
    said = "Nothing can be decided: one checkpoint alone can be judged by recall. 200 has the best value by recall."
    assert answer(found) == said


def test_a_checkpoint_of_too_few_pictures_is_neither_used_nor_as_good():
    """The last one has a single picture: nothing is said of it, and it is not the one to use."""
    rng = np.random.default_rng(0)
    sets = {"100": rng.normal(size=(60, 3)) + 3, "200": rng.normal(size=(60, 3)), "300": rng.normal(size=(1, 3))}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = Track((100.0, 200.0, 300.0), compare(rng.normal(size=(100, 3)), sets, metrics="qs,ds", scorer="sgm"))
    said = "Use checkpoint 200; it is better than every other in quality and diversity (95 %); 300 cannot be judged."
    assert answer(found) == said and found.as_good("qs") == [1]
