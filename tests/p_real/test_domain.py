"""The pictures with votes: a distance by its definition, flags that depend on no other picture, known copies."""

import numpy as np
import pytest

from giqa.images.decode import decode, picture_info
from giqa.model.trust import LEARNED_FROM, UNLIKE
from giqa.p_real.domain import KEPT, Asked, Voted, columns_alone, distance
from giqa.types import INFO, Features


def pictures(n, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 256, (8, 8, 3), np.uint8) for _ in range(n)]


def features(pixels, contents):
    info = np.array([picture_info(decode(p)) for p in pixels], INFO)
    return Features(tuple(f"{i:04d}" for i in range(len(pixels))), {"content": contents.astype(np.float32)}, info)


@pytest.fixture(scope="module")
def voted():
    return Voted.of(features(pictures(60), np.random.default_rng(0).normal(size=(60, 3))))


def test_the_distance_is_the_energy_distance():
    """(2 E|v - a| - E|v - v'| - E|a - a'|) / E|v - v'| over all pairs of different pictures, one by one."""
    rng = np.random.default_rng(0)
    v, a = rng.normal(size=(7, 2)) * (1, 9), rng.normal(size=(5, 2)) + 1
    mean, spread = v.mean(0), v.std(0)
    v1, a1 = (v - mean) / spread, (a - mean) / spread
    own = np.mean([np.linalg.norm(p - q) for i, p in enumerate(v1) for j, q in enumerate(v1) if i != j])
    other = np.mean([np.linalg.norm(p - q) for i, p in enumerate(a1) for j, q in enumerate(a1) if i != j])
    both = np.mean([np.linalg.norm(p - q) for p in v1 for q in a1])
    assert distance(v, a) == pytest.approx((2 * both - own - other) / own)
    assert distance(v * (3, 0.1) + 5, a * (3, 0.1) + 5) == pytest.approx(distance(v, a)), "units do not matter"


def test_pictures_that_were_learned_from_are_known_when_coded_again(voted):
    """The same pixels, and a copy off by a grey level as after JPEG; another picture is not."""
    nearly = [np.clip(p.astype(int) + 1, 0, 255).astype(np.uint8) for p in pictures(2)]
    asked = features([pictures(1)[0], nearly[1], pictures(1, seed=9)[0]], np.zeros((3, 3)))
    assert voted.notes(asked) == [LEARNED_FROM, LEARNED_FROM, ""]


def test_a_picture_far_from_all_with_votes_is_flagged_alone_and_in_company(voted):
    asked = features(pictures(3, seed=5), np.array([[0, 0, 0], [400, 0, 0], [0.1, 0.2, 0.3]]))
    assert voted.notes(asked) == ["", UNLIKE, ""]
    assert voted.notes(asked.rows(np.array([1]))) == [UNLIKE]


def test_what_is_asked_is_summed_up_in_any_order(voted):
    """Of 520 pictures, 500 fix the distance; neither steps, order nor repeated pictures change it."""
    rng = np.random.default_rng(1)
    asked = features(pictures(520, seed=1), rng.normal(size=(520, 3)) + 2)
    records = []
    for order, step in ((np.arange(520), 64), (rng.permutation(520), 300), (np.r_[:520, :9], 520)):
        seen, rows = Asked(voted), []
        for start in range(0, len(order), step):
            taken = order[start : start + step]
            part = [asked.rows(np.array([row])) for row in taken]
            contents = np.concatenate([one.layers["content"] for one in part])
            info = np.concatenate([one.info for one in part])
            rows += seen.see(Features(tuple(map(str, range(len(taken)))), {"content": contents}, info))
        records.append(seen.record())
        assert len(seen.contents) == KEPT and len(rows) == len(order)
    assert records[0] == records[1] and records[2]["distance"] == records[0]["distance"] > 0.15
    assert records[0]["pictures"] == 520 and records[0]["learned_from"] == 0


def test_what_several_have_seen_is_what_one_has_seen(voted):
    """Parts that went through JSON, in another order: the same record, to the last bit of the distance."""
    import json

    asked = features(pictures(520, seed=1), np.random.default_rng(1).normal(size=(520, 3)) + 2)
    whole, joined = Asked(voted), Asked(voted)
    whole.see(asked)
    for part in (slice(300, 520), slice(0, 300)):
        other = Asked(voted)
        other.see(asked.rows(part))
        joined.recall(json.loads(json.dumps(other.to_json())))
    assert joined.record() == whole.record()
    assert joined.contents.tobytes() == whole.contents.tobytes()


def test_too_few_pictures_say_nothing_of_a_set(voted):
    seen = Asked(voted)
    seen.see(features(pictures(4, seed=3), np.full((4, 3), 5.0)))
    assert seen.record()["distance"] is None and seen.record()["pictures"] == 4
    few = Voted.of(features(pictures(10), np.zeros((10, 3))))
    assert few.content is None and few.notes(features(pictures(1), np.zeros((1, 3)))) == [LEARNED_FROM]
    nobody = Asked(None)
    assert nobody.see(features(pictures(2), np.zeros((2, 3)))) == ["", ""]
    assert nobody.record() == {"pictures": 2, "unlike": None, "distance": None, "learned_from": None}


def test_the_human_model_learns_from_all_but_the_content():
    both = Features(("a",), {"mid.distance": np.ones((1, 1)), "content": np.ones((1, 4))})
    assert list(columns_alone(both).layers) == ["mid.distance"]
