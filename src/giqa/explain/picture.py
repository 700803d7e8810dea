"""One picture explained: a heat map over it, what stands out in words, and real pictures of the same place."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadSource, BadSpec, MissingSource
from ..features.reader import make_extractor
from ..files import as_path, as_png, replace_file
from ..images import open_source
from ..images.decode import decode
from ..images.match import as_match
from ..model.file import read_header
from ..pages.axes import number
from ..pages.page import render
from ..registry import canonical
from ..types import Source
from .energy import COMBINED
from .heat import EVERYWHERE, drawn, heat_map, limits_of, on_own_scale
from .maps import Explanation, MapModel, fit_maps, load_maps

WORDS = {
    "grain": "its grain (how neighbouring pixels vary)",
    "sharpness": "its sharpness (too little fine detail)",
    "low": "its edges and fine texture",
    "mid": "its parts and their texture",
    "high": "what it shows",
}
LAYER_TITLES = {
    "grain": "Grain",
    "sharpness": "Sharpness",
    "low": "Fine texture",
    "mid": "Parts and texture",
    "high": "Content",
    COMBINED: "Combined",
}
PATCH = 1 / 4  # of a side; what is cut out around the worst place


@dataclass(frozen=True)
class Patch:
    """A real picture's part at the worst place: its name, and the pixels where they could be found."""

    name: str
    pixels: np.ndarray | None = None


def sentence(explanation: Explanation, n_real: int) -> str:
    """What the maps say, in plain words.

    Parameters
    ----------
    explanation : Explanation
    n_real : int
        Reals that the maps were fitted on.

    Returns
    -------
    str

    Examples
    --------
    >>> z = {"grain": np.array([[-9., 0.], [0., 0.]])}
    >>> sentence(Explanation(z, (0, 0), "grain", .01, .25), 400)[:68]
    'The worst place is at the top left: there its grain (how neighbourin'
    """
    where, what = (
        _where(explanation.place, next(iter(explanation.z.values())).shape),
        WORDS.get(explanation.layer, f"the layer {explanation.layer}"),
    )
    held = explanation.percentile
    share = "none" if held * (n_real + 1) < 1.5 else f"{100 * held:.2g} %"
    red = (
        f"{100 * explanation.beyond:.0f} %"
        if explanation.beyond >= 0.005 or not explanation.beyond
        else "Less than 1 %"
    )
    area = f"{red} of its area is worse than the same place of 99 % of real pictures."
    if held > 0.05:
        return f"No place stands out: {share} of the {n_real} real pictures have one that is as unusual. {area}"
    if explanation.beyond >= EVERYWHERE:
        first = f"Nearly all of it is unlike the real pictures, most at the {where}: {what}. "
    else:
        first = f"The worst place is at the {where}: there {what} is unlike the real pictures. "
    return (
        f"{first}Of the {n_real} real pictures, {share} {'has' if share == 'none' else 'have'} a place as bad. {area}"
    )


def cut(pixels: np.ndarray, place: tuple[int, int], grid: tuple[int, ...]) -> np.ndarray:
    """The quarter of a picture's sides around a cell of the grid, moved inwards at the border."""
    sides = [max(1, round(side * PATCH)) for side in pixels.shape[:2]]
    starts = [
        min(max(0, round((p + 0.5) * side / n - size / 2)), side - size)
        for p, n, side, size in zip(place, grid, pixels.shape[:2], sides, strict=True)
    ]
    return pixels[starts[0] : starts[0] + sides[0], starts[1] : starts[1] + sides[1]]


def write_page(
    path: str | Path,
    model: MapModel,
    name: str,
    pixels: np.ndarray,
    explanation: Explanation,
    patches: Sequence[Patch] = (),
) -> Path:
    """Write an explanation as one HTML file that opens offline, or as .png the heat map alone; atomically.

    Parameters
    ----------
    path : path
        Its ending decides; its folder is made where it is not there.
    model : MapModel
    name : str
        What the picture is called.
    pixels : uint8 array (h, w, 3)
    explanation : Explanation
        Of that picture.
    patches : sequence of Patch
        Real pictures for its worst place.

    Returns
    -------
    Path

    Raises
    ------
    BadSpec
        For another ending.

    Examples
    --------
    >>> import tempfile
    >>> reals = [np.random.default_rng(i).integers(0, 256, (32, 32, 3), np.uint8) for i in range(24)]
    >>> model = fit_maps(reals, taps=["grain"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_page(f"{folder}/odd.html", model, "odd", reals[0] // 2, model.explain(reals[0] // 2)).name
    'odd.html'
    """
    path = as_path(path)
    check_outs([path])
    if path.suffix.lower() == ".png":
        return replace_file(path, as_png(heat_map(model, pixels, explanation)))
    return replace_file(path, _page(model, name, pixels, explanation, patches))


def check_outs(paths: Iterable[Path]) -> None:
    """Refuse a file name that nothing is written as, before any work is done."""
    for path in paths:
        if path.suffix.lower() not in (".html", ".png"):
            raise BadSpec(f"An explanation is written as .html or .png, got {path.name!r}.")


def map_model(model: str | Path | None, real: Any, extractor: Any = None, **fitting: Any) -> MapModel:
    """The maps next to a `.giqa` file, or learned from `real`, and then kept next to it if there is one.

    They are a file of their own, NAME.maps, since a `.giqa` file holds pooled features only, of which no map can be
    made, and most who score need none. They are brought to the size and coding of the model's own reals.

    Parameters
    ----------
    model : path or None
        The `.giqa` file.
    real : path, array, source or None
        The reals; needed where the maps are not there yet.
    extractor : str, object or None
        As of `fit_maps`; maps of another extractor are learned anew.
    **fitting
        The other parameters of `fit_maps`.

    Returns
    -------
    MapModel

    Raises
    ------
    MissingSource
        When maps are needed and there are no reals to learn from.

    Examples
    --------
    >>> reals = [np.random.default_rng(i).integers(0, 256, (32, 32, 3), np.uint8) for i in range(24)]
    >>> map_model(None, reals, taps=["grain"]).taps
    ('grain',)
    """
    if model is None:
        return fit_maps(real, extractor, **fitting)
    header, kept = read_header(model), Path(model).with_suffix(".maps")
    wanted = canonical("extractor", make_extractor(extractor)) if extractor else None
    # made again too: what an earlier giqa wrote may lack a parameter of today
    if not kept.is_file() or wanted not in (None, canonical("extractor", make_extractor(load_maps(kept).extractor))):
        if real is None:
            raise MissingSource(
                f"There is no {kept.name} of such maps next to {model}; give the reals once (--real) and it is made."
            )
        fit_maps(real, extractor, match=header["match"], **fitting).save(kept)
    return load_maps(kept)


def explained(model: MapModel, image: Any, real: Any = None) -> tuple[str, np.ndarray, Explanation, list[Patch], str]:
    """Name and pixels of the one picture, what the maps found, real pictures for its worst place, and the sentence."""
    source = open_source(image)
    if len(source) != 1:
        raise BadSource(
            f"One picture is explained at a time; {source.name!r} has {len(source)}. For the maps of all name a "
            "folder: -o maps/"
        )
    pixels = decode(source.raw(0)).pixels
    match = as_match(model.match)
    pixels = match(pixels) if match else pixels
    explanation = model.explain(pixels)
    patches = [] if real is None else _patches(model, explanation, open_source(real))
    return source.ids[0], pixels, explanation, patches, sentence(explanation, len(model.places.peaks_))


def _patches(model: MapModel, explanation: Explanation, source: Source) -> list[Patch]:
    """The nearest reals, with their pixels where `source` has pictures of their names."""
    rows, match = {name: row for row, name in enumerate(source.ids)}, as_match(model.match)
    patches = []
    for name in explanation.nearest:
        pixels = decode(source.raw(rows[name])).pixels if name in rows else None
        patches.append(Patch(name, match(pixels) if match and pixels is not None else pixels))
    return patches


def _page(model: MapModel, name: str, pixels: np.ndarray, explanation: Explanation, patches: Sequence[Patch]) -> str:
    grid = explanation.z[COMBINED].shape
    layers = [layer for layer in explanation.z if layer != COMBINED]
    height, width = drawn(pixels).shape[:2]
    corners = [f"{100 * v:.2f}%" for v in _corner(explanation.place, grid, pixels.shape[:2])]
    first, _, rest = sentence(explanation, len(model.places.peaks_)).partition(". ")
    return render(
        "explain/picture.html",
        ["pages/page.css", "pages/answer.css", "explain/picture.css"],
        title=name,
        answer=f"{first}.",
        lede=rest,
        own_scale=on_own_scale(model, explanation),
        limits=[number(limit) for limit in limits_of(model, explanation)],
        picture=_uri(drawn(pixels).astype(np.uint8)),
        heat=_uri(heat_map(model, pixels, explanation)),
        box=_uri(_boxed(drawn(pixels).astype(np.uint8), corners_of(explanation.place, grid, (height, width)))),
        size=(width, height),
        corners=corners,
        layers=[
            (
                LAYER_TITLES.get(x, x) + (" (colours on its own scale)" if on_own_scale(model, explanation, x) else ""),
                _uri(heat_map(model, pixels, explanation, x)),
                float(explanation.z[x].min()),
                x == explanation.layer,
            )
            for x in layers
        ],
        own=_uri(_large(cut(pixels, explanation.place, grid))),
        patches=[
            (p.name, None if p.pixels is None else _uri(_large(cut(p.pixels, explanation.place, grid))))
            for p in patches
        ],
        made_by=list(_details(model).items()),
    )


def corners_of(place: tuple[int, int], grid: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Top, left, bottom, right of what `cut` takes."""
    top, left = (round(v * side) for v, side in zip(_corner(place, grid, shape), shape, strict=True))
    return top, left, top + max(1, round(shape[0] * PATCH)), left + max(1, round(shape[1] * PATCH))


def _corner(place: tuple[int, int], grid: tuple[int, ...], shape: tuple[int, ...]) -> tuple[float, float]:
    """Upper left corner of what `cut` takes, as shares of the sides."""
    return tuple(min(max(0.0, (p + 0.5) / n - PATCH / 2), 1 - PATCH) for p, n in zip(place, grid, strict=True))


def _boxed(picture: np.ndarray, corners: tuple[int, int, int, int]) -> np.ndarray:
    from PIL import Image, ImageDraw

    image = Image.fromarray(picture)
    top, left, bottom, right = corners
    pen = ImageDraw.Draw(image)
    for grow, colour in ((2, (255, 255, 255)), (0, (226, 38, 30))):
        pen.rectangle((left - grow, top - grow, right - 1 + grow, bottom - 1 + grow), outline=colour, width=2)
    return np.asarray(image)


def _details(model: MapModel) -> Mapping[str, str]:
    return {
        "maps of": f"{model.extractor}: {', '.join(model.taps)}",
        "real pictures": str(len(model.ids)),
        "matched": model.match or "no",
        "giqa": str(model.made_by.get("giqa", "unknown")),
    }


def _where(place: tuple[int, int], grid: tuple[int, ...]) -> str:
    """A ninth of the picture, in words."""
    down, across = (min(2, int(3 * (p + 0.5) / n)) for p, n in zip(place, grid, strict=True))
    if down == across == 1:
        return "middle"
    return " ".join(w for w in (("top", "middle", "bottom")[down], ("left", "centre", "right")[across]) if w)


def _large(pixels: np.ndarray) -> np.ndarray:
    """A patch with its pixels as they are, each a square, 128 px or a little more."""
    times = max(1, -(-128 // max(pixels.shape[:2])))
    return pixels.repeat(times, axis=0).repeat(times, axis=1)


def _uri(pixels: np.ndarray) -> str:
    return "data:image/png;base64," + base64.b64encode(as_png(np.ascontiguousarray(pixels))).decode()
