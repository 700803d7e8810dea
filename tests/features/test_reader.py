"""Pictures are read once, in steps, in order; what a reader gives does not depend on how it was read."""

from collections import Counter

import numpy as np
import pytest

from giqa.errors import BadImage, BadSource
from giqa.features.extracted import Extracted, joined
from giqa.features.reader import CHUNK, Reader, features_together, take_reader, together
from giqa.images import pictures as pictures_module
from giqa.images.pictures import Pictures, as_pictures
from giqa.types import Features


class Counted:
    """Grey pictures 0, 1, 2, ... that count how often each is read; `broken` ones cannot be."""

    name = "counted"

    def __init__(self, n, side=4, broken=()):
        self.ids = tuple(f"{i:03d}" for i in range(n))
        self.side, self.broken, self.reads = side, broken, Counter()

    def __len__(self):
        return len(self.ids)

    def raw(self, index):
        self.reads[index] += 1
        if index in self.broken:
            raise BadImage("gone")
        return np.full((self.side, self.side, 3), index, np.uint8)

    def path(self, index):
        return None


class Mean:
    """The mean grey of a picture; refuses one darker than `least`."""

    outputs = ("mean",)

    def __init__(self, least=0):
        self.least, self.batches = least, []

    def identity(self):
        return {"extractor": "mean", "least": self.least}

    def prepare(self, pixels):
        if pixels[0, 0, 0] < self.least:
            raise BadImage("too dark")
        return pixels

    def run(self, prepared):
        self.batches.append(len(prepared))
        return {"mean": np.array([[p.mean()] for p in prepared], np.float32)}


def test_every_picture_is_read_once_for_all_readers():
    """130 pictures, two readers: three steps of 64, 64 and 2, in order, one read each."""
    source, first, second = Counted(130), Mean(), Mean()
    steps = list(together(source, [Reader(first, store=False, workers=2), Reader(second, flip=True, store=False)]))
    assert [len(one.features) for one, _ in steps] == [CHUNK, CHUNK, 2] == first.batches == second.batches
    assert [name for one, _ in steps for name in one.features.ids] == list(source.ids)
    assert np.concatenate([one.features.layers["mean"] for one, _ in steps]).ravel().tolist() == list(range(130))
    assert set(source.reads.values()) == {1} and len(source.reads) == 130


def test_a_picture_fails_for_the_reader_that_refuses_it_alone():
    """2 cannot be read, which both say; 0 and 1 are too dark for the second alone."""
    source = Counted(5, broken=(2,))
    plain, picky = features_together(source, [Reader(Mean(), store=False), Reader(Mean(least=2), store=False)])
    assert plain.features.ids == ("000", "001", "003", "004") and plain.failures == {"002": "gone"}
    assert picky.features.ids == ("003", "004")
    assert picky.failures == {"000": "too dark", "001": "too dark", "002": "gone"}
    assert picky.features.made_by == {"extractor": "mean", "least": 2, "match": None, "flip": False}


def test_progress_counts_failures_too():
    """Called once a step, with all that are done."""
    said = []
    reader = Reader(Mean(), store=False, progress=lambda *what: said.append(what))
    reader.features(Counted(70, broken=(0, 69)), "reals")
    assert said == [("reals", 64, 70), ("reals", 70, 70)]


def test_what_the_store_holds_is_read_and_neither_decoded_nor_computed():
    """The second time no network runs; `watch` is still called with every picture that can be decoded."""
    again, seen = Mean(), []
    first = Reader(Mean()).features(Counted(3, side=5))
    source = Counted(3, side=5)
    second = Reader(again).features(source)
    assert again.batches == [] and set(source.reads.values()) == {1}
    assert second.features.layers["mean"].tolist() == first.features.layers["mean"].tolist() == [[0], [1], [2]]
    watched = list(
        Reader(again, workers=1).steps(source, lambda name, picture: seen.append((name, picture.pixels[0, 0, 0])))
    )
    assert seen == [("000", 0), ("001", 1), ("002", 2)] and len(watched) == 1 and again.batches == []


def test_no_pictures_are_no_steps():
    assert list(together(Counted(0), [Reader(Mean(), store=False)])) == []
    assert len(Reader(Mean(), store=False).features(Counted(0)).features) == 0


def test_nothing_readable_is_said_in_one_way():
    """With the number, the kind and the first reason; of many left out five are named."""
    nothing = Reader(Mean(), store=False).features(Counted(2, broken=(0, 1)))
    with pytest.raises(BadSource, match=r"Not one of the 2 reals could be read; the first, 000: gone\."):
        nothing.needed("reals")
    some = Reader(Mean(), store=False).features(Counted(9, broken=range(1, 9)))
    with pytest.warns(UserWarning) as caught:
        assert some.needed("reals", warn=True).ids == ("000",)
    said = [str(warning.message) for warning in caught]
    assert said == [*(f"reals: 00{i} left out: gone" for i in range(1, 6)), "reals: ... and 3 more left out"]


def test_options_of_a_reader_are_taken_and_the_others_left():
    options = {"extractor": "statistics", "workers": 3, "seed": 1}
    reader = take_reader(options)
    assert (reader.workers, reader.match, reader.store, options) == (3, None, True, {"seed": 1})
    assert reader.extractor.outputs == ("texture.1", "texture.2")


def test_parts_without_pictures_have_no_layers_and_disappear():
    """A step in which nothing could be read joins with the others."""
    part = Features(("a",), {"x": np.ones((1, 2), np.float32)}, made_by={"by": "hand"})
    whole = joined([Features((), {}), part, Features((), {})])
    assert whole.ids == ("a",) and whole.layers["x"].tolist() == [[1, 1]] and whole.made_by == {"by": "hand"}
    assert len(joined([])) == 0 and Extracted(joined([]), {}).failures == {}


# Pictures: a memory between a look ahead and the pass


def test_what_was_looked_at_ahead_is_taken_without_another_read():
    """Looked at twice and taken once: one read. Taken again, when it is no longer kept: another."""
    source = Counted(3)
    pictures = as_pictures(source)
    assert as_pictures(pictures) is pictures
    assert pictures.ahead(1)[1].pixels[0, 0, 0] == pictures.ahead(1)[1].pixels[0, 0, 0] == 1
    assert pictures.raw(1)[0, 0, 0] == 1 and source.reads == {1: 1}
    raw, decoded = pictures.take(1)
    assert raw[0, 0, 0] == 1 == decoded().pixels[0, 0, 0] and source.reads == {1: 1}
    pictures.take(1)
    assert source.reads == {1: 2}


def test_no_more_is_kept_than_the_bound(monkeypatch):
    """Pictures of 48 bytes under a bound of 100: two are kept, a third is not, until one is taken."""
    monkeypatch.setattr(pictures_module, "KEPT", 100)
    source = Counted(4)
    pictures = Pictures(source)
    for index in (0, 1, 2, 0, 1, 2):
        pictures.ahead(index)
    assert source.reads == {0: 1, 1: 1, 2: 2}
    pictures.take(0)
    for index in (3, 3, 1):
        pictures.ahead(index)
    assert source.reads == {0: 1, 1: 1, 2: 2, 3: 1}


def test_a_picture_that_cannot_be_read_is_not_kept():
    source = Counted(1, broken=(0,))
    for call in (Pictures(source).ahead, Pictures(source).take):
        with pytest.raises(BadImage, match="gone"):
            call(0)
    assert source.reads == {0: 2}


def test_a_smaller_sample_is_part_of_a_larger_one():
    """By names, so that the order of the source is of no account."""
    pictures, source = Pictures(Counted(50)), Counted(50)
    source.ids = source.ids[::-1]
    assert len(pictures.sample(60)) == 50 and pictures.sample(5) == pictures.sample(60)[:5]
    assert [source.ids[row] for row in Pictures(source).sample(5)] == [pictures.ids[row] for row in pictures.sample(5)]
