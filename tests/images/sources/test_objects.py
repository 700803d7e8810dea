"""Pictures that are Python objects."""

import io
import pickle
from pathlib import PurePath

import numpy as np
import pytest
from PIL import Image

from giqa.errors import BadImage, BadSource, BadSpec
from giqa.images import from_seeds, open_source
from giqa.images.decode import decode
from giqa.images.subset import spread
from giqa.testing import check_source
from giqa.types import columns_of


@pytest.fixture
def pixels(files):
    """The twelve, decoded."""
    return [decode(raw).pixels for raw in files.values()]


def opened(files):
    """Pillow images of the twelve, as people have them."""
    return [Image.open(io.BytesIO(raw)) for raw in files.values()]


def test_lists_of_anything_are_pictures(files, pixels, same, folder):
    """Bytes, open files, Pillow images, arrays, and all of these in one list."""
    raws = list(files.values())
    same(raws, by_name=False)
    same([io.BytesIO(raw) for raw in raws], by_name=False)
    same(opened(files), by_name=False, as_bytes=False)
    same(pixels, by_name=False, as_bytes=False)
    mixed = [
        raws[0],
        io.BytesIO(raws[1]),
        opened(files)[2],
        pixels[3],
        str(folder / "004.jpg"),
        *map(bytearray, raws[5:]),
    ]
    source, _ = same(mixed, by_name=False, as_bytes=False)
    assert source.ids[:3] == ("00", "01", "02") and source.path(4) == folder / "004.jpg"
    same(dict(files))
    same(dict(zip(files, opened(files), strict=True)), as_bytes=False)


class Pairs:
    """A data set as PyTorch has it: a picture and a label."""

    def __init__(self, pictures, labels):
        self.pictures, self.labels = list(pictures), list(labels)

    def __len__(self):
        return len(self.pictures)

    def __getitem__(self, index):
        return self.pictures[index], self.labels[index]


def test_data_sets_give_pictures_and_labels(files, labels, same):
    """(picture, label), a mapping, and a list of either; items are asked for by position."""
    source, _ = same(Pairs(files.values(), labels.values()), by_name=False)
    assert source.columns["label"] == list(labels.values())
    rows = [{"image": raw, "kind": np.int64(n), "text": None} for n, raw in enumerate(files.values())]
    source, _ = same(rows, by_name=False)
    assert columns_of(source) == {"kind": [str(n) for n in range(12)], "text": [""] * 12}
    source, _ = same([(raw, n) for n, raw in enumerate(files.values())], by_name=False)
    assert source.columns["label"][11] == "11"


def test_what_a_data_set_raises_costs_one_picture(files):
    """With the error and its text."""

    class Broken(Pairs):
        def __getitem__(self, index):
            if index == 1:
                raise KeyError("worker died")
            return super().__getitem__(index)

    source = open_source(Broken(files.values(), files))
    assert source.raw(0) == files["000.jpg"]
    with pytest.raises(BadImage, match="the data set raised KeyError: 'worker died'"):
        source.raw(1)


def test_torch_data_sets_and_loaders(files, labels, same, pixels):
    """A Dataset, a Subset, an IterableDataset, a DataLoader that makes batches; tensors have their channels first."""
    torch = pytest.importorskip("torch")
    data = torch.utils.data
    numbers = [sorted(set(labels.values())).index(label) for label in labels.values()]
    square = np.stack([p[:20, :20] for p in pixels])
    tensors = torch.from_numpy(square).permute(0, 3, 1, 2)
    whole = data.TensorDataset(tensors, torch.tensor(numbers))
    source = open_source(whole)
    check_source(source)
    assert np.array_equal(source.raw(5), square[5]) and source.columns["label"] == [str(n) for n in numbers]
    some = open_source(data.Subset(data.Subset(whole, [11, 3, 7]), [2, 0]))
    assert some.ids == ("07", "11") and np.array_equal(some.raw(1), square[11])

    class Stream(data.IterableDataset):
        def __iter__(self):
            yield from zip(files.values(), labels.values(), strict=True)

    source, _ = same(Stream(), by_name=False)
    assert source.columns["label"] == list(labels.values())
    source = open_source(data.DataLoader(whole, batch_size=5))
    check_source(source)
    assert [np.array_equal(source.raw(i), square[i]) for i in range(12)] == [True] * 12
    assert source.columns["label"] == [str(n) for n in numbers]


def test_an_image_folder_is_known_by_its_files(folder, files, labels):
    """Attributes of torchvision's ImageFolder: ids are paths, labels the names of the classes."""

    class ImageFolder(Pairs):
        root = str(folder)
        classes = ("real", "fake")
        samples = tuple((str(folder / name), n % 2) for n, name in enumerate(files))

    source = open_source(ImageFolder(files.values(), labels))
    assert source.ids == tuple(files) and source.columns["label"][:3] == ["real", "fake", "real"]


def test_streams_are_kept_in_a_temporary_file(files, labels, same, pixels):
    """A generator, a function that gives one, and its batches; any order afterwards; keys are ids."""
    same((raw for raw in files.values()), by_name=False)
    same(lambda: iter(opened(files)), by_name=False, as_bytes=False)
    source, _ = same(({"__key__": name, "png": raw, "k": labels[name]} for name, raw in files.items()))
    assert source.ids == tuple(files) and columns_of(source) == {"k": list(labels.values())}
    assert [source.ids[row] for row in spread(source.ids, 2)] == ["000.jpg", "011.png"]
    batches = (opened(files)[n : n + 4] for n in (0, 4, 8))
    same(batches, by_name=False, as_bytes=False)
    batches = ({"image": np.stack([p[:20, :20] for p in pixels[n : n + 6]]), "k": [n] * 6} for n in (0, 6))
    assert columns_of(open_source(batches))["k"] == ["0"] * 6 + ["6"] * 6
    with pytest.raises(BadSource, match="a generator that was gone through before is empty"):
        open_source(iter(()))


def picture_of(seed):
    """A picture of one colour."""
    return np.full((4, 4, 3), seed, np.uint8)


def test_a_function_makes_a_picture_a_seed():
    """Each when it is asked for; without a number of seeds it is refused with the way to give one."""
    source = from_seeds(picture_of, 12, first=90)
    check_source(source)
    assert source.ids == (*(f"0{n}" for n in range(90, 100)), "100", "101") and source.raw(3)[0, 0, 0] == 93
    assert pickle.loads(pickle.dumps(source)).raw(3)[0, 0, 0] == 93
    with pytest.raises(BadSource, match=r"needs 'seed'.*giqa\.images\.from_seeds\(function, 1000\)"):
        open_source(picture_of)
    with pytest.raises(BadSpec, match="n is a whole number from 1 to 100,000,000, got 0"):
        from_seeds(picture_of, 0)
    with pytest.raises(BadImage, match="the function raised ZeroDivisionError"):
        from_seeds(lambda seed: 1 // seed, 3).raw(0)


def test_tables_of_pandas_hold_paths_bytes_or_pictures(folder, files, labels, same):
    """The other columns are labels; ids are the paths, else a column `id`, else positions."""
    pandas = pytest.importorskip("pandas")
    kinds = list(labels.values())
    paths = [str(folder / name) for name in files]
    for cells, as_bytes in ((paths, True), (list(files.values()), True), (opened(files), False)):
        source, _ = same(pandas.DataFrame({"kind": kinds, "face": cells, "id": list(files)}), as_bytes=as_bytes)
        assert source.columns["kind"] == kinds
        assert source.ids == (tuple(paths) if cells is paths else tuple(files))
    nothing = pandas.DataFrame({"image": paths[:2], "n": pandas.array([1, None], dtype="Int64")})
    assert columns_of(open_source(nothing)) == {"n": ["1", ""]}
    with pytest.raises(BadSource, match="No column of the table holds paths, bytes or pictures; it has a"):
        open_source(pandas.DataFrame({"a": [1]}))


def test_pillow_images_are_decoded_as_their_files_are(files):
    """16 bits are scaled, not clipped; what EXIF says is done once."""
    source = open_source(opened(files))
    assert source.raw(5).dtype == np.uint16
    turned = Image.open(io.BytesIO(files["010.jpg"]))
    for where in ([turned], turned, io.BytesIO(files["010.jpg"])):
        assert np.array_equal(decode(open_source(where).raw(0)).pixels, decode(files["010.jpg"]).pixels)
    assert open_source([turned.resize((20, 24))]).raw(0).shape == (24, 20, 3)


@pytest.mark.parametrize(
    "where, message", [([b"GIF89a", None], "item 1 is no picture but NoneType"), ({}, "no pictures")]
)
def test_what_is_no_picture_is_named(where, message):
    """By its place and type."""
    with pytest.raises(BadSource, match=message):
        open_source(where)


def test_a_column_of_a_table_goes_by_position(tmp_path):
    """Rows that were shuffled keep their labels 2, 0, 1 in pandas; the first picture is still the first row."""
    pandas = pytest.importorskip("pandas")
    for value in (10, 20, 30):
        Image.new("RGB", (8, 8), (value, 0, 0)).save(tmp_path / f"{value}.png")
    names = pandas.Series([str(tmp_path / f"{value}.png") for value in (10, 20, 30)]).iloc[[2, 0, 1]]
    for column in (names, names.to_numpy(), pandas.Index(names), names.iloc[:2]):
        source = open_source(column)
        assert [PurePath(name).stem for name in source.ids] == ["30", "10", "20"][: len(column)]
        assert [decode(source.raw(row)).pixels[0, 0, 0] for row in range(2)] == [30, 10]


def test_a_set_is_refused():
    """Its order is another in every run of Python, and pictures would be called 0, 1, ... by it."""
    with pytest.raises(BadSource, match="no order"):
        open_source({"a.png", "b.png"})
