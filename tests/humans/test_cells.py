"""Tables that no spreadsheet runs, and that are read back exactly."""

import csv
import io

import pytest

from giqa.humans.cells import as_csv, read_table, write_table

NAMES = ["=HYPERLINK(1)", "+1", "-1.png", "@a", "\tb", "'=c", "''-d", "'plain", "a=b", "e,f", "", "ü"]


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet"])
def test_names_that_a_spreadsheet_would_run_come_back(tmp_path, ending):
    """Every name is read as it was; in text, none begins as a formula does; numbers below 0 stay numbers."""
    if ending == "parquet":
        pytest.importorskip("pyarrow", reason="giqa[parquet] is not installed")
    path = write_table(tmp_path / f"t.{ending}", {"image": NAMES, "z": [-1.5] * len(NAMES)})
    read = read_table(path)
    assert read.columns["image"] == NAMES and set(map(float, read.columns["z"])) == {-1.5}
    if ending != "parquet":
        rows = list(csv.reader(io.StringIO(path.read_text(), newline=""), delimiter="\t" if ending == "tsv" else ","))
        assert not any(row[0][:1] in ("=", "+", "-", "@", "\t", "\r") for row in rows if row[0])
        assert {row[1] for row in rows[1:]} == {"-1.5"}


def test_nothing_is_an_empty_cell():
    assert as_csv({"a": [None, 0], "b": ["x", None]}) == "a,b\n,x\n0,\n"
