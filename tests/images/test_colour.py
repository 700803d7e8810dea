"""Profiles are put together here by the tables of ICC.1; colours of the standards are adapted to D50 as published."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from giqa.images import open_source
from giqa.images.colour import UNREADABLE, colour_space, h273, of_icc
from giqa.images.differences import advice, differences
from giqa.images.png import chunk
from giqa.images.profile import look_at, profile

# columns of the matrices to XYZ D50, as brucelindbloom.com lists them
SRGB = ((0.4360747, 0.2225045, 0.0139322), (0.3850649, 0.7168786, 0.0971045), (0.1430804, 0.0606169, 0.7141733))
ADOBE = ((0.6097559, 0.3111242, 0.0194811), (0.2052401, 0.6256560, 0.0608902), (0.1492240, 0.0632197, 0.7448387))
PROPHOTO = ((0.7976749, 0.2880402, 0.0), (0.1351917, 0.7118741, 0.0), (0.0313534, 0.0000857, 0.8252100))
P3 = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407))
OWN = ((0.5, 0.3, 0.05), (0.3, 0.6, 0.1), (0.1642, 0.1, 0.6749))


def fixed(*values):
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


SRGB_CURVE = b"para\0\0\0\0\0\3\0\0" + fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def gamma(value):
    return b"curv\0\0\0\0\0\0\0\1" + struct.pack(">H", round(value * 256)) + b"\0\0"


def table(values):
    return b"curv\0\0\0\0" + struct.pack(f">I{len(values)}H", len(values), *values)


def text(name, v4=False):
    if v4:
        letters = name.encode("utf-16-be")
        return b"mluc\0\0\0\0" + struct.pack(">II", 1, 12) + b"enUS" + struct.pack(">II", len(letters), 28) + letters
    return b"desc\0\0\0\0" + struct.pack(">I", len(name) + 1) + name.encode() + bytes(79)


def icc(colours=SRGB, curve=SRGB_CURVE, name="a display", space=b"RGB ", v4=False, extra=()):
    tags = [(b"desc", text(name, v4)), *extra]
    if space == b"GRAY":
        tags.append((b"kTRC", curve))
    elif colours:
        tags += [
            (tag, b"XYZ \0\0\0\0" + fixed(*xyz)) for tag, xyz in zip((b"rXYZ", b"gXYZ", b"bXYZ"), colours, strict=True)
        ]
        tags += [(tag, curve) for tag in (b"rTRC", b"gTRC", b"bTRC")]
    start, body, entries = 132 + 12 * len(tags), b"", struct.pack(">I", len(tags))
    for tag, data in tags:
        entries += tag + struct.pack(">II", start + len(body), len(data))
        body += data
    head = bytes(12) + b"mntr" + space + b"XYZ " + bytes(12) + b"acsp"
    return head.ljust(128, b"\0") + entries + body


@pytest.mark.parametrize(
    ("made", "name"),
    [
        (icc(), "sRGB"),
        (icc(curve=gamma(2.2)), "sRGB"),  # cannot be told apart by eye: .218 at a half, not .214
        (icc(curve=table([round(65535 * (i / 1023) ** 2.2) for i in range(1024)])), "sRGB"),
        (icc(curve=gamma(1.0)), "sRGB of gamma 1"),
        (icc(curve=b"curv\0\0\0\0\0\0\0\0"), "sRGB of gamma 1"),
        (icc(curve=gamma(1.8)), "sRGB of gamma 1.8"),
        (icc(P3), "Display P3"),
        (icc(P3, name="wide", v4=True), "Display P3"),
        (icc(ADOBE, gamma(2.19921875)), "Adobe RGB"),
        (icc(PROPHOTO, gamma(1.8)), "ProPhoto RGB"),
        (icc(OWN, gamma(2.2), "DELL U2720Q"), "profile 'DELL U2720Q'"),
        (icc(OWN, gamma(2.2), "Ω display", v4=True), "profile 'Ω display'"),
        (icc((), name="sRGB v4 ICC preference"), "sRGB"),  # by tables only
        (icc((), name="a camera"), "profile 'a camera'"),
        (icc((), space=b"CMYK", name="Coated FOGRA39"), "CMYK ('Coated FOGRA39')"),
        (icc(space=b"GRAY", curve=gamma(2.2)), "sRGB"),
        (icc(space=b"GRAY", curve=gamma(1.75), name="Dot Gain 20%"), "grey of gamma 1.8 ('Dot Gain 20%')"),
        (icc(extra=[(b"cicp", b"cicp\0\0\0\0\x09\x10\0\1")]), "Rec. 2020 PQ"),
        (icc(name="line\nbreak \x1b[31m"), "sRGB"),
        (icc(OWN, name="line\nbreak \x1b[31mred" + "x" * 99), "profile 'linebreak [31mred" + "x" * 43 + "'"),
    ],
    ids=range(20),
)
def test_a_profile_is_named_by_what_it_does(made, name):
    """By primaries and tone curve, whatever it is called; by its name, cut and made printable, where it has tables."""
    assert of_icc(made) == name


def test_the_profile_that_littlecms_makes_is_srgb():
    assert of_icc(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()) == "sRGB"


def encoded(format, **options):
    file = io.BytesIO()
    Image.new("RGB", (16, 16), "red").save(file, format, **options)
    return file.getvalue()


def png(*chunks):
    raw = encoded("PNG")
    at = raw.index(b"IDAT") - 4
    return raw[:at] + b"".join(chunks) + raw[at:]


def chromaticities(*xy):
    return chunk(b"cHRM", struct.pack(">8I", *(round(value * 100_000) for value in (0.3127, 0.329, *xy))))


def exif(space, index=None):
    made = Image.Exif()
    made[34665] = {40961: space} | ({40965: {1: index}} if index else {})
    return made


LARGE = icc(P3, extra=[(b"priv", np.random.default_rng(0).bytes(1_500_000))])


@pytest.mark.parametrize(
    ("raw", "colour"),
    [
        *[(encoded(format, icc_profile=icc(P3)), "Display P3") for format in ("PNG", "JPEG", "WEBP", "TIFF", "AVIF")],
        *[(encoded(format), None) for format in ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF")],
        *[(encoded(format, icc_profile=b"no profile"), UNREADABLE) for format in ("PNG", "JPEG", "WEBP", "TIFF")],
        (encoded("PNG", icc_profile=LARGE), "Display P3"),
        (encoded("JPEG", icc_profile=LARGE), "Display P3"),
        (png(chunk(b"sRGB", b"\0")), "sRGB"),
        (png(chunk(b"gAMA", struct.pack(">I", 45455))), "sRGB"),
        (png(chunk(b"gAMA", struct.pack(">I", 100_000))), "sRGB of gamma 1"),
        (png(chunk(b"gAMA", struct.pack(">I", 0))), UNREADABLE),
        (png(chromaticities(0.68, 0.32, 0.265, 0.69, 0.15, 0.06)), "Display P3"),
        (png(chromaticities(0.64, 0.33, 0.3, 0.6, 0.15, 0.06)), "sRGB"),
        (png(chromaticities(0.7, 0.3, 0.1, 0.8, 0.15, 0.06)), "primaries of its own"),
        (png(chunk(b"cICP", bytes([12, 13, 0, 1]))), "Display P3"),
        (png(chunk(b"cICP", bytes([9, 18, 0, 1])), chunk(b"sRGB", b"\0")), "Rec. 2020 HLG"),
        (png(chunk(b"iCCP", b"x\0\0" + zlib.compress(icc(ADOBE, gamma(2.2)))), chunk(b"sRGB", b"\0")), "Adobe RGB"),
        (png(chunk(b"iCCP", b"x\0\0" + zlib.compress(icc(P3))[:80])), UNREADABLE),
        (png(chunk(b"iCCP", b"x")), UNREADABLE),
        (encoded("JPEG", exif=exif(1)), "sRGB"),
        (encoded("JPEG", exif=exif(65535, "R03")), "Adobe RGB"),  # as cameras write it, without a profile
        (encoded("JPEG", exif=exif(65535)), None),
        (np.zeros((8, 8, 3), np.uint8), None),
    ],
    ids=range(33),
)
def test_every_format_says_its_colour_space(raw, colour):
    """Profiles of all formats, the chunks of PNG in the order of its standard, EXIF; none, or damage."""
    assert look_at("x", raw).colour == colour


def test_avif_says_it_in_numbers():
    """The box colr, with the numbers of ITU-T H.273, where there is no profile."""
    raw = encoded("AVIF")
    at = raw.index(b"colrnclx") + 8
    assert look_at("x", raw).colour == "sRGB"
    assert look_at("x", raw[:at] + b"\0\x0c" + raw[at + 2 :]).colour == "Display P3"
    assert h273(9, 16) == "Rec. 2020 PQ" and h273(1, 8) == "sRGB linear" and h273(77, 1) == "primaries 77"


def test_every_cut_of_a_profile_is_harmless():
    """Whatever is left of a profile, there is a name or a word that it cannot be read."""
    whole = icc(P3, v4=True)
    cuts = [whole[:end] for end in range(1, len(whole), 3)]
    noise = np.random.default_rng(0)
    for _ in range(1000):
        broken = bytearray(whole)
        for at in noise.integers(128, len(whole), 6):
            broken[at] = noise.integers(256)
        cuts.append(bytes(broken))
    names = [colour_space("JPEG", b"", {"icc_profile": made}, {}) for made in cuts]
    assert all(isinstance(name, str) and name.isprintable() for name in names)
    assert UNREADABLE in names and "Display P3" in names


def test_sets_in_other_colours_differ_and_srgb_is_no_difference(tmp_path):
    """Untagged is taken for sRGB; Display P3 is another space."""
    pixels = np.random.default_rng(0).integers(0, 256, (12, 24, 24, 3), dtype=np.uint8)
    looks = {}
    for name, made in {"none": None, "srgb": icc(), "p3": icc(P3)}.items():
        (tmp_path / name).mkdir()
        for i, picture in enumerate(pixels):
            Image.fromarray(picture).save(tmp_path / name / f"{i}.png", icc_profile=made)
        looks[name] = profile(open_source(tmp_path / name))
    assert differences(looks["none"], looks["srgb"]) == ()
    assert differences(looks["srgb"], looks["p3"]) == differences(looks["p3"], looks["none"]) == ("colour profile",)
    assert advice(("colour profile",)) == "colour profiles are not applied, so convert both sets to sRGB first"
    assert advice(("size", "colour profile")).startswith("match='auto' (--match) evens it out; colour profiles are not")
    assert looks["p3"].saved() == "100% PNG, 100% in Display P3"
