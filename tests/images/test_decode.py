"""Expected pixels are worked out by hand; broken files are made by cutting and patching whole ones."""

import hashlib
import io
import struct
import threading
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from giqa.errors import BadImage
from giqa.images.decode import MAX_PIXELS, NOTES, decode, note_bits, note_names, picture_info
from giqa.images.formats import is_deep_avif
from giqa.types import INFO, Picture

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")
ENOUGH = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)


def encoded(image, format="PNG", **options):
    file = io.BytesIO()
    (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(file, format, **options)
    return file.getvalue()


def png(width, height, depth, colour, data, *extra):
    """A PNG of a kind that Pillow does not write."""

    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    chunks = [(b"IHDR", header), *extra, (b"IDAT", zlib.compress(data)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*c) for c in chunks)


def bomb(format):
    """A small file whose header promises 60000 x 60000 (WebP: its largest, 16383 x 16383)."""
    raw = bytearray(encoded(ENOUGH, format))
    if format == "PNG":
        raw[16:24] = struct.pack(">II", 60000, 60000)
    elif format == "JPEG":
        at = raw.index(b"\xff\xc0") + 5
        raw[at : at + 4] = struct.pack(">HH", 60000, 60000)
    elif format == "WEBP":
        raw[26:30] = struct.pack("<HH", 16383, 16383)
    elif format == "BMP":
        raw[18:26] = struct.pack("<ii", 60000, 60000)
    elif format == "GIF":
        raw[6:10] = struct.pack("<HH", 60000, 60000)
    else:
        for tag in (256, 257):
            at = raw.index(struct.pack("<HH", tag, 4 if struct.pack("<HH", tag, 4) in raw else 3))
            raw[at + 8 : at + 12] = struct.pack("<I", 60000)
    return bytes(raw)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    "damage, message",
    [
        (lambda f: b"", "empty file"),
        (lambda f: encoded(ENOUGH, f)[:-200], "truncated or damaged"),
        (lambda f: encoded(ENOUGH, f)[:30], "truncated or damaged"),
        (lambda f: b"\0" * 16 + encoded(ENOUGH, f)[16:], "not an image (unknown format"),
        (bomb, "too large: "),
    ],
    ids=["empty", "truncated", "header only", "wrong magic", "bomb"],
)
def test_a_broken_file_is_a_bad_image_with_a_short_reason_and_no_warning(format, damage, message):
    """Every format, broken in every way, says what is wrong with it in one line and warns of no bomb."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        warnings.simplefilter("ignore", UserWarning)  # Pillow's, about what it could not read of a TIFF
        with pytest.raises(BadImage) as caught:
            decode(damage(format))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_size_message_gives_size_and_limit():
    """What is too large is told with its size in megapixels, beside the limit."""
    with pytest.raises(BadImage, match=r"too large: 60000 x 60000 = 3600 megapixels; the limit is 89\.5"):
        decode(bomb("PNG"))
    with pytest.raises(BadImage, match=r"limit is 0\.0001"):
        decode(encoded(ENOUGH), max_pixels=100)


def test_the_limit_is_where_pillow_would_begin_to_warn():
    """Just above the limit a real picture is refused without being decoded, and no setting of Pillow is touched."""
    before = Image.MAX_IMAGE_PIXELS
    with pytest.raises(BadImage, match="too large: 9500 x 9500 = 90 megapixels"):
        decode(encoded(Image.new("1", (9500, 9500)), "PNG"))
    assert Image.MAX_IMAGE_PIXELS == before == MAX_PIXELS


def test_a_gif_frame_beyond_its_screen_counts():
    """A GIF that hides a huge frame behind a small screen is refused before Pillow can warn of it."""
    raw = bytearray(encoded(ENOUGH, "GIF"))
    at = raw.index(b"\x2c\0\0\0\0 \0") + 5  # the frame, 32 wide
    raw[at : at + 4] = struct.pack("<HH", 10000, 10000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(BadImage, match="10000 x 10000 = 100 megapixels"):
            decode(bytes(raw))


def test_a_png_without_pixels_is_refused():
    """A width of zero is said so."""
    with pytest.raises(BadImage, match="no pixels: 0 x 4"):
        decode(png(0, 4, 8, 2, b""))


@pytest.mark.parametrize("thing", ["photo.png", 5, None, Image.new("RGB", (1, 1))])
def test_only_bytes_and_arrays_are_decoded(thing):
    """A path or a Pillow image handed over by mistake is named by its type."""
    with pytest.raises(BadImage, match=f"got {type(thing).__name__}"):
        decode(thing)


@pytest.mark.parametrize("format", ["PNG", "BMP", "TIFF"])
def test_rgb_comes_back_as_it_was(format):
    """A lossless file gives its own pixels, contiguous, with nothing to note."""
    picture = decode(encoded(ENOUGH, format))
    np.testing.assert_array_equal(picture.pixels, ENOUGH)
    assert picture.pixels.flags.c_contiguous and picture.pixels.dtype == np.uint8
    assert picture.notes == ()


def paletted(transparency=None):
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putpixel((1, 0), 1)
    return encoded(image, **({} if transparency is None else {"transparency": transparency}))


RED, BLUE, WHITE = [255, 0, 0], [0, 0, 255], [255, 255, 255]


@pytest.mark.parametrize(
    "raw, pixels, notes",
    [
        (encoded(Image.new("L", (1, 1), 77)), [[[77] * 3]], ("grey",)),
        (encoded(Image.new("1", (1, 1), 1)), [[WHITE]], ("grey",)),
        (encoded(Image.new("1", (1, 1), 1), "TIFF"), [[WHITE]], ("grey",)),
        # (100 * 51 + 255 * 204) / 255 = 224
        (encoded(Image.new("LA", (1, 1), (100, 51))), [[[224] * 3]], ("grey", NOTES[2])),
        (encoded(Image.new("RGBA", (1, 1), (0, 100, 255, 51))), [[[204, 224, 255]]], (NOTES[2],)),
        (encoded(Image.new("RGBA", (1, 1), (1, 2, 3, 0)), "WEBP", lossless=True), [[WHITE]], (NOTES[2],)),
        (encoded(Image.new("RGBA", (1, 1), (1, 2, 3, 255))), [[[1, 2, 3]]], ()),
        (paletted(), [[RED, BLUE]], ("palette",)),
        (paletted(1), [[RED, WHITE]], ("palette", NOTES[2])),
        (paletted(bytes([255, 51])), [[RED, [204, 204, 255]]], ("palette", NOTES[2])),
        (encoded(Image.new("CMYK", (1, 1), (0, 255, 255, 0)), "TIFF"), [[RED]], ("CMYK converted",)),
        (encoded(Image.new("F", (1, 1), 0.2), "TIFF"), [[[51] * 3]], ("grey", "float scaled to 8 bit")),
        # colour keys (tRNS): RGB, 8-bit grey, 2-bit grey (samples 1 and 3 of 3: 85 and 255), 16-bit grey
        (png(2, 1, 8, 2, bytes([0, *RED, *BLUE]), (b"tRNS", b"\0\0\0\0\0\xff")), [[RED, WHITE]], (NOTES[2],)),
        (png(2, 1, 8, 0, bytes([0, 7, 9]), (b"tRNS", b"\0\x07")), [[WHITE, [9] * 3]], ("grey", NOTES[2])),
        (png(2, 1, 2, 0, bytes([0, 0b01000000]), (b"tRNS", b"\0\x00")), [[[85] * 3, WHITE]], ("grey", NOTES[2])),
        (png(2, 1, 1, 0, bytes([0, 0b10000000]), (b"tRNS", b"\0\x01")), [[WHITE, [0] * 3]], ("grey", NOTES[2])),
        (
            png(2, 1, 16, 0, bytes([0, 1, 1, 1, 2]), (b"tRNS", b"\1\2")),
            [[[1] * 3, WHITE]],
            ("grey", NOTES[2], NOTES[3]),
        ),
        # 16 bit: 128 / 257 is less than a half, 129 / 257 is more; colour keeps the high byte
        (png(2, 1, 16, 0, b"\0\x00\x80\x00\x81"), [[[0] * 3, [1] * 3]], ("grey", NOTES[3])),
        (png(1, 1, 16, 2, b"\0\x01\xff\x80\x00\xff\xff"), [[[1, 128, 255]]], (NOTES[3],)),
        (encoded(np.array([[257 * 40]], np.uint16), "TIFF"), [[[40] * 3]], ("grey", NOTES[3])),
    ],
    ids=range(20),
)
def test_every_mode_has_the_stated_pixels_and_notes(raw, pixels, notes):
    """The table in the module's docstring, line by line."""
    picture = decode(raw)
    assert picture.pixels.tolist() == pixels
    assert picture.notes == notes


def test_an_adobe_cmyk_jpeg_is_not_inverted():
    """Pure yellow ink in a JPEG comes back as yellow."""
    ((red, green, blue),) = decode(encoded(Image.new("CMYK", (8, 8), (0, 0, 255, 0)), "JPEG")).pixels[0, :1]
    assert red > 245 and green > 245 and blue < 10


@pytest.mark.parametrize(
    "image, message",
    [
        (Image.new("I", (1, 1), 5), "mode I"),
        (Image.new("LAB", (1, 1)), "mode LAB"),
        (Image.new("F", (1, 1), 2.0), r"float pixels must lie in \[0, 1\]"),
    ],
    ids=["32-bit", "LAB", "float"],
)
def test_a_tiff_without_an_agreed_white_is_refused(image, message):
    """32-bit integers, LAB, and floats beyond [0, 1] are not guessed at."""
    with pytest.raises(BadImage, match=message):
        decode(encoded(image, "TIFF"))


def test_a_16_bit_tiff_with_white_as_zero_is_refused():
    """Pillow reads it inverted; better no picture than a negative."""
    raw = bytearray(encoded(np.array([[9]], np.uint16), "TIFF"))
    at = raw.index(struct.pack("<HH", 262, 3)) + 8
    raw[at] = 0
    with pytest.raises(BadImage, match="white as zero"):
        decode(bytes(raw))


LETTER = np.array([[10, 20, 30], [40, 50, 60]], np.uint8)  # 2 x 3
UPRIGHT = {  # how a viewer shows it, by the EXIF standard: where row 0 and column 0 of the file belong
    1: [[10, 20, 30], [40, 50, 60]],
    2: [[30, 20, 10], [60, 50, 40]],
    3: [[60, 50, 40], [30, 20, 10]],
    4: [[40, 50, 60], [10, 20, 30]],
    5: [[10, 40], [20, 50], [30, 60]],
    6: [[40, 10], [50, 20], [60, 30]],
    7: [[60, 30], [50, 20], [40, 10]],
    8: [[30, 60], [20, 50], [10, 40]],
}


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("format, options", [("PNG", {}), ("TIFF", {}), ("WEBP", {"lossless": True})])
def test_exif_orientation_is_applied_once(format, options, orientation):
    """All eight orientations are shown upright, whether Pillow turns the format by itself or not."""
    exif = Image.Exif()
    exif[274] = orientation
    picture = decode(encoded(LETTER, format, exif=exif, **options))
    assert picture.pixels[:, :, 0].tolist() == UPRIGHT[orientation]
    assert ("EXIF orientation applied" in picture.notes) == (orientation != 1)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_damaged_exif_is_no_exif():
    """The pixels are whole, so a picture with unreadable EXIF is decoded as it lies."""
    np.testing.assert_array_equal(decode(encoded(ENOUGH, exif=b"Exif\0\0II*\0\xff\xff\xff\xff")).pixels, ENOUGH)


@pytest.mark.parametrize("format", ["GIF", "TIFF", "PNG", "WEBP"])
def test_of_several_frames_the_first_is_taken(format):
    """An animation is its first frame, and says so."""
    frames = [Image.new("RGB", (4, 4), "red"), Image.new("RGB", (4, 4), "blue")]
    options = {"lossless": True} if format == "WEBP" else {}
    picture = decode(encoded(frames[0], format, save_all=True, append_images=frames[1:], **options))
    assert picture.pixels[0, 0].tolist() == RED
    assert "first frame of several" in picture.notes


@pytest.mark.parametrize(
    "array, pixels, notes",
    [
        (np.array([[7]], np.uint8), [[[7] * 3]], ("grey",)),
        (np.array([[[7]]], np.uint8), [[[7] * 3]], ("grey",)),
        (np.array([[[1, 2, 3]]], np.uint8), [[[1, 2, 3]]], ()),
        (np.array([[[0, 100, 255, 51]]], np.uint8), [[[204, 224, 255]]], (NOTES[2],)),
        # rounded, not cut: (1 * 128 + 255 * 127) / 255 = 127.502
        (np.array([[[1, 0, 255, 128]]], np.uint8), [[[128, 127, 255]]], (NOTES[2],)),
        (np.array([[[0, 128, 129]]], np.uint16), [[[0, 0, 1]]], (NOTES[3],)),  # 128 / 257 < .5 < 129 / 257
        (np.array([[[0.0, 0.2, 1.0]]]), [[[0, 51, 255]]], (NOTES[8],)),
        (np.array([[0.2]], np.float16), [[[51] * 3]], ("grey", NOTES[8])),
    ],
    ids=range(8),
)
def test_arrays_follow_the_same_policy(array, pixels, notes):
    """An array is treated as the same pixels in a file would be."""
    picture = decode(array)
    assert picture.pixels.tolist() == pixels and picture.pixels.dtype == np.uint8
    assert picture.notes == notes


@pytest.mark.parametrize(
    "array, message",
    [
        (np.zeros((2, 2), bool), "shape (2, 2) and type bool"),
        (np.zeros((2, 2), np.int64), "type int64"),
        (np.zeros((2, 2, 2), np.uint8), "shape (2, 2, 2)"),
        (np.zeros((1, 2, 2, 3), np.uint8), "shape (1, 2, 2, 3)"),
        (np.zeros((0, 2, 3), np.uint8), "has no pixels"),
        (np.full((2, 2), 255.0), "must lie in [0, 1], these lie in [255, 255]"),
        (np.full((2, 2), -0.1), "must lie in [0, 1]"),
        (np.full((2, 2), np.nan), "must lie in [0, 1]"),
    ],
    ids=["bool", "int64", "two channels", "batch", "empty", "255", "negative", "nan"],
)
def test_an_array_that_is_no_picture_is_named(array, message):
    """The reason holds the shape, the type or the range that was given."""
    with pytest.raises(BadImage) as caught:
        decode(array)
    assert message in str(caught.value)


def test_threads_decode_the_same():
    """Decoding from eight threads gives the pixels that one gives."""
    raws = [encoded(ENOUGH, format) for format in FORMATS] * 8
    alone = [decode(raw).pixels for raw in raws]
    got = [None] * len(raws)

    def work(first):
        for index in range(first, len(raws), 8):
            got[index] = decode(raws[index]).pixels

    threads = [threading.Thread(target=work, args=(first,)) for first in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(a, b) for a, b in zip(alone, got, strict=True))


def test_note_bits_and_names_are_inverse():
    """Every set of notes survives as bits, and the order of the stored bits never changes."""
    assert note_bits(["grey"]) == 1 and note_bits(["first frame of several"]) == 64
    for bits in range(1 << len(NOTES)):
        assert note_bits(note_names(bits)) == bits


def test_picture_info_is_digest_thumbnail_size_and_notes():
    """A 16 x 16 picture of four flat quarters has them in its thumbnail; the digest is SHA-256 by the stated recipe."""
    pixels = np.zeros((16, 16, 3), np.uint8)
    pixels[:8, 8:], pixels[8:, :8] = 100, 200
    info = picture_info(Picture(pixels, ("palette",)))
    assert info.dtype == INFO
    assert bytes(info["digest"]) == hashlib.sha256(b"16x16:" + pixels.tobytes()).digest()[:16]
    assert info["thumbnail"][:, :, 1].tolist() == [[0] * 4 + [100] * 4] * 4 + [[200] * 4 + [0] * 4] * 4
    assert (info["width"], info["height"], info["notes"]) == (16, 16, 2)


def test_picture_info_averages_boxes_and_takes_any_size():
    """A thumbnail pixel is the mean of its box; a picture of one pixel, and a turned view, work too."""
    pixels = np.zeros((16, 16, 3), np.uint8)
    pixels[0, 0] = 200  # a quarter of its box
    assert picture_info(Picture(pixels))["thumbnail"][0, 0].tolist() == [50] * 3
    info = picture_info(Picture(np.full((1, 1, 3), 9, np.uint8)))
    assert (info["thumbnail"] == 9).all() and (info["width"], info["height"]) == (1, 1)
    turned = ENOUGH.swapaxes(0, 1)
    assert picture_info(Picture(turned)) == picture_info(Picture(turned.copy()))


def test_the_digest_knows_the_shape():
    """The same bytes in another shape are another picture."""
    wide, high = np.zeros((2, 8, 3), np.uint8), np.zeros((8, 2, 3), np.uint8)
    assert bytes(picture_info(Picture(wide))["digest"]) == hashlib.sha256(b"2x8:" + bytes(48)).digest()[:16]
    assert bytes(picture_info(Picture(high))["digest"]) == hashlib.sha256(b"8x2:" + bytes(48)).digest()[:16]


@pytest.mark.parametrize(
    "format, options",
    [
        ("JPEG", {"icc_profile": bytes(3_000_000)}),  # in 46 parts
        ("JPEG", {"comment": b"c" * 60_000, "xmp": b"x" * 60_000}),
        ("WEBP", {"lossless": True, "xmp": b"x" * 3_000_000, "icc_profile": bytes(3_000_000)}),
        ("TIFF", {"tiffinfo": {270: "x" * 3_000_000}, "icc_profile": bytes(3_000_000)}),
        ("GIF", {"comment": b"c" * 3_000_000}),
        ("AVIF", {"xmp": b"x" * 3_000_000, "icc_profile": bytes(3_000_000)}),
    ],
)
def test_text_and_profiles_of_megabytes_change_no_pixel(format, options):
    """In every other format too; of PNG see test_png."""
    kept = {"lossless": True} if format == "WEBP" else {}
    np.testing.assert_array_equal(
        decode(encoded(ENOUGH, format, **options)).pixels, decode(encoded(ENOUGH, format, **kept)).pixels
    )


def test_a_telephones_jpeg_with_a_second_picture_is_its_first():
    """MPO: two JPEGs in one file."""
    picture = decode(
        encoded(Image.new("RGB", (16, 16), "red"), "MPO", save_all=True, append_images=[Image.new("RGB", (16, 16))])
    )
    assert picture.pixels[0, 0, 0] > 250 and picture.notes == ("first frame of several",)


def test_avif_is_upright_and_its_depth_is_known():
    """Turned by the box of the format; the flags of AV1 (box av1C, third byte) say 10 or 12 bits, which become 8."""
    exif = Image.Exif()
    exif[274] = 6
    raw = encoded(Image.new("RGB", (32, 16), "red"), "AVIF", exif=exif)
    assert decode(raw).pixels.shape == (32, 16, 3) and decode(raw).notes == ("EXIF orientation applied",)
    assert not is_deep_avif(raw)
    at = raw.index(b"av1C") + 6
    assert is_deep_avif(raw[:at] + bytes([raw[at] | 0x40]) + raw[at + 1 :])
    assert not is_deep_avif(b"av1C")
