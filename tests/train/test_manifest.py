import numpy as np
import pytest
from PIL import Image

from giqa.errors import BadSource
from giqa.train.manifest import read_manifest


def write(folder, rows, header="image,kind,run,iteration"):
    for row in rows:
        Image.new("RGB", (8, 8)).save(folder / row.split(",")[0])
    (folder / "m.csv").write_text("\n".join([header, *rows]) + "\n")
    return folder / "m.csv"


def test_labels_are_by_the_last_iteration_of_each_run(tmp_path):
    """Run a ends at 100, run b at 10: half of either is .45; reals are 1."""
    rows = ["a.png,generated,a,50", "b.png,generated,a,100", "c.png,generated,b,5", "d.png,generated,b,10"]
    manifest = read_manifest(write(tmp_path, [*rows, "e.png,real,a,"]))
    assert manifest.label == pytest.approx([0.45, 0.9, 0.45, 0.9, 1])
    assert manifest.real.tolist() == [False] * 4 + [True]
    assert manifest.snapshots()[-1] == -1 and len(set(manifest.snapshots()[:4])) == 4
    some = manifest.rows(np.array([False, True, False, False, True]))
    assert some.source.ids == ("b.png", "e.png") and some.label == pytest.approx([0.9, 1])


def test_epoch_is_accepted_and_run_may_be_missing(tmp_path):
    rows = ["a.png,generated,0", "b.png,generated,4", "c.png,real,"]
    assert read_manifest(write(tmp_path, rows, "image,kind,epoch")).label.tolist() == [0, 0.9, 1]


def test_iterations_are_read_as_by_track(tmp_path):
    """1k is 1000, and a column of steps is one."""
    rows = ["a.png,generated,500", "b.png,generated,1k", "c.png,real,"]
    assert read_manifest(write(tmp_path, rows, "image,kind,step")).label.tolist() == [0.45, 0.9, 1]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["a.png,drawn,a,1", "b.png,real,a,"], "a.png is of the kind 'drawn'"),
        (["a.png,generated,a,soon", "b.png,real,a,"], "the iteration 'soon', which is no number"),
        (["a.png,generated,a,nan", "b.png,real,a,"], "the iteration 'nan', which is no number"),
        (["a.png,generated,a,1"], "only generated pictures"),
        (["a.png,real,a,"], "only real pictures"),
    ],
)
def test_what_cannot_be_learned_from_is_named(tmp_path, rows, message):
    with pytest.raises(BadSource, match=message):
        read_manifest(write(tmp_path, rows))


def test_a_folder_is_no_manifest(tmp_path):
    write(tmp_path, ["a.png,real,a,"])
    with pytest.raises(BadSource, match="is no table; learning needs a table of snapshots"):
        read_manifest(tmp_path)
