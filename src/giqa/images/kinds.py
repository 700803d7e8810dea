"""What a file is by its first bytes, whatever it is called."""

from __future__ import annotations

import codecs
import re

HEAD = 512  # bytes that are enough for every kind below
READ = ("PNG", "JPEG", "WebP", "BMP", "TIFF", "GIF", "AVIF")
_CONVERT = "convert it to PNG, for example with ImageMagick (magick IN OUT.png)"
PICTURES = (
    "HEIC",
    "JPEG XL",
    "JPEG 2000",
    "PSD",
    "OpenEXR",
    "Radiance HDR",
    "PNM",
    "QOI",
    "DDS",
    "SVG",
    "RAW photo",
)
VIDEOS = ("MP4 or QuickTime video", "Matroska or WebM video", "AVI video", "MPEG video", "Flash video")
ARCHIVES = (
    "zip archive",
    "7z archive",
    "RAR archive",
    "tar archive",
    "gzip file",
    "bzip2 file",
    "xz file",
    "zstd file",
)
# what to do about a file that is no picture giqa reads
REMEDIES = {
    **dict.fromkeys(PICTURES, _CONVERT),
    **dict.fromkeys(VIDEOS, "take pictures out of it first (ffmpeg -i IN OUT_%06d.png)"),
    **dict.fromkeys(ARCHIVES, "unpack it first"),
    **dict.fromkeys(("HTML page", "XML text", "JSON text"), "a download that failed? Get the picture again"),
    "Git LFS pointer": "run `git lfs pull` to get the picture itself",
    "git-annex pointer": "run `git annex get` to get the picture itself",
    "AppleDouble file of macOS": "it is the shadow of a picture; remove it",
    "file of zero bytes only": "a copy or download that broke off? Get the picture again",
}
_SIGNATURES = {  # the first that fits
    "PNG": (b"\x89PNG\r\n\x1a\n",),
    "JPEG": (b"\xff\xd8\xff",),
    "GIF": (b"GIF87a", b"GIF89a"),
    # before TIFF: the first is Canon's; those of other makers look like TIFF
    "RAW photo": (b"II*\0\x10\0\0\0CR", b"IIRO", b"IIU\0", b"FUJIFILM"),
    "TIFF": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    "PSD": (b"8BPS",),
    "OpenEXR": (b"v/1\x01",),
    "Radiance HDR": (b"#?RADIANCE", b"#?RGBE"),
    "JPEG XL": (b"\xff\n", b"\0\0\0\x0cJXL \r\n\x87\n"),
    "JPEG 2000": (b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"),
    "QOI": (b"qoif",),
    "DDS": (b"DDS ",),
    "Matroska or WebM video": (b"\x1aE\xdf\xa3",),
    "MPEG video": (b"\0\0\1\xba",),
    "Flash video": (b"FLV\1",),
    "zip archive": (b"PK\3\4", b"PK\5\6"),
    "7z archive": (b"7z\xbc\xaf\x27\x1c",),
    "RAR archive": (b"Rar!\x1a\7",),
    "gzip file": (b"\x1f\x8b",),
    "bzip2 file": (b"BZh",),
    "xz file": (b"\xfd7zXZ\0",),
    "zstd file": (b"\x28\xb5\x2f\xfd",),
    "PDF": (b"%PDF",),
    "NumPy array": (b"\x93NUMPY",),
    "Parquet file": (b"PAR1",),
    "Arrow file": (b"ARROW1",),
    "HDF5 file": (b"\x89HDF\r\n",),
    "AppleDouble file of macOS": (b"\0\5\x16\7",),
    "Git LFS pointer": (b"version https://git-lfs",),
    "git-annex pointer": (b"/annex/objects/",),
}
_BMP_HEADERS = {12, 16, 40, 52, 56, 64, 108, 124}  # sizes that the second header may have
_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}


def kind_of(head: bytes) -> str:
    """The name of the kind that begins so ("PNG", "HEIC", "HTML page", ...), "" when nothing here knows it.

    >>> kind_of(b"GIF89a"), kind_of(b"<!doctype html><title>404"), kind_of(b"?")
    ('GIF', 'HTML page', 'text')
    """
    head = head[:HEAD]
    if found := next((kind for kind, signatures in _SIGNATURES.items() if head.startswith(signatures)), None):
        return found
    if head[:2] == b"BM" and (len(head) < 18 or int.from_bytes(head[14:18], "little") in _BMP_HEADERS):
        return "BMP"  # two letters alone may begin any text
    if head[:4] == b"RIFF":
        return {b"WEBP": "WebP", b"AVI ": "AVI video"}.get(head[8:12], "")
    if head[4:8] == b"ftyp":
        return _iso_kind(head)
    if head[257:262] == b"ustar":
        return "tar archive"
    if len(head) >= 16 and not any(head):
        return "file of zero bytes only"
    return _text_kind(head)


def _iso_kind(head: bytes) -> str:
    """Of an ISO base media file, by its brands: the first, then those that it is compatible with."""
    end = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, end, 4))}
    if brands & {b"avif", b"avis"}:
        return "AVIF"
    if brands & _HEIC:
        return "HEIC"
    return "RAW photo" if b"crx " in brands else "MP4 or QuickTime video"


def _text_kind(head: bytes) -> str:
    if re.match(rb"P[1-7]\s+[#\d]|P[Ff]\n", head):
        return "PNM"
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        head = head.decode("utf-16", "replace").encode()
    low = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if re.match(rb"<(!doctype html|html|head|body)\b", low) or (low.startswith(b"<") and b"<html" in low):
        return "HTML page"
    if low.startswith(b"<svg") or (low.startswith(b"<") and b"<svg" in low):
        return "SVG"
    if low.startswith(b"<?xml"):
        return "XML text"
    if re.match(rb'\{\s*"|\[\s*[{"\[\d]', low):
        return "JSON text"
    return "text" if low and not re.search(rb"[\0-\x08\x0e-\x1a\x1c-\x1f]", low) and _is_utf8(low) else ""


def _is_utf8(text: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(text)  # its last letter may be cut
    except UnicodeDecodeError:
        return False
    return True
