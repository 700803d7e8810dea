"""Pictures that are already pixels."""

import pickle
import zipfile

import numpy as np
import pytest

from giqa.errors import BadImage, BadSource, MissingSource
from giqa.images import open_source
from giqa.images.arrays import ArraySource, NpzSource, as_array
from giqa.metrics.reference_statistics import read_statistics

IMAGES = np.random.default_rng(0).integers(0, 256, (11, 6, 5, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    "images",
    [IMAGES, IMAGES[..., 0], IMAGES[..., :1], np.zeros((11, 6, 5, 4)), IMAGES.astype(np.uint16), list(IMAGES)],
    ids=["rgb", "grey", "one channel", "rgba float", "uint16", "list"],
)
def test_an_array_gives_its_rows(images):
    """Row i is picture i, untouched, called by its position so that names sort as they lie."""
    source = ArraySource(images)
    assert source.ids == ("00", "01", "02", "03", "04", "05", "06", "07", "08", "09", "10")
    np.testing.assert_array_equal(source.raw(3), images[3])
    assert len(source) == 11 and source.path(3) is None and source.name == "array"


def test_sizes_may_differ_in_a_list():
    """A list mixes sizes, grey and colour."""
    source = ArraySource([np.zeros((2, 3, 3), np.uint8), np.zeros((5, 4), np.uint8)], ids=["a", "b"], name="mine")
    assert source.raw(1).shape == (5, 4) and source.ids == ("a", "b") and source.name == "mine"


@pytest.mark.parametrize(
    "images, message",
    [
        (np.zeros((2, 3, 8, 8), np.uint8), r"channels first; give array\.transpose\(0, 2, 3, 1\)"),
        (np.zeros((2, 1, 8, 8), np.uint8), "channels first"),
        ([np.zeros((3, 8, 8), np.uint8)], r"item 0: .*channels first; give array\.transpose\(1, 2, 0\)"),
        (np.zeros((8, 8, 3), np.uint8), r"looks like one picture; give array\[None\]"),
        (np.zeros((8, 8), np.uint8), r"\(n, h, w\), \(n, h, w, 1\)"),
        (np.zeros((2, 8, 8, 2), np.uint8), "shape can be one of"),
        (np.zeros((2, 2, 8, 8, 3), np.uint8), "shape can be one of"),
        (np.zeros((), np.uint8), "shape can be one of"),
        (np.zeros((2, 0, 8, 3), np.uint8), "no pixels"),
        (np.zeros((0, 8, 8, 3), np.uint8), "holds no pictures"),
        ([], "holds no pictures"),
        (np.zeros((2, 8, 8, 3), np.int64), "type int64; pictures are uint8"),
        (np.zeros((2, 8, 8, 3), bool), "type bool"),
        (np.array([None, None]), "type object"),
        ([np.zeros((8, 8), np.uint8), "a.png"], "item 1 is no numpy array but str"),
        ([np.zeros((8, 8), np.uint8), np.zeros(3, np.uint8)], r"item 1: shape \(3,\).*one of \(h, w\), \(h, w, 1\)"),
    ],
)
def test_what_is_no_set_of_pictures_is_refused_with_the_remedy(images, message):
    """Shape and type are named, and what to do; nothing is guessed."""
    with pytest.raises(BadSource, match=message):
        ArraySource(images)


def test_ids_must_fit():
    """As many as pictures, all different."""
    with pytest.raises(BadSource, match="11 pictures but 2 ids"):
        ArraySource(IMAGES, ids=["a", "b"])
    with pytest.raises(BadSource, match="names 'a' twice"):
        ArraySource(IMAGES[:2], ids=["a", "a"])


def test_an_npz_gives_images_and_ids(tmp_path):
    """The key `images` wins, `ids` names them, as text, bytes or numbers; without it positions do."""
    path = tmp_path / "x.npz"
    np.savez(path, images=IMAGES[:2], other=IMAGES, ids=["b", "ä"])
    source = NpzSource(path)
    assert source.ids == ("b", "ä") and source.name == str(path)
    np.testing.assert_array_equal(source.raw(1), IMAGES[1])
    np.savez_compressed(path, images=IMAGES[:2], ids=np.array([b"x", b"y"]))
    assert NpzSource(path).ids == ("x", "y")
    np.savez(path, images=IMAGES[:2], ids=[7, 8])
    assert NpzSource(path).ids == ("7", "8")


def test_the_only_array_of_an_npz_needs_no_name(tmp_path):
    """`arr_0`, as many programs write it, with labels beside it."""
    np.savez(tmp_path / "x.npz", IMAGES, np.arange(11))
    assert len(NpzSource(tmp_path / "x.npz")) == 11


def test_objects_beside_the_images_are_not_loaded(tmp_path):
    """A pickle in another key neither runs nor stands in the way."""
    np.savez(tmp_path / "x.npz", images=IMAGES, meta=np.array([{"a": 1}]))
    assert len(NpzSource(tmp_path / "x.npz")) == 11


def test_a_npy_stays_on_disk_and_travels_as_its_path(tmp_path):
    """The array is memory-mapped, and pickled as its path instead of its content."""
    np.save(tmp_path / "x.npy", IMAGES)
    source = NpzSource(tmp_path / "x.npy")
    assert isinstance(source.images, np.memmap)
    pickled = pickle.dumps(source)
    assert len(pickled) < 500
    np.testing.assert_array_equal(pickle.loads(pickled).raw(10), IMAGES[10])


def save(path, **arrays):
    np.savez(path, **arrays)


@pytest.mark.parametrize(
    "write, message",
    [
        (lambda p: p.write_bytes(b""), "cannot be read"),
        (lambda p: p.write_bytes(b"PK\3\4 no zip"), "cannot be read"),
        (lambda p: p.write_bytes(pickle.dumps([1])), "cannot be read"),
        (lambda p: save(p, images=np.array([None])), "object arrays and pickles are refused"),
        (lambda p: save(p, a=IMAGES, b=IMAGES), "should hold an array called images; it holds a .*, b "),
        (lambda p: save(p, a=np.arange(3)), r"it holds a \(3,\)"),
        (lambda p: save(p, ids=["a"]), "it holds nothing"),
        (lambda p: save(p, images=IMAGES, ids=["a"]), "11 pictures but 1 ids"),
        (lambda p: save(p, images=IMAGES[:1], ids=[["a"]]), "should be a list of names"),
        (lambda p: save(p, images=IMAGES[:2], ids=["a", "a"]), "names 'a' twice"),
        (lambda p: save(p, images=IMAGES.transpose(0, 3, 1, 2)), "channels first"),
    ],
)
def test_a_bad_npz_says_why(tmp_path, write, message):
    """Broken, with objects, ambiguous, or with ids that do not fit."""
    write(tmp_path / "x.npz")
    with pytest.raises(BadSource, match=message):
        NpzSource(tmp_path / "x.npz")


def test_a_truncated_array_is_a_bad_source(tmp_path):
    """A .npy or .npz that ends early is refused as a whole."""
    np.save(tmp_path / "x.npy", IMAGES)
    np.savez_compressed(tmp_path / "x.npz", images=IMAGES)
    for name in ("x.npy", "x.npz"):
        raw = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(raw[:-50])
        with pytest.raises(BadSource, match="cannot be read"):
            NpzSource(tmp_path / name)


def test_a_missing_npz_is_missing(tmp_path):
    """A close name is offered."""
    save(tmp_path / "images.npz", images=IMAGES)
    with pytest.raises(MissingSource, match=r"Did you mean .*images\.npz"):
        NpzSource(tmp_path / "image.npz")


def declared(shape):
    """A .npy file of 1,000 bytes whose header declares this shape."""
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + bytes(1000)


@pytest.mark.parametrize("shape", [(10**9, 1024, 1024, 3), (-5, 8, 8, 3), (2**70, 8, 8, 3)])
@pytest.mark.parametrize("ending", ["npy", "npz"])
def test_a_header_that_declares_what_is_not_there_is_refused(tmp_path, shape, ending):
    path = tmp_path / f"a.{ending}"
    path.write_bytes(declared(shape))
    if ending == "npz":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("images.npy", declared(shape))
    with pytest.raises(BadSource, match=r"a\.np.' cannot be read"):
        open_source(str(path))
    with pytest.raises(BadSource, match=r"no \.npz, \.npy"):
        read_statistics(path)


def test_colours_that_pillow_cannot_convert_are_refused():
    from PIL import Image

    with pytest.raises(BadImage, match="mode LAB"):
        as_array(Image.new("LAB", (2, 2)))
