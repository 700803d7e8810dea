"""The feature store: rows under content keys, and what is left of them after every kind of accident."""

import json
import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

from giqa.errors import BadShape
from giqa.features import reader as extraction
from giqa.features import store as store_module
from giqa.features.statistics import Statistics
from giqa.features.store import KEY, Store, content_key, prune, stored
from giqa.images.arrays import ArraySource

ROW = np.dtype([("number", "<u4"), ("layer:a", "<f4", (3,))])

# Runs in a process of its own: appends rows without end (or `last` of them) and names each once `append` returned.
APPENDING = """
import sys
from pathlib import Path
import numpy as np
from giqa.features.store import Store, content_key
folder, first, last = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
store = Store(folder, {"of": "test"})
number = first
while number < last:
    row = np.zeros(1, [("number", "<u4"), ("layer:a", "<f4", (3,))])
    row["number"], row["layer:a"] = number, number / 7
    store.append([content_key(str(number).encode())], row)
    print(number, flush=True)
    number += 1
"""


def key(number):
    return content_key(str(number).encode())


def rows(*numbers):
    made = np.zeros(len(numbers), ROW)
    made["number"] = numbers
    made["layer:a"] = np.array(numbers, np.float32)[:, None] / np.float32(7)
    return made


def fill(folder, *numbers, identity=None):
    """One more pair of files, holding these numbers."""
    with Store(folder, identity or {"of": "test"}) as store:
        store.append([key(n) for n in numbers], rows(*numbers))
    return store.folder


def held(folder, numbers):
    """Which of the numbers a new Store reads with the right content; None in place of each other one."""
    found = Store(folder, {"of": "test"}).read([key(n) for n in numbers])
    right = [record is not None and record == rows(n)[0] for n, record in zip(numbers, found, strict=True)]
    return [n if good else None for n, good in zip(numbers, right, strict=True)]


def pairs(folder):
    return sorted(folder.glob("*.keys")), sorted(folder.glob("*.rows"))


def test_what_is_appended_is_read_by_a_new_store(tmp_path):
    """Round trip, in the order asked; a key that was never stored is None; `in` and len count pictures."""
    fill(tmp_path, 1, 2, 3)
    fill(tmp_path, 4)
    store = Store(tmp_path, {"of": "test"})
    three, none, one, four = store.read([key(3), key(9), key(1), key(4)])
    assert none is None
    assert [int(r["number"]) for r in (three, one, four)] == [3, 1, 4]
    assert three["layer:a"].tolist() == [np.float32(3) / np.float32(7)] * 3
    assert len(store) == 4 and key(2) in store and key(9) not in store
    assert store.dtype == ROW


def test_a_store_that_holds_nothing_reads_nothing_and_leaves_no_folder(tmp_path):
    store = Store(tmp_path / "features", {"of": "test"})
    assert store.read([key(1)]) == [None] and len(store) == 0
    store.close()
    assert not (tmp_path / "features").exists()


def test_rows_are_read_one_by_one(tmp_path):
    """An open store holds keys and no rows, so that it may be larger than memory."""
    folder = fill(tmp_path, 1, 2)
    store = Store(tmp_path, {"of": "test"})
    (path,) = folder.glob("*.rows")
    path.write_bytes(path.read_bytes()[: ROW.itemsize])
    assert [record is None for record in store.read([key(1), key(2)])] == [False, True]


def test_keys_that_begin_alike_are_told_apart(tmp_path):
    """The index sorts by 8 bytes of 16; the whole key decides."""
    alike = [b"01234567" + bytes([n]) * 8 for n in range(3)]
    with Store(tmp_path, {"of": "test"}) as store:
        store.append(alike[:2], rows(0, 1))
    store = Store(tmp_path, {"of": "test"})
    assert [record if record is None else int(record["number"]) for record in store.read(alike)] == [0, 1, None]
    assert len(store) == 2


def test_content_key_is_the_content_and_nothing_else():
    """16 bytes; bytes by their content, arrays by values, shape and dtype, however they lie in memory."""
    assert len(content_key(b"abc")) == 16
    assert content_key(b"abc") == content_key(bytearray(b"abc")) != content_key(b"abd")
    assert content_key(b"").hex() == "e3b0c44298fc1c149afbf4c8996fb924"  # SHA-256 of nothing, as published
    array = np.arange(12, dtype=np.uint8).reshape(3, 4)
    same = [array.copy(), np.asfortranarray(array), np.pad(array, 1)[1:-1, 1:-1]]
    assert {content_key(a) for a in same} == {content_key(array)}
    other = [array.reshape(4, 3), array.astype(np.uint16), array.view(np.int8), array + 1]
    keys = [content_key(a) for a in (*other, array)] + [content_key(array.tobytes())]
    assert len(set(keys)) == len(keys)


def test_different_identities_share_nothing(tmp_path):
    """Another parameter is another folder; the order in which an identity is written does not matter."""
    a = fill(tmp_path, 1, identity={"extractor": "x", "size": 1})
    b = fill(tmp_path, 2, identity={"extractor": "x", "size": 2})
    assert a != b
    assert Store(tmp_path, {"extractor": "x", "size": 2}).read([key(1)]) == [None]
    assert key(1) in Store(tmp_path, {"size": 1, "extractor": "x"})


@pytest.mark.parametrize("ending", ["keys", "rows"])
def test_a_file_cut_anywhere_in_its_last_record_loses_that_record_only(tmp_path, ending):
    """Every length that a dying process can leave; what is lost can be appended again."""
    folder = fill(tmp_path, 1, 2, 3)
    (path,) = folder.glob(f"*.{ending}")
    whole = path.read_bytes()
    size = {"keys": KEY.itemsize, "rows": ROW.itemsize}[ending]
    assert len(whole) == 3 * size
    for length in range(2 * size, 3 * size):
        path.write_bytes(whole[:length])
        assert held(tmp_path, [1, 2, 3]) == [1, 2, None], length
    fill(tmp_path, 3)
    assert held(tmp_path, [1, 2, 3]) == [1, 2, 3]


@pytest.mark.parametrize("ending", ["keys", "rows"])
def test_an_empty_or_absent_file_loses_its_own_pair_only(tmp_path, ending):
    folder = fill(tmp_path, 1)
    (path,) = folder.glob(f"*.{ending}")
    fill(tmp_path, 2)
    path.write_bytes(b"")
    assert held(tmp_path, [1, 2]) == [None, 2]
    path.unlink()
    assert held(tmp_path, [1, 2]) == [None, 2]


def test_every_flipped_byte_of_a_row_is_noticed(tmp_path):
    """The checksum covers the whole record: a damaged one reads as None, its neighbours as they are."""
    folder = fill(tmp_path, 1, 2, 3)
    (path,) = folder.glob("*.rows")
    whole = path.read_bytes()
    for place in range(ROW.itemsize, 2 * ROW.itemsize):
        damaged = bytearray(whole)
        damaged[place] ^= 0x40
        path.write_bytes(damaged)
        assert held(tmp_path, [1, 2, 3]) == [1, None, 3], place


def test_every_flipped_byte_of_a_key_or_checksum_is_noticed(tmp_path):
    folder = fill(tmp_path, 1, 2)
    (path,) = folder.glob("*.keys")
    whole = path.read_bytes()
    for place in range(KEY.itemsize):
        damaged = bytearray(whole)
        damaged[place] ^= 1
        path.write_bytes(damaged)
        assert held(tmp_path, [1, 2]) == [None, 2], place


@pytest.mark.parametrize("names", ["ab", "ba"])
def test_a_damaged_row_that_was_computed_again_is_found(tmp_path, names):
    """In whichever order the files are listed, the good copy is read and not the damaged one."""
    for name in names:
        folder = fill(tmp_path, 1)
        for path in folder.glob("?" * 32 + ".*"):
            path.rename(path.with_stem(name))
    path = folder / f"{names[0]}.rows"
    path.write_bytes(b"\xff" + path.read_bytes()[1:])
    assert held(tmp_path, [1]) == [1]


def test_many_threads_may_ask_for_one_damaged_row(tmp_path):
    """Each is told None; none stumbles over another having noticed first."""
    folder = fill(tmp_path, *range(50))
    (path,) = folder.glob("*.rows")
    path.write_bytes(b"\xff" * (50 * ROW.itemsize))
    store, results, start = Store(tmp_path, {"of": "test"}), [], threading.Barrier(8)

    def ask():
        start.wait()
        results.append(store.read([key(n) for n in range(50)]))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [[None] * 50] * 8


@pytest.mark.parametrize("resumed", [False, True])
def test_another_record_type_is_refused(tmp_path, resumed):
    """Even as the first thing that a new Store appends: the folder's records have one type."""
    store = Store(tmp_path, {"of": "test"})
    store.append([key(1)], rows(1))
    if resumed:
        store = Store(tmp_path, {"of": "test"})
    with pytest.raises(BadShape, match="holds other records"):
        store.append([key(2)], np.zeros(1, [("number", "<u4"), ("layer:a", "<f4", (4,))]))
    assert held(tmp_path, [1, 2]) == [1, None]


def test_meta_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    """meta.json appears by a rename; a store whose writer died before it reads as empty and starts again."""
    renamed = []

    def die(source, target):
        renamed.append((source.parent == target.parent, json.loads(source.read_text())["identity"]))
        raise OSError("died")

    monkeypatch.setattr(store_module.os, "replace", die)
    store = Store(tmp_path, {"of": "test"})
    with pytest.raises(OSError, match="died"):
        store.append([key(1)], rows(1))
    assert renamed == [(True, {"format": 1, "of": "test"})]
    assert not (store.folder / "meta.json").exists()
    monkeypatch.undo()
    fill(tmp_path, 1)
    assert held(tmp_path, [1]) == [1]
    assert json.loads((store.folder / "meta.json").read_text())["identity"] == {"format": 1, "of": "test"}


def test_a_store_pruned_while_open_can_still_be_appended_to(tmp_path):
    """Another process clears the cache between opening and the first append: the rows are kept all the same."""
    fill(tmp_path, 1)
    store = Store(tmp_path, {"of": "test"})
    prune(tmp_path, 0)
    with store:
        store.append([key(2)], rows(2))
    assert held(tmp_path, [1, 2]) == [None, 2]


def test_two_processes_append_to_one_store_at_once(tmp_path):
    """Each writes files of its own: 300 rows from either, all there, beside those of this process."""
    ranges = [(0, 300), (200, 500)]  # some pictures are computed by both
    commands = [[sys.executable, "-c", APPENDING, tmp_path, str(a), str(b)] for a, b in ranges]
    running = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for command in commands]
    fill(tmp_path, *range(1000, 1100))
    assert [process.wait(60) for process in running] == [0, 0]
    everything = [*range(500), *range(1000, 1100)]
    assert held(tmp_path, everything) == everything
    assert len(Store(tmp_path, {"of": "test"})) == 600


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_what_was_acknowledged_survives_a_kill(tmp_path):
    """Twelve processes die by SIGKILL in full flight; each row whose append returned is read, by each heir in turn."""
    acknowledged = []
    for attempt in range(12):
        first = attempt * 1_000_000
        command = [sys.executable, "-c", APPENDING, tmp_path, str(first), str(first + 1_000_000)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            for _ in range(1 + 17 * attempt):
                process.stdout.readline()
            process.kill()
            rest = process.stdout.read()
            assert process.wait(60) == -signal.SIGKILL
        lines = 1 + 17 * attempt + rest.count("\n")  # a last line that was cut was not acknowledged
        acknowledged += range(first, first + lines)
        assert held(tmp_path, acknowledged) == acknowledged


def test_stored_tells_how_many_pictures_and_bytes(tmp_path):
    """Per way of computing: identity, pictures, and the bytes of every file; most recently used first."""
    old = fill(tmp_path, 1, 2, 3, identity={"name": "old"})
    new = fill(tmp_path, 1, identity={"name": "new"})
    _used(old, 1000)
    _used(new, 2000)
    first, second = stored(tmp_path)
    assert [first.identity["name"], second.identity["name"]] == ["new", "old"]
    assert [first.pictures, second.pictures] == [1, 3]
    assert first.used == 2000
    assert second.bytes == 3 * (KEY.itemsize + ROW.itemsize) + (old / "meta.json").stat().st_size
    assert stored(tmp_path / "nowhere") == []


def test_prune_takes_what_was_not_used_for_longest(tmp_path):
    """Three stores, room for two: the one not read for longest goes; opening one counts as use."""
    folders = {name: fill(tmp_path, 1, 2, identity={"name": name}) for name in ("a", "b", "c")}
    for age, name in enumerate(folders):
        _used(folders[name], 1000 + age)
    Store(tmp_path, {"name": "a"})
    sizes = {s.identity["name"]: s.bytes for s in stored(tmp_path)}
    assert prune(tmp_path, sizes["a"] + sizes["c"]) == sizes["b"]
    assert [s.identity["name"] for s in stored(tmp_path)] == ["a", "c"]
    assert prune(tmp_path, sizes["a"] + sizes["c"]) == 0
    assert prune(tmp_path, sizes["a"] + sizes["c"] - 1) == sizes["c"]
    assert prune(tmp_path, 0) == sizes["a"]
    assert stored(tmp_path) == [] and list(tmp_path.iterdir()) == []


def _used(folder, when):
    for path in folder.glob("*.keys"):
        os.utime(path, (when, when))


def test_a_store_whose_files_cannot_be_touched_is_read(tmp_path, monkeypatch):
    """The time of last use is a courtesy: where it cannot be noted (a shared cache), rows are read all the same."""
    fill(tmp_path, 1)
    fill(tmp_path, 2)
    (folder,) = tmp_path.iterdir()
    _used(folder, 1000)
    asked = []

    def refuse(path):
        asked.append(path)
        raise PermissionError(path)

    monkeypatch.setattr(store_module.os, "utime", refuse)
    assert held(tmp_path, [1, 2]) == [1, 2]
    assert len(asked) == 2


def test_a_store_that_is_opened_again_reads_its_keys_once_until_they_change(tmp_path, monkeypatch):
    fill(tmp_path, 1)
    read, fromfile = [], np.fromfile

    def counted(path, *more, **options):
        read.append(path)
        return fromfile(path, *more, **options)

    monkeypatch.setattr(store_module.np, "fromfile", counted)
    assert held(tmp_path, [1, 2]) == held(tmp_path, [1, 2]) == [1, None]
    assert len(read) == 1
    fill(tmp_path, 2)
    assert held(tmp_path, [1, 2]) == [1, 2]
    assert len(read) == 1 + 2
    (keys, _) = sorted(tmp_path.rglob("*.keys"), key=os.path.getmtime)
    keys.write_bytes(bytes(keys.stat().st_size))  # as long as before
    assert held(tmp_path, [1, 2]).count(None) == 1


# The store as `giqa.extract` uses it


class Counting(Statistics):
    """`Statistics` that remembers which pictures it worked on, by their first pixel, and gives up at one of them."""

    def __init__(self, stop_at=None):
        super().__init__()
        self.stop_at = stop_at
        self.seen = []

    def prepare(self, pixels):
        number = int(pixels[0, 0, 0])
        if number == self.stop_at:
            raise KeyboardInterrupt
        self.seen.append(number)
        return super().prepare(pixels)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GIQA_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def numbered(n=200, seed=0):
    """Noise; the first pixel of picture i is i."""
    images = np.random.default_rng(seed).integers(0, 256, (n, 8, 8, 3), dtype=np.uint8)
    images[:, 0, 0, 0] = np.arange(n)
    return images


def same(a, b):
    """The same ids, info and layers, bit for bit."""
    assert a.failures == b.failures
    a, b = a.features, b.features
    assert a.ids == b.ids and a.info.tobytes() == b.info.tobytes() and list(a.layers) == list(b.layers)
    assert all(a.layers[name].tobytes() == b.layers[name].tobytes() for name in a.layers)


def test_a_second_run_computes_nothing(home):
    """And gives the same bits as the first, and as one that keeps nothing."""
    images, counting, again = numbered(), Counting(), Counting()
    first = extraction.extract(images, counting)
    assert sorted(counting.seen) == list(range(200))
    second = extraction.extract(images, again)
    assert again.seen == []
    same(first, second)
    same(first, extraction.extract(images, Statistics(), store=False))


def test_without_store_nothing_is_written(home):
    extraction.extract(numbered(5), Statistics(), store=False)
    assert not home.exists()


def test_an_interrupted_run_resumes_with_what_is_missing(home):
    """Control-C at picture 150: whole steps of 64 are kept, and the result is that of an undisturbed run."""
    images, broken, resumed = numbered(), Counting(stop_at=150), Counting()
    with pytest.raises(KeyboardInterrupt):
        extraction.extract(images, broken, workers=1)
    result = extraction.extract(images, resumed)
    assert sorted(resumed.seen) == list(range(128, 200))
    same(result, extraction.extract(images, Statistics(), store=False))


KILLED = """
import os, signal, sys
import numpy as np
from giqa.features import reader as extraction
from giqa.features.statistics import Statistics

class Dying(Statistics):
    def __init__(self):
        super().__init__()
    def run(self, prepared):
        self.runs = getattr(self, "runs", 0) + 1
        if self.runs == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().run(prepared)

extraction.extract(np.load(sys.argv[1]), Dying())
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_killed_run_resumes_with_what_is_missing(home, tmp_path):
    """SIGKILL while the third step of 64 is computed: the first two are not computed again."""
    images, resumed = numbered(), Counting()
    np.save(tmp_path / "images.npy", images)
    killed = subprocess.run([sys.executable, "-c", KILLED, tmp_path / "images.npy"], timeout=120)
    assert killed.returncode == -signal.SIGKILL
    result = extraction.extract(images, resumed)
    assert sorted(resumed.seen) == list(range(128, 200))
    same(result, extraction.extract(images, Statistics(), store=False))


def test_an_edited_picture_is_computed_again_and_a_renamed_one_is_not(home):
    """The store knows content, not names: after one edit and a renaming of all, one picture is new."""
    images, counting = numbered(10), Counting()
    before = extraction.extract(images, Statistics())
    images[7, 4, 4] ^= 255
    after = extraction.extract(ArraySource(images, ids=[f"renamed/{i}.png" for i in range(10)]), counting)
    assert counting.seen == [7]
    assert after.features.ids[7] == "renamed/7.png"
    kept = np.arange(10) != 7
    assert (after.features.layers["texture.1"][kept] == before.features.layers["texture.1"][kept]).all()
    assert (after.features.layers["texture.1"][7] != before.features.layers["texture.1"][7]).any()


def test_a_file_that_is_renamed_or_edited(home, tmp_path):
    """The same for files on disk."""
    from PIL import Image

    folder = tmp_path / "pictures"
    folder.mkdir()
    for number, pixels in enumerate(numbered(4)):
        Image.fromarray(pixels).save(folder / f"{number}.png")
    extraction.extract(folder, Statistics())
    (folder / "0.png").rename(folder / "zero.png")
    Image.fromarray(numbered(4, seed=1)[2]).save(folder / "2.png")
    counting = Counting()
    assert extraction.extract(folder, counting).features.ids == ("1.png", "2.png", "3.png", "zero.png")
    assert counting.seen == [2]


@pytest.mark.parametrize("options", [{"flip": True}, {"match": "match(size=16)"}])
def test_pictures_that_are_treated_differently_are_kept_apart(home, options):
    """Mirrored or matched pictures have features of their own."""
    images, counting = numbered(5), Counting()
    extraction.extract(images, Statistics())
    extraction.extract(images, counting, **options)
    assert len(counting.seen) == 5


def test_a_damaged_row_is_computed_again_once(home):
    """Damage on disk costs one picture's work: the next run has it, and the one after computes nothing."""
    images = numbered(5)
    first = extraction.extract(images, Statistics())
    ((path,),) = (list(folder.glob("*.rows")) for folder in (home / "features").iterdir())
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    for expected in ([4], [], []):
        counting = Counting()
        same(extraction.extract(images, counting), first)
        assert counting.seen == expected


@pytest.mark.parametrize("content", ["", "{", "[]", '{"identity": {}}'])
def test_a_damaged_meta_file_costs_nothing_but_a_new_one(tmp_path, content):
    """A power cut may leave meta.json empty: the store opens, is listed, goes on, and what was there is found again."""
    records = np.zeros(1, [("a", "<f4", (2,))])
    with Store(tmp_path, {"extractor": "x"}) as store:
        store.append([b"1" * 16], records)
    (store.folder / "meta.json").write_text(content)
    assert stored(tmp_path)[0].identity == {"extractor": "damaged"}
    with Store(tmp_path, {"extractor": "x"}) as again:
        again.append([b"2" * 16], records)
    whole = Store(tmp_path, {"extractor": "x"})
    assert b"1" * 16 in whole and b"2" * 16 in whole
    assert prune(tmp_path, 0) > 0 and stored(tmp_path) == []


@pytest.mark.parametrize(
    "dtype", [3, [3], [["a", "<f4"]], [["a", "<f4", [-1]]], [["a", "no such", []]], [["a", "1 2", []]]]
)
def test_records_of_no_kind_are_a_damaged_meta_file(tmp_path, dtype):
    """Files of an earlier giqa have no checksum over what their records hold."""
    with Store(tmp_path, {"extractor": "x"}) as store:
        store.append([b"1" * 16], np.zeros(1, [("a", "<f4", (2,))]))
    meta = json.loads((store.folder / "meta.json").read_text())
    (store.folder / "meta.json").write_text(json.dumps({"identity": meta["identity"], "dtype": dtype}))
    assert b"1" * 16 not in Store(tmp_path, {"extractor": "x"})
