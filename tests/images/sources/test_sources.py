"""Openers: the order they are asked in, and those of third parties."""

import importlib.metadata
import sys
import types

import pytest

from giqa.errors import BadSource
from giqa.images import open_source, sources


class Drawn:
    """A source of a third party."""

    name, ids = "drawn", ("a",)

    def __len__(self):
        return 1

    def raw(self, index):
        return b""

    def path(self, index):
        return None


def open_drawn(where):
    """Reads "drawn:..."; gives no source for "wrong:..."."""
    text = str(where)
    return Drawn() if text.startswith("drawn:") else "text" if text.startswith("wrong:") else None


@pytest.fixture
def third_party(monkeypatch):
    """Puts an entry point of the group `giqa.sources` in place."""

    def put(value):
        points = [importlib.metadata.EntryPoint("drawn", value, "giqa.sources")]
        monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: points if group == "giqa.sources" else [])
        sources._of_third_parties.cache_clear()

    yield put
    sources._of_third_parties.cache_clear()


def test_a_third_party_adds_a_form(third_party, folder, monkeypatch):
    """What its opener reads is a source; what it gives None for is read as before."""
    package = types.ModuleType("drawn_package")
    package.open_drawn = open_drawn
    monkeypatch.setitem(sys.modules, "drawn_package", package)
    third_party("drawn_package:open_drawn")
    assert isinstance(open_source("drawn:1"), Drawn)
    assert len(open_source(folder)) == 12


def test_what_an_opener_gives_is_a_source(monkeypatch):
    """Anything else is refused by the opener's name."""
    monkeypatch.setattr(sources, "_of_third_parties", lambda: (("drawn", open_drawn),))
    with pytest.raises(BadSource, match="opener drawn gave str, which is no"):
        open_source("wrong:1")


def test_a_package_that_cannot_be_imported_is_named(third_party):
    """With the entry point, and what to do."""
    third_party("no_such_package_of_anybody:open_it")
    with pytest.raises(BadSource, match=r"The opener 'drawn' \(no_such_package_of_anybody:open_it\).*Repair or remove"):
        open_source("somewhere")
