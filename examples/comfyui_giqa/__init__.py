"""A node for ComfyUI: sorts a batch of pictures into great, ok and bad by a fitted giqa model.

Copy this folder into ComfyUI/custom_nodes/ and install giqa into ComfyUI's Python; `giqa fit reals/ -o reals.giqa`
makes the model. Both limits are percentiles of held-out reals: with 0.05, "bad" is what is no better than the worst 5 %
of your real pictures.
"""

import os
from functools import lru_cache

import numpy as np

import giqa


def _model(path):
    """The model as the file is now: one that was fitted anew is read anew."""
    return _loaded(path, os.stat(path).st_mtime_ns if os.path.exists(path) else None)


@lru_cache(maxsize=2)
def _loaded(path, changed):
    return giqa.load(path)


def _or_blocked(images):
    """An empty output stops the branch behind it, since most nodes cannot take a batch of nothing."""
    if len(images):
        return images
    try:
        from comfy_execution.graph_utils import ExecutionBlocker
    except ModuleNotFoundError:
        return images
    return ExecutionBlocker(None)


class SortByGiqa:
    """Pictures in, three batches and a table out; each batch keeps the order."""

    CATEGORY = "giqa"
    FUNCTION = "sort"
    RETURN_TYPES = ("IMAGE", "IMAGE", "IMAGE", "STRING")
    RETURN_NAMES = ("great", "ok", "bad", "scores")
    DESCRIPTION = "Sorts pictures by how typical they are of real ones."

    @classmethod
    def INPUT_TYPES(cls):
        share = {"min": 0.0, "max": 1.0, "step": 0.01}
        return {
            "required": {
                "images": ("IMAGE",),
                "model": ("STRING", {"default": "reals.giqa"}),
                "great_from": ("FLOAT", {"default": 0.5, **share}),
                "bad_up_to": ("FLOAT", {"default": 0.05, **share}),
            }
        }

    def sort(self, images, model, great_from, bad_up_to):
        if bad_up_to >= great_from:
            raise ValueError(f"bad_up_to is below great_from, got {bad_up_to} and {great_from}.")
        pixels = images.detach().float().cpu().numpy()  # (n, h, w, 3) from 0 to 1
        scores = _model(model).score(np.clip(pixels, 0, 1), store=False)
        great = scores.percentile >= great_from
        bad = ~(scores.percentile > bad_up_to)  # also what could not be scored
        batches = (images[great.nonzero()[0]], images[(~great & ~bad).nonzero()[0]], images[bad.nonzero()[0]])
        return (*map(_or_blocked, batches), scores.csv())


NODE_CLASS_MAPPINGS = {"SortByGiqa": SortByGiqa}
NODE_DISPLAY_NAME_MAPPINGS = {"SortByGiqa": "Sort by giqa (great, ok, bad)"}
