"""Scores in and out of the tables of others: Arrow, polars, Hugging Face datasets, FiftyOne, Label Studio, ComfyUI."""

import csv
import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from giqa.errors import BadSpec
from giqa.images import open_source
from giqa.integrations.label_studio import write_predictions
from giqa.integrations.tables import COLUMNS, FIFTYONE_FIELDS, AddScores, to_arrow, to_fiftyone, to_polars
from giqa.model.fit import fit
from giqa.votes.exchange import read_label_studio

PICTURES = np.random.default_rng(0).integers(0, 256, (40, 12, 12, 3), dtype=np.uint8)
FAKES = PICTURES[:6] // 2


@pytest.fixture(scope="module")
def model():
    return fit(PICTURES, "statistics", "sgm", store=False)


@pytest.fixture
def folder(tmp_path):
    for n, picture in enumerate(FAKES):
        Image.fromarray(picture).save(tmp_path / f"{n}.png")
    (tmp_path / "6.png").write_bytes(b"no picture")
    return tmp_path


@pytest.fixture
def scores(model, folder):
    return model.score(folder, store=False)


def test_arrow_and_polars_out(scores):
    """The columns of the table; what is missing is null; `made_by` travels with Arrow."""
    table = to_arrow(scores)
    assert table.column_names == list(scores.columns) and table["z"].null_count == 1
    assert json.loads(table.schema.metadata[b"giqa"])["scorer"] == scores.made_by["scorer"]
    assert table["z"].to_pylist()[:6] == scores.z[:6].tolist()
    pytest.importorskip("polars")
    frame = to_polars(scores)
    assert frame.columns == list(scores.columns) and frame["z"].to_list() == table["z"].to_pylist()


def test_an_arrow_table_in_memory_is_pictures(folder):
    """Bytes in a column, other columns as text."""
    pyarrow = pytest.importorskip("pyarrow")
    raws = [(folder / f"{n}.png").read_bytes() for n in range(6)]
    source = open_source(pyarrow.table({"id": [f"p{n}" for n in range(6)], "image": raws, "label": [1] * 6}))
    assert list(source.ids) == [f"p{n}" for n in range(6)] and source.raw(3) == raws[3]
    assert source.columns["label"][0] == "1"


def test_map_adds_columns_to_a_dataset(model, folder, scores):
    """Decoded pictures and paths alike, whatever the batch; a broken file has a reason and no score."""
    datasets = pytest.importorskip("datasets")
    paths = [str(folder / f"{n}.png") for n in range(7)]
    add = AddScores(model)
    found = datasets.Dataset.from_dict({"image": paths}).map(add, batched=True, batch_size=2)
    assert found["giqa_z"][:6] == scores.z[:6].tolist() and found["giqa_z"][6] is None and found["giqa_error"][6]
    good = datasets.Dataset.from_dict({"image": paths[:6]}).cast_column("image", datasets.Image())
    assert good.map(add, batched=True)["giqa_z"][:] == scores.z[:6].tolist()
    raw = good.cast_column("image", datasets.Image(decode=False))
    assert raw.map(AddScores(model, columns=["z"]), batched=True)["giqa_z"][:] == scores.z[:6].tolist()
    with pytest.raises(BadSpec, match="no column 'picture' of pictures; there are image"):
        AddScores(model, "picture")({"image": []})


class Samples:
    """What `to_fiftyone` uses of a fiftyone.Dataset: `values` of a field and `set_values`, one a sample, in order."""

    def __init__(self, paths):
        self.fields = {"filepath": paths}

    def values(self, field):
        return self.fields[field]

    def set_values(self, field, values):
        assert len(values) == len(self.fields["filepath"])
        self.fields[field] = values


def test_fiftyone_gets_fields(scores, folder):
    """By path, whatever the order of the samples; one that was not scored gets None."""
    samples = Samples([f"/data/{n}.png" for n in (3, 6, 0, 99)])
    names = to_fiftyone(scores, samples)
    assert names == [f"giqa_{name}" for name in COLUMNS]
    assert samples.fields["giqa_z"] == [scores.z[3], None, scores.z[0], None]
    assert samples.fields["giqa_error"][1] == scores.error[6]


def test_fiftyone_can_read_a_table_of_scores(scores, tmp_path):
    """By its CSVDataset: a column of names relative to the pictures, and a parser for each field; empty is no value."""
    rows = list(csv.DictReader(scores.write(tmp_path / "out" / "scores.csv").open()))
    for row, name in zip(rows, scores.id, strict=True):
        assert row["id"] == name
        found = {field: parse(row[field]) for field, parse in FIFTYONE_FIELDS.items() if row[field]}
        assert "id" not in found and ("z" in found) == (not found.get("error"))


def test_label_studio_pre_annotations_and_votes(scores, tmp_path):
    """A prediction for each picture with a score, and answers to these tasks come back as votes."""
    path = write_predictions(tmp_path / "out" / "tasks.json", scores, url=lambda name: f"/data/{name}")
    tasks = json.loads(path.read_text())
    assert [len(task["predictions"]) for task in tasks] == [1] * 6 + [0]
    for task, percentile in zip(tasks[:6], scores.percentile, strict=False):
        (prediction,) = task["predictions"]
        said = prediction["result"][0]["value"]["choices"]
        assert prediction["score"] == percentile and said == ["fake" if percentile <= 0.05 else "real"]
    answer = {"type": "choices", "from_name": "answer", "to_name": "image", "value": {"choices": ["real"]}}
    for task in tasks[:2]:
        task["annotations"] = [{"completed_by": 1, "result": [answer]}]
    path.write_text(json.dumps(tasks[:2]))
    with pytest.warns(UserWarning, match="not counted: 2 predicted by a model"):
        votes = read_label_studio(path)
    assert votes.image.tolist() == list(scores.id[:2]) and votes.said_real.tolist() == [True, True]


def test_comfyui_node_sorts_a_batch(model, tmp_path):
    """Great, ok and bad hold each picture once, in order; an empty batch is no error here."""
    torch = pytest.importorskip("torch")
    file = Path(__file__).parents[2] / "examples" / "comfyui_giqa" / "__init__.py"
    spec = importlib.util.spec_from_file_location("comfyui_giqa", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    node = module.NODE_CLASS_MAPPINGS["SortByGiqa"]()
    kinds = [kind for kind, *_ in node.INPUT_TYPES()["required"].values()]
    assert kinds == ["IMAGE", "STRING", "FLOAT", "FLOAT"] and len(node.RETURN_TYPES) == len(node.RETURN_NAMES)
    images = torch.from_numpy(np.r_[PICTURES[:6], FAKES]).float() / 255
    path = str(model.save(tmp_path / "reals.giqa"))
    great, ok, bad, table = node.sort(images, path, 0.5, 0.05)
    assert sum(map(len, (great, ok, bad))) == 12 and torch.equal(bad, images[6:]) and len(table.splitlines()) == 13
    assert len(node.sort(images[6:], path, 0.5, 0.05)[0]) == 0
    with pytest.raises(ValueError, match="bad_up_to is below great_from"):
        node.sort(images, path, 0.1, 0.2)


def test_map_without_batches_says_what_it_takes(model):
    with pytest.raises(BadSpec, match="batched=True"):
        AddScores(model)({"image": Image.new("RGB", (8, 8))})
