"""Every signature is written out by hand from the description of its format."""

import io

import pytest
from PIL import Image

from giqa.errors import BadImage
from giqa.images.decode import decode
from giqa.images.kinds import READ, REMEDIES, kind_of


def iso(*brands):
    """The head of an ISO base media file: size, ftyp, first brand, version, compatible brands."""
    body = b"ftyp" + brands[0] + bytes(4) + b"".join(brands[1:])
    return (len(body) + 4).to_bytes(4, "big") + body + b"\0\0\0\x08free"


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (iso(b"avif", b"mif1", b"miaf"), "AVIF"),
        (iso(b"mif1", b"avif"), "AVIF"),
        (iso(b"heic", b"mif1"), "HEIC"),
        (iso(b"mif1", b"heic"), "HEIC"),
        (iso(b"crx ", b"isom"), "RAW photo"),
        (iso(b"qt  "), "MP4 or QuickTime video"),
        (iso(b"isom", b"avc1"), "MP4 or QuickTime video"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"\xff\x0a\xfa\x1f", "JPEG XL"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b"8BPS\0\1", "PSD"),
        (b"II*\0\x10\0\0\0CR\2\0", "RAW photo"),
        (b"II*\0\x08\0\0\0", "TIFF"),
        (b"RIFF\1\2\3\4WEBPVP8 ", "WebP"),
        (b"RIFF\1\2\3\4AVI LIST", "AVI video"),
        (b"RIFF\1\2\3\4WAVEfmt ", ""),
        (b"BM" + bytes(12) + b"\x28\0\0\0", "BMP"),
        (b"BMW and other cars, a list of names", "text"),
        (b"P6\n# made by hand\n8 8\n255\n", "PNM"),
        (b"P6 is a protein of the virus", "text"),
        (b"\n <!DOCTYPE html><html><head>", "HTML page"),
        (b"\xef\xbb\xbf<html lang=en>", "HTML page"),
        (b"<!-- proxy --><html>", "HTML page"),
        (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code>", "XML text"),
        (b"<?xml version='1.0'?>\n<svg xmlns=", "SVG"),
        (b'{"error": "rate limit"}', "JSON text"),
        ("not found: näher".encode(), "text"),
        ("<html>".encode("utf-16"), "HTML page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:", "Git LFS pointer"),
        (b"/annex/objects/SHA256E-s1--ab.png\n", "git-annex pointer"),
        (b"\0\5\x16\7\0\2\0\0Mac OS X", "AppleDouble file of macOS"),
        (bytes(100), "file of zero bytes only"),
        (b"PK\3\4\x14\0", "zip archive"),
        (b"a.png".ljust(257, b"\0") + b"ustar\x0000", "tar archive"),
        (b"\x93NUMPY\1\0", "NumPy array"),
        (b"", ""),
        (b"\x01\x02\x03\x04", ""),
    ],
)
def test_a_kind_is_known_by_its_first_bytes(head, kind):
    """Pictures, videos, archives, and what a failed download leaves in a picture's place."""
    assert kind_of(head) == kind


@pytest.mark.parametrize("kind", READ)
def test_what_pillow_writes_is_known(kind):
    """Each format that is read is recognised as Pillow writes it, and decodes."""
    file = io.BytesIO()
    Image.new("RGB", (16, 16), "red").save(file, kind)
    assert kind_of(file.getvalue()) == kind
    assert abs(decode(file.getvalue()).pixels[8, 8].astype(int) - [255, 0, 0]).max() < 8


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (iso(b"heic", b"mif1") + bytes(99), r"HEIC is not read .*convert it to PNG"),
        (iso(b"isom") + bytes(99), r"video is not read .*ffmpeg"),
        (b"<html><body>404 Not Found", "not an image but an HTML page; a download that failed"),
        (b"version https://git-lfs.github.com/spec/v1\n", "not an image but a Git LFS pointer; run `git lfs pull`"),
        (b"a caption", "not an image but text"),
        (bytes(50), "not an image but a file of zero bytes only; a copy or download that broke off"),
        (b"\x01\x02\x03", r"not an image \(unknown format; PNG, .* and AVIF are read\)"),
    ],
)
def test_what_is_no_picture_is_named_with_a_remedy(raw, message):
    """A file called .jpg that is none says what it is."""
    with pytest.raises(BadImage, match=message):
        decode(raw)


def test_without_avif_in_pillow_an_avif_says_what_to_install(monkeypatch):
    """Pillow before 11.3, or built without libavif."""
    from PIL import AvifImagePlugin

    monkeypatch.setattr(AvifImagePlugin, "SUPPORTED", False)
    with pytest.raises(BadImage, match=r"AVIF is read with Pillow 11\.3 or later: pip install"):
        decode(iso(b"avif", b"mif1") + bytes(99))


def test_every_remedy_is_of_a_kind_that_is_not_read():
    assert not set(READ) & set(REMEDIES)
