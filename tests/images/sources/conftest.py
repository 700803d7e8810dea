"""Twelve drawn pictures in a folder, and what it means that another form holds the same."""

import numpy as np
import pytest
from PIL import Image

from giqa.images import open_source
from giqa.images.decode import decode
from giqa.images.toy import landscape
from giqa.tables.names import match_names
from giqa.testing import check_source


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Twelve files: landscapes as PNG and JPEG, one grey, one of 16 bits, one with alpha, one turned by EXIF."""
    where = tmp_path_factory.mktemp("drawn")
    for index in range(12):
        pixels = landscape(np.random.default_rng([7, index]), 24)
        picture, options = Image.fromarray(pixels), {}
        if index == 3:
            picture = picture.convert("L")
        if index == 5:
            picture = Image.fromarray(pixels[..., 0].astype(np.uint16) * 256 + 7)
        if index == 7:
            picture.putalpha(Image.fromarray(pixels[..., 1]))
        if index == 10:
            exif = Image.Exif()
            exif[274] = 6
            picture, options = picture.crop((0, 0, 20, 24)), {"exif": exif}
        picture.save(where / f"{index:03d}.{'jpg' if index % 2 == 0 else 'png'}", **options)
    return where


@pytest.fixture(scope="session")
def files(folder):
    """Name -> bytes of the twelve."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="session")
def labels(files):
    """Name -> label of the twelve."""
    return {name: ("dawn", "noon", "night")[index % 3] for index, name in enumerate(files)}


@pytest.fixture
def same(folder, files):
    """Checks that a source holds the twelve: equal bytes, or pixels where it has no files; names that join."""

    def same(where, by_name=True, as_bytes=True):
        source = open_source(where)
        check_source(source)
        assert len(source) == 12
        if by_name:
            found, missing = match_names(files, source.ids)
            assert not missing
        else:
            found = {name: row for row, name in enumerate(files)}
        for name, raw in files.items():
            if as_bytes:
                assert source.raw(found[name]) == raw, name
            else:
                assert np.array_equal(decode(source.raw(found[name])).pixels, decode(raw).pixels), name
        return source, found

    return same
