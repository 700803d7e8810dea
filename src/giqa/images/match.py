"""Bring two sets of pictures to one size and one coding, so that a score measures the pictures and not their files.

How well a linear classifier on spectra and DCT coefficients tells two random halves of one set apart (area under the
curve; .50 is right, give or take .07): 299 photographs of 160 px, saved as stated.

    one half    other half    as they are   shrunk to 7/8   JPEG at the lower quality   shrunk to 7/8, then JPEG 75
    JPEG 75     PNG                  1.00   .99 (3/4)                             .56                           .69
    JPEG 90     PNG                  1.00   .99 (3/4)                             .52                           .63
    JPEG 100    PNG                   .99   .99                                   .91                           .61
    JPEG 75     JPEG 90              1.00   .91                                   .90                           .56
    JPEG 75     JPEG 96              1.00   .98                                   .96                           .57

Shrunk to 1/4 and not coded, JPEG 75 and PNG are still told apart (.85); coded after it, they are not (.50).
Hence: (1) shrinking alone never removes the history of a JPEG, above all its halved chroma; (2) coding on the old grid
with the old steps changes a JPEG by rounding only, so both sets end with one and the same generation: exact, at full
size, if there is one history; (3) with the same grid and other steps, the double coding shows more than the difference
it should hide (10 below: .90 to 1.00), so where there are two histories, both first leave the old grid by shrinking
to 7/8, and steps of quality 75 or coarser cover what is left.

How much coding has to follow a shrinking, as the median z (`statistics`, `gmm`; 180 cats of 200 px in JPEG as reals,
118 others in PNG; -.2 is right), next to what it costs: the area under the curve of LFW against DCGAN faces of 64 px.

    coding after it    shrunk to 1/2 (JPEG 50, 75, 90)   to 1/3               to 1/4               DCGAN faces found
    none               -4.7 -3.1 -1.3                    -3.2 -2.2 -1.1       -1.9 -1.1 -.6        1.00
    4:4:4, 90          -2.4 -1.2  -.2                     -.7  -.5  -.4        -.2  -.2 -.1         .89
    4:4:4, 85          -1.4  -.7  -.6                     -.4  -.3  -.3        -.3  -.4 -.3         .67
    4:4:4, 75           -.6  -.2  -.3                     -.3  -.2  -.2        -.3  -.3 -.3         .57
    4:2:0, 75           -.2  -.1  -.1                     -.2  -.2  -.2        -.1  -.1 -.1         .51

So coding has a price: flaws finer than the coding are gone from both sets, and texture statistics live on them. Hence
the finest that does it (`AFTER`), and none where files agree; reals that were never JPEG are better than any match.
What a match cannot undo: crops, another resampling filter, sharpening, upscaling, a conversion to grey.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import BadImage, BadSpec
from ..registry import parse
from . import open_source
from .differences import advice, differences
from .profile import PROFILE, Look, Profile, profile

OFF_GRID = 7 / 8  # the least shrinking that hid the old grid in the measurements above
COVER = 75  # the finest quality that covered another history
# coding and quality after shrinking by this factor or more; the old chroma is no longer coarser from 2 on
AFTER = ((3.5, "jpeg444", 90), (3.0, "jpeg444", 85), (2.0, "jpeg444", COVER), (0.0, "jpeg", COVER))
SAMPLING = {"jpeg": "4:2:0", "jpeg444": "4:4:4"}


@dataclass(frozen=True)
class Match:
    """What is done to decoded pixels before any feature: first shrunk, then coded.

    Parameters
    ----------
    size : int or None
        A shorter side longer than this is brought to it, antialiased (bicubic); a picture that is smaller stays as it
        is, since upscaling would add a blur of its own. None: sizes stay.
    coding : "jpeg", "jpeg444" or None
        Chroma halved (4:2:0), or whole (4:4:4). None: no coding.
    quality : int or None
        1 to 95, where there is a coding.

    Raises
    ------
    BadSpec

    Examples
    --------
    >>> Match(size=64, coding="jpeg", quality=75)(np.zeros((128, 96, 3), np.uint8)).shape
    (85, 64, 3)
    """

    size: int | None = None
    coding: str | None = None
    quality: int | None = None

    def __post_init__(self) -> None:
        if self.size is not None and not (_whole(self.size) and self.size >= 16):
            raise BadSpec(f"match: size is a shorter side of 16 pixels or more, or None, got {self.size!r}.")
        if self.coding not in (None, *SAMPLING):
            raise BadSpec(f"match: coding is 'jpeg', 'jpeg444' or None, got {self.coding!r}.")
        if self.coding is None and self.quality is not None:
            raise BadSpec(f"match: quality={self.quality!r} needs coding='jpeg'.")
        if self.coding and not (_whole(self.quality) and 1 <= self.quality <= 95):
            raise BadSpec(f"match: coding={self.coding!r} needs a quality of 1..95, got {self.quality!r}.")

    def spec(self) -> str:
        """The canonical string, read back by `parse_match`.

        >>> Match(size=64).spec()
        'match(coding=None, quality=None, size=64)'
        """
        return f"match(coding={self.coding!r}, quality={self.quality!r}, size={self.size!r})"

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """uint8 RGB (h, w, 3) to uint8 RGB; the input is left alone, and returned where there is nothing to do."""
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
            raise BadImage(f"match takes uint8 pixels (h, w, 3), got {pixels.dtype} {pixels.shape}")
        if self.size is not None and min(pixels.shape[:2]) > self.size:
            pixels = _shrink(pixels, self.size)
        return pixels if self.coding is None else _jpeg(pixels, self.quality, SAMPLING[self.coding])


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _shrink(pixels: np.ndarray, size: int) -> np.ndarray:
    from PIL import Image

    height, width = pixels.shape[:2]
    scale = size / min(height, width)
    smaller = (max(size, round(width * scale)), max(size, round(height * scale)))
    return np.asarray(Image.fromarray(pixels).resize(smaller, Image.Resampling.BICUBIC, reducing_gap=None))


def _jpeg(pixels: np.ndarray, quality: int, sampling: str) -> np.ndarray:
    from PIL import Image

    if max(pixels.shape[:2]) > 65_500:
        raise BadImage(f"a JPEG is at most 65500 pixels wide or high, got {pixels.shape[:2]}; match with a size")
    coded = io.BytesIO()
    Image.fromarray(pixels).save(coded, "JPEG", quality=quality, subsampling=sampling)
    with Image.open(coded) as file:
        return np.asarray(file)


def parse_match(spec: str | Match) -> Match:
    """The `Match` that a spec string names.

    >>> parse_match("match(size=64, coding='jpeg', quality=75)")
    Match(size=64, coding='jpeg', quality=75)
    """
    if isinstance(spec, Match):
        return spec
    name, given = parse(spec)
    if name != "match":
        raise BadSpec(f"A match is written match(size=..., coding='jpeg', quality=...), got {spec!r}.")
    unknown = sorted(given.keys() - {"size", "coding", "quality"})
    if unknown:
        raise BadSpec(f"match has no parameter {unknown[0]!r}; it has size, coding, quality (spec {spec!r}).")
    return Match(**given)


def choose_match(a: Profile, b: Profile) -> Match:
    """The least that makes the files of two sets alike; `Match()`, which does nothing, when they are alike already.

    Size: none when the sets agree, else the smaller of the two sets' tenth percentiles of the shorter side (in sets of
    one size: the smaller one), so that nine in ten pictures of both really end with it; at the median, half of a ragged
    set would stay smaller. Coding: none when neither set is lossy, or both are in the same way and of one size; else
    JPEG by the rules of this module, at the lowest quality (tenth percentile) that files or pixels show, 75 if unknown,
    or finer where the shrinking has done most of it.

    Parameters
    ----------
    a, b : Profile
        Of either set.

    Returns
    -------
    Match
    """
    found = differences(a, b)
    shorter = [side.values(lambda look: look.shorter) for side in (a, b) if side.looks]
    full = int(min((np.quantile(side, 0.1, method="lower") for side in shorter), default=0))
    size = max(full, 16) if "size" in found else None
    coded = [[look for look in side.looks if look.coded] for side in (a, b)]
    coded = [some for some, side in zip(coded, (a, b), strict=True) if len(some) > 0.1 * len(side.looks)]
    if not coded or (size is None and not {"coding", "quality", "sampling"} & set(found)):
        return Match(size)
    quality = min(_tenth(look.coding_quality for look in some) for some in coded)
    staying = [[look for look in some if size is None or look.shorter * OFF_GRID < size] for some in coded]
    staying = [some for some, all_ in zip(staying, coded, strict=True) if len(some) > 0.1 * len(all_)]
    if staying and quality <= 95 and all(_one_history(some, quality) for some in staying):
        whole = all(look.sampling == "4:4:4" for some in staying for look in some)
        return Match(size, "jpeg444" if whole else "jpeg", quality)
    if staying:
        size = max(int((size or full) * OFF_GRID), 16)
    factor = min(_tenth(look.shorter for look in some) for some in coded) / size
    coding, cover = next(after[1:] for after in AFTER if factor >= after[0])
    return Match(size, coding, cover if cover > COVER else min(quality, COVER))


def _tenth(values: Iterable[int | None]) -> int:
    known = [value for value in values if value is not None]
    return int(np.quantile(known, 0.1, method="lower")) if known else COVER


def _one_history(looks: list[Look], quality: int) -> bool:
    """Whether nine in ten were coded with the very steps that this quality has."""
    same = [look.coding_quality == quality and (look.standard or look.past == quality) for look in looks]
    return sum(same) >= 0.9 * len(same)


def as_match(match: Any) -> Match | None:
    if match is not None and not isinstance(match, (str, Match)):
        raise BadSpec(f"A match is a spec such as 'match(size=64)', got {match!r:.80}.")
    return parse_match(match) if isinstance(match, str) else match


def spec_of(match: Match | None) -> str | None:
    """The canonical string of a match, None of none."""
    return match.spec() if match else None


def auto_match(real: Any, fakes: Any) -> Match | None:
    """What brings two sets to one size and coding; None when they are saved alike already."""
    chosen = choose_match(profile(open_source(real)), profile(open_source(fakes)))
    return None if chosen == Match() else chosen


def still_different(real: Any, fakes: Any, match: Match | None, n: int = 40) -> tuple[str, ...]:
    """What tells the files of two sets apart; with a `match`, what that leaves: a match shrinks and codes, no more.

    After a match the coding is not looked at: `giqa.images.match` says what was measured of it.
    """
    sets = [open_source(where) for where in (real, fakes)]
    before = differences(*(profile(source, n) for source in sets))
    if match is None:
        return before
    after = differences(*(profile(source, n, match=match) for source in sets))
    return tuple(x for x in before if x in ("aspect", "grey", "alpha", PROFILE)) + tuple(
        x for x in after if x in ("size", "detail")
    )


def describe_different(topics: Sequence[str], asked_for: bool, these: str = "these pictures") -> str:
    """A sentence about what `still_different` found, or nothing; `asked_for`: a match was asked for."""
    if not topics:
        return ""
    different = f"the reals and {these} are saved differently ({', '.join(topics)})"
    if asked_for:
        return (
            f"--match cannot even it all out: {different} all the same, since it only shrinks and codes; "
            "`giqa doctor REALS FAKES` says what each of these needs"
        )
    return (
        f"{different}, which features see before they see what is shown; `giqa doctor REALS FAKES` says more, and "
        f"{advice(topics)}"
    )
