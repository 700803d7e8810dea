"""`dataset.json`, in which StyleGAN's `dataset_tool.py` writes the classes of the pictures of a zip or folder."""

from __future__ import annotations

import json
from collections.abc import Sequence

from ...errors import BadSource
from .columns import as_cell

LABELS = "dataset.json"


def labels_of(content: bytes, ids: Sequence[str], name: str) -> dict[str, list[str]]:
    """The column `label`, by exact names; "" for pictures without one, no column where the file gives no labels.

    >>> labels_of(b'{"labels": [["0/a.png", 3]]}', ["0/a.png", "0/b.png"], "z")
    {'label': ['3', '']}
    """
    try:
        said = json.loads(content)
        pairs = said.get("labels") if isinstance(said, dict) else None
        label_of = {str(image).replace("\\", "/"): as_cell(label) for image, label in pairs or ()}
    except (ValueError, TypeError, RecursionError) as error:
        raise BadSource(f"{LABELS} of {name!r} cannot be read: {error}.") from None
    return {"label": [label_of.get(image, "") for image in ids]} if label_of else {}
