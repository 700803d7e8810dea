"""Which names of a folder, an archive or a pattern are pictures: one rule for all, and nothing dropped in silence."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePath

from ..errors import BadSource
from .kinds import PICTURES, READ, VIDEOS, kind_of

ENDINGS = (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".apng", ".avif")
# what looks like TIFF and is not: its first picture is a thumbnail
RAW = {".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf", ".pef", ".srw"}
# pictures, videos and archives: named in a warning, unless the first bytes are those of a picture that is read
UNREAD = RAW | {".heic", ".heif", ".jp2", ".j2k", ".jxl", ".svg", ".psd", ".exr", ".hdr", ".qoi", ".dds", ".pcx"}
UNREAD |= {".ppm", ".pgm", ".pbm", ".pnm", ".pfm", ".tga", ".ico", ".eps", ".sgi"}
UNREAD |= {".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg"}
UNREAD |= {".zip", ".tar", ".tgz", ".7z", ".rar"}
# captions and tables next to pictures, by the million: not even opened
SIDECARS = {".txt", ".json", ".jsonl", ".csv", ".tsv", ".parquet", ".xml", ".yaml", ".yml", ".md", ".html", ".log"}
SIDECARS |= {".cls", ".caption"}
UNFINISHED = ("~", ".bak", ".old", ".orig", ".tmp", ".temp", ".part", ".partial", ".crdownload", ".download")
# Folders of thumbnails, deleted files and earlier states that systems, disk servers and tools lay next to pictures.
# Beside these, every name that begins with a dot.
LITTER = {
    "__macosx", "@eadir", "@__thumb", "@synoeastream", "@sharebin", "@tmp", "@recycle", "@recently-snapshot",
    "@synoresource", "#recycle", "#snapshot", "$recycle.bin", "recycler", "recycled", "system volume information",
    "lost+found", "lost.dir", "~snapshot", "files_trashbin", "files_versions", "network trash folder",
    "temporary items",
}  # fmt: skip
# of which a pattern makes one set
SHARDS = (".parquet", ".arrow", ".tar", ".tgz", ".tar.gz", ".tfrecord", ".tfrecords", ".h5", ".hdf5", ".npz", ".zip")
Head = Callable[[str], bytes]  # the first bytes of a name; OSError or BadImage where they cannot be read


def is_picture(name: str) -> bool:
    """Whether a file of this name is taken for a picture unopened, by its ending in any case."""
    return name.lower().endswith(ENDINGS)


def is_litter(name: str) -> bool:
    """Whether a file or folder of this name is passed over: hidden, or the leavings of a system or disk server.

    >>> [is_litter(name) for name in ("@eaDir", "._a.png", "$RECYCLE.BIN", "@user.png", "thumbs")]
    [True, True, True, False, False]
    """
    return name.startswith(".") or name.casefold() in LITTER


def listed(names: Iterable[str], litter: Sequence[str], head: Head, where: str) -> list[str]:
    """The pictures among `names`, sorted; warnings say what is passed over, and `BadSource` that nothing is left.

    A name with a picture's ending is one, unopened; any other is one if its first bytes are. `litter`: what lies in or
    is litter, from which nothing is taken; its pictures are counted.
    """
    names, chosen, passed = list(names), [], {}
    for name in names:
        reason = "" if is_picture(name) else _not_listed(name, head)
        if reason == "":
            chosen.append(name)
        elif reason:
            passed.setdefault(reason, []).append(name)
    said = [text for text in (_unread(passed), _leavings(litter)) if text]
    if not chosen:
        shards = sorted(name for name in names if name.lower().endswith(SHARDS))
        said += (
            [f"some look like shards, which a pattern reads that names them, as {shards[0]!r} does"] if shards else []
        )
        more = "".join(f"; {text}" for text in said)
        raise BadSource(
            f"No pictures in {where}: looked for names ending in {' '.join(ENDINGS)} and at the first bytes of others, "
            f"and found {len(names)} other files{more}."
        )
    for text in said:
        # one place for all callers, so that a command that lists a folder twice says it once
        warnings.warn(f"{where}: {text}", stacklevel=1)
    return sorted(chosen)


def _not_listed(name: str, head: Head) -> str | None:
    """ "" for a picture, None for what nobody would take for one, else what it is: to be said."""
    ending = PurePath(name).suffix.lower()
    if ending in SIDECARS:
        return None
    try:
        kind = kind_of(head(name))
    except (OSError, ValueError):  # BadImage is a ValueError
        return "that cannot be read"
    if kind in READ and not (kind == "TIFF" and ending in RAW):
        return f"{kind} called {ending or name}, a backup or a part" if name.lower().endswith(UNFINISHED) else ""
    if ending in UNREAD or name.lower().endswith(".tar.gz"):
        return ending
    return f"{kind} called {ending or '(no ending)'}" if kind in (*PICTURES, *VIDEOS) else None


def _unread(passed: dict[str, list[str]]) -> str:
    """What is not read, by kind, with one name, and what to do."""
    if not passed:
        return ""
    counts = ", ".join(f"{len(names)} {reason}" for reason, names in sorted(passed.items()))
    first = min(min(names) for names in passed.values())
    return (
        f"passed over {counts} (such as {first!r}); what is read is {', '.join(READ)}. Convert other pictures to PNG "
        "(magick IN OUT.png), take pictures out of videos, unpack archives"
    )


def _leavings(litter: Iterable[str]) -> str:
    """Pictures in what systems and disk servers leave behind, by folder."""
    counts: Counter[str] = Counter()
    for name in litter:
        if is_picture(name):
            *folders, _ = name.split("/")
            counts[next((f"in {folder}" for folder in folders if is_litter(folder)), "hidden")] += 1
    if not counts:
        return ""
    found = ", ".join(f"{count} {place}" for place, count in sorted(counts.items()))
    return (
        f"passed over {counts.total()} in hidden places and leavings of systems ({found}), which are taken for "
        "thumbnails or rubbish; name such a folder itself to read it"
    )
