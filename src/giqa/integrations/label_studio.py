"""Label Studio: scores as pre-annotations of tasks; votes come back by `giqa label import --format label-studio`.

from giqa.integrations.label_studio import write_predictions
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..files import replace_file
from ..model.table import Scores
from ..stats import plain
from ..stats.robust import WORST

SHOWN = ("z", "percentile", "reason")  # columns of the Data Manager, to sort by


def write_predictions(path: str | Path, scores: Scores, url: Callable[[str], str] = str) -> Path:
    """Tasks with a prediction each: "fake" for what is no better than the worst 5 % of the reals, else "real".

    Parameters
    ----------
    path : path
        The .json file to import into Label Studio.
    scores : Scores
        Pictures without a score get a task without a prediction.
    url : callable
        Picture name -> where Label Studio finds it.

    Returns
    -------
    Path

    Notes
    -----
    The labelling interface has `<Image name="image" value="$image"/>` and `<Choices name="answer" toName="image">` with
    real and fake. The score of a prediction is the percentile, so the lowest come first when sorted by it; z and
    percentile are in the data. People agree with what they are shown: use it to sort work, not to measure people.

    Examples
    --------
    >>> import tempfile
    >>> z, blank = np.array([0.5, -3.0]), ["", ""]
    >>> scores = Scores(["a.png", "b.png"], z, z, np.array([0.7, 0.01]), z, z, blank, blank, blank, blank)
    >>> tasks = json.loads(write_predictions(f"{tempfile.mkdtemp()}/tasks.json", scores).read_text())
    >>> [task["predictions"][0]["result"][0]["value"] for task in tasks]
    [{'choices': ['real']}, {'choices': ['fake']}]
    """
    shown = [name for name in SHOWN if name in scores.columns]
    model = f"giqa {scores.made_by.get('model_digest', '')[:12]}".strip()
    tasks = []
    for row, name in enumerate(scores.id):
        data = {"image": url(name)} | {column: plain(_number(scores[column][row])) for column in shown}
        percentile = float(scores.percentile[row])
        task = {"id": row + 1, "data": data, "meta": {"image": name}, "predictions": []}
        if np.isfinite(percentile):
            value = {"choices": ["fake" if percentile <= WORST else "real"]}
            result = {"id": "giqa", "type": "choices", "from_name": "answer", "to_name": "image", "value": value}
            task["predictions"] = [{"model_version": model, "score": percentile, "result": [result]}]
        tasks.append(task)
    return replace_file(path, json.dumps(tasks, indent=1, ensure_ascii=False).encode())


def _number(cell: object) -> object:
    return float(cell) if isinstance(cell, np.floating) else cell
