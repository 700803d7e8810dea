"""Forms that are known and not read: each is refused in one sentence that says what to do."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ...errors import BadSource

_PYTHON = "read it in Python and give what it holds to giqa.images.open_source"
REMEDIES = {
    (".pt", ".pth", ".pkl", ".pickle", ".joblib"): (
        "a pickle, which is never opened since it can run any code; load it in Python where you trust it, and give the "
        "arrays or the data set itself"
    ),
    (".safetensors",): "a safetensors file; give safetensors.numpy.load_file(...)[NAME] in Python",
    (".mat",): "a MATLAB file; give scipy.io.loadmat(...)[NAME] in Python, or save it as .npz",
    (".rec",): f"MXNet's RecordIO; {_PYTHON}, or unpack it to a folder",
    (".beton",): f"FFCV's format; {_PYTHON}",
    ("-ubyte", "-ubyte.gz"): f"the IDX format of MNIST; {_PYTHON}",
    (".xlsx", ".xls", ".ods"): "a workbook; save the sheet as CSV",
    (".db", ".sqlite", ".sqlite3", ".duckdb"): f"a database; {_PYTHON}, or export a table of paths as CSV",
    (".orc", ".avro"): "not read; write it as Parquet",
    (".msgpack", ".jsonl.gz", ".csv.gz", ".npy.gz", ".npz.gz"): "not read; unpack it, or write it as Parquet",
}


def refuse(where: Any) -> None:
    """Raises for a path of a known form that is not read; None for any other."""
    if not isinstance(where, (str, Path)) or not os.path.exists(where):
        return
    text = str(where)
    if os.path.isdir(text):
        return
    for endings, remedy in REMEDIES.items():
        if text.lower().endswith(endings):
            raise BadSource(f"{text!r} is {remedy}.")
