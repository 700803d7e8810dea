"""How a network learns: what the presets say, as one record that is kept in its file."""

from __future__ import annotations

from typing import Any

from ..errors import BadSpec

# the released scripts; the paper says nothing of all this, so that `paper` differs in thresholds, loss and score alone
RELEASED = {
    "network": "vgg19bn",
    "load": 256,  # pixels a side
    "crop": 192,
    "five_crops": False,
    "rotation": 15.0,  # degrees, each way
    "optimiser": "sgd",
    "rate": 0.05,
    "decay": 5e-4,
    "batch": 512,
    "epochs": 112,
    "patience": None,
    "real_share": None,
    "mean": [125.307, 122.961, 113.8575],  # of CIFAR-10
    "deviation": [62.9932, 62.0887, 66.7048],
}
RECOMMENDED = {
    "network": "small",
    "load": 64,
    "crop": 48,
    "five_crops": True,
    "rotation": 0.0,  # turning blurs, and sharpness is quality
    "optimiser": "adamw",
    "rate": 2e-3,
    "decay": 0.05,
    "batch": 64,
    "epochs": 30,
    "patience": 8,
    "real_share": 0.25,  # reals are repeated up to this share of an epoch: they are few compared with all snapshots
    "mean": None,  # of the pictures learned from
    "deviation": None,
}
PRESETS = {"paper": RELEASED, "released": RELEASED, "recommended": RECOMMENDED}
SMALL_BUT = {"network": "vgg19bn", "load": 256, "crop": 192}  # what another trunk changes
CHANGES = ("network", "load", "crop", "rotation", "rate", "decay", "batch", "epochs", "patience")
KINDS = ("mbc", "bc", "ir", "rank", "human")
PRECISIONS = ("float32", "bfloat16")


def recipe_for(
    kind: str,
    preset: str = "recommended",
    n_heads: int | None = None,
    precision: str = "float32",
    seed: int = 0,
    **changes: Any,
) -> dict[str, Any]:
    """Everything that decides the result besides the pictures.

    Parameters
    ----------
    kind : str
        A word of `KINDS`.
    preset : "paper", "released" or "recommended"
        A key of `PRESETS`.
    n_heads : int or None
        Of "mbc"; None: 8.
    precision : "float32" or "bfloat16"
        Of the network.
    seed : int
        Of all that is random.
    **changes
        Words of `CHANGES`, in place of the preset's; None leaves what the preset says.

    Returns
    -------
    dict

    Raises
    ------
    BadSpec

    Examples
    --------
    >>> recipe_for("mbc", epochs=3)["epochs"], recipe_for("bc", "released")["network"]
    (3, 'vgg19bn')
    """
    if kind not in KINDS or preset not in PRESETS or precision not in PRECISIONS:
        raise BadSpec(
            f"Learned scorers are {', '.join(KINDS)}, presets {', '.join(PRESETS)}, precisions "
            f"{', '.join(PRECISIONS)}; got {kind!r}, {preset!r}, {precision!r}."
        )
    if n_heads is not None and (kind != "mbc" or n_heads < 1):
        raise BadSpec(f"n_heads is for mbc, and from 1; got {n_heads!r} for {kind}.")
    unknown = [name for name in changes if name not in CHANGES]
    if unknown:
        raise BadSpec(f"A recipe has no {unknown[0]!r}; it has {', '.join(CHANGES)}.")
    given = {name: value for name, value in changes.items() if value is not None}
    made = PRESETS[preset] | (SMALL_BUT if given.get("network") == "vgg19bn" else {}) | given
    if made["network"] not in ("small", "vgg19bn"):
        raise BadSpec(f"network is small or vgg19bn, got {made['network']!r}.")
    least = 64 if made["network"] == "vgg19bn" else 8
    if not least <= made["crop"] <= made["load"] or min(made["epochs"], made["batch"]) < 1:
        raise BadSpec(
            f"{made['network']} needs {least} <= crop <= load, epochs and batch from 1; got crop={made['crop']}, "
            f"load={made['load']}, epochs={made['epochs']}, batch={made['batch']}."
        )
    heads = (8 if n_heads is None else n_heads) if kind == "mbc" else 1
    return {"format": 1, "kind": kind, "preset": preset, "n_heads": heads, "precision": precision, "seed": seed} | made
