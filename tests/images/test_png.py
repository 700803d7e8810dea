"""What a PNG carries beside its pixels decides nothing; the files are put together here, chunk by chunk."""

import io
import json
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageFile, PngImagePlugin

from giqa.errors import BadImage
from giqa.images.decode import decode
from giqa.images.png import chunk, chunks, without_extras

LETTER = np.array([[10, 20, 30], [40, 50, 60]], np.uint8)  # 2 x 3
TURNED = [[40, 10], [50, 20], [60, 30]]  # by orientation 6, a quarter to the right
LARGE = json.dumps({"nodes": ["x" * 100] * 20_000}).encode()  # 2 MB, more than Pillow takes
XMP = b'<x:xmpmeta><rdf:Description %s tiff:Orientation="6"/></x:xmpmeta>'


def file(*extras, behind=()):
    """LETTER as a PNG, with chunks before and behind the pixels."""
    made = io.BytesIO()
    Image.fromarray(LETTER).save(made, "PNG")
    raw = made.getvalue()
    pixels, end = raw.index(b"IDAT") - 4, raw.index(b"IEND") - 4
    return raw[:pixels] + b"".join(extras) + raw[pixels:end] + b"".join(behind) + raw[end:]


def itxt(keyword, text, packed=True):
    return chunk(
        b"iTXt", keyword + (b"\0\1\0" if packed else b"\0\0\0") + b"\0\0" + (zlib.compress(text) if packed else text)
    )


def damaged(made):
    return made[:-1] + bytes([made[-1] ^ 1])


def exif(orientation):
    made = Image.Exif()
    made[274] = orientation
    return made.tobytes().removeprefix(b"Exif\0\0")


@pytest.mark.parametrize(
    "extra",
    [
        chunk(b"zTXt", b"workflow\0\0" + zlib.compress(LARGE)),
        chunk(b"tEXt", b"parameters\0" + LARGE),
        itxt(b"prompt", LARGE),
        itxt(b"prompt", LARGE, packed=False),
        itxt(b"XML:com.adobe.xmp", LARGE),
        chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(LARGE)),
        chunk(b"iCCP", b"wide\0\0" + zlib.compress(LARGE)),
        chunk(b"iCCP", b"wide\0\7" + zlib.compress(LARGE)),  # an unknown packing
        b"".join(chunk(b"zTXt", b"part %d\0\0" % i + zlib.compress(LARGE[:900_000])) for i in range(80)),
        chunk(b"zTXt", b"bomb\0\0" + zlib.compress(bytes(1 << 24))),
        chunk(b"zTXt", b"cut\0\0" + zlib.compress(LARGE)[:50]),
        chunk(b"tEXt", b"bbox\0here"),  # keywords that Pillow takes for its own
        chunk(b"tEXt", b"transparency\0none"),
        chunk(b"tEXt", b"no end of the keyword"),
        chunk(b"tEXt", b""),
        damaged(chunk(b"tEXt", b"comment\0fine")),
        damaged(chunk(b"pHYs", struct.pack(">IIB", 1, 1, 0))),
        damaged(chunk(b"eXIf", exif(6))),  # EXIF that cannot be read counts as none
        chunk(b"gAMA", b"\0"),
        chunk(b"sBIT", bytes(9)),
        chunk(b"prVt", bytes(3_000_000)),  # a program's own
    ],
    ids=range(21),
)  # fmt: skip
@pytest.mark.parametrize("behind", [False, True])
def test_what_a_png_carries_beside_its_pixels_does_not_matter(extra, behind):
    """Text, profiles and private chunks of any size and in any state, before and behind the pixels."""
    picture = decode(file(behind=[extra]) if behind else file(extra))
    assert picture.pixels[:, :, 0].tolist() == LETTER.tolist() and picture.notes == ("grey",)


@pytest.mark.parametrize(
    "extra",
    [
        chunk(b"eXIf", exif(6)),
        chunk(b"eXIf", exif(6) + bytes(2_000_000)),
        itxt(b"XML:com.adobe.xmp", XMP % b""),
        itxt(b"XML:com.adobe.xmp", XMP % b"", packed=False),
        itxt(b"XML:com.adobe.xmp", XMP % (b"d='" + LARGE + b"'")),
        itxt(b"XML:com.adobe.xmp", XMP % (b"d='" + LARGE + b"'"), packed=False),
        chunk(b"tEXt", b"Raw profile type exif\0\nexif\n 26\n" + exif(6).hex().encode()),
        chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(b"\nexif\n 26\n" + exif(6).hex().encode())),
    ],
    ids=range(8),
)
def test_an_orientation_is_honoured_wherever_it_stands(extra):
    """In EXIF, in XMP, in EXIF written as text; also in XMP of megabytes, and beside a large text."""
    large = chunk(b"zTXt", b"workflow\0\0" + zlib.compress(LARGE))
    for raw in (file(extra), file(large, extra), file(extra, behind=[large])):
        picture = decode(raw)
        assert picture.pixels[:, :, 0].tolist() == TURNED
        assert "EXIF orientation applied" in picture.notes


def test_what_is_cut_is_still_an_error():
    """A file that ends within a text, before or behind the pixels, is not whole."""
    large = chunk(b"zTXt", b"workflow\0\0" + zlib.compress(LARGE))
    whole = file(large, behind=[large])
    for at in (60, whole.index(b"IDAT") + 8, len(whole) - 100):
        with pytest.raises(BadImage, match="truncated or damaged PNG"):
            decode(whole[:at])


def test_damaged_pixels_are_still_an_error():
    """Only what may be ignored is: a wrong checksum of the palette, transparency or header stays fatal."""
    with pytest.raises(BadImage, match="truncated or damaged PNG"):
        decode(file(damaged(chunk(b"tRNS", b"\0\x0a"))))


def test_pillows_limits_are_never_touched():
    """No setting of Pillow is changed while a large text is read over."""

    def limits():
        return PngImagePlugin.MAX_TEXT_CHUNK, PngImagePlugin.MAX_TEXT_MEMORY, ImageFile.LOAD_TRUNCATED_IMAGES

    before = limits()
    decode(file(chunk(b"zTXt", b"workflow\0\0" + zlib.compress(LARGE))))
    assert limits() == before


def test_a_plain_png_is_handed_on_as_it_is_and_an_animation_stays_one():
    """Nothing is copied where nothing is left out; frames are kept."""
    raw = file()
    assert without_extras(raw) is raw
    assert [name for name, _, _ in chunks(raw)] == [b"IHDR", b"IDAT", b"IEND"]
    made = io.BytesIO()
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    text = PngImagePlugin.PngInfo()
    text.add_text("comment", "two frames")
    frames[0].save(made, "PNG", save_all=True, append_images=frames[1:], pnginfo=text)
    picture = decode(made.getvalue())
    assert picture.pixels[0, 0].tolist() == [255, 0, 0] and picture.notes == ("first frame of several",)
