"""The column `detail`: below 0 softer than the reals, above noisier, and no part of z."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageFilter
from safetensors.numpy import load_file

import giqa
import giqa.images.pictures
from giqa.features.detail import detail_scalars
from giqa.images.toy import landscape
from giqa.model.load_model import load
from giqa.model.table import read_scores


@pytest.fixture(scope="module")
def reals():
    return np.stack([landscape(np.random.default_rng(seed), 48) for seed in range(40)])


@pytest.fixture(scope="module")
def model(reals):
    return giqa.fit(reals, extractor="statistics", scorer="sgm", store=False)


def damaged(picture):
    soft = np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(2)))
    rough = np.clip(picture + np.random.default_rng(0).normal(0, 30, picture.shape), 0, 255).astype(np.uint8)
    return np.stack([picture, soft, rough])


def test_it_is_the_distance_from_the_median_real_in_robust_sd(model, reals):
    """By hand from the values of all reals."""
    values = np.array([detail_scalars(p)[0] for p in reals], float)
    sd = 1.4826 * np.median(np.abs(values - np.median(values)))
    expected = [(detail_scalars(p)[0] - np.median(values)) / sd for p in damaged(reals[0])]
    assert model.score(damaged(reals[0]), store=False).detail == pytest.approx(expected)


def test_softer_is_below_noisier_above_and_the_reason_says_so(model, reals):
    scores = model.score(damaged(reals[3]), store=False)
    assert scores.detail[1] < -2 and scores.detail[2] > 2
    assert list(scores.reason[1:]) == ["softness", "noise or sharpening"]


def test_z_is_the_same_bits_with_and_without_it(model, reals, tmp_path):
    """Also a file without the reals' detail, as an earlier giqa wrote it, gives no such column and nothing else new."""
    fakes = damaged(reals[1])
    without = replace(model, detail=None).save(tmp_path / "old.giqa")
    assert "reals.detail_1" not in load_file(without)
    old, new = load(without).score(fakes, store=False), load(model.save(tmp_path / "m.giqa")).score(fakes, store=False)
    assert old.detail is None and "detail" not in old.columns and new.detail is not None
    for name in ("score", "z", "percentile", "z_low", "z_high"):
        assert old[name].tobytes() == new[name].tobytes()
    assert new.rows() == model.score(fakes, store=False).rows()


def test_order_and_other_pictures_do_not_matter(model, reals, tmp_path):
    again = giqa.fit(reals[::-1].copy(), extractor="statistics", scorer="sgm", store=False)
    assert again.detail.tobytes() == model.detail.tobytes()
    three = damaged(reals[2])
    alone = [model.score(p[None], store=False).detail[0] for p in three]
    assert model.score(three, store=False).detail.tolist() == alone


def test_mirrored_copies_and_twins_left_out_do_not_count_twice(reals):
    twice = np.concatenate([reals, reals[:5]])
    once = giqa.fit(twice, extractor="statistics", scorer="sgm", leave_out="twins", flip=True, store=False)
    assert len(once.reals) == 80 and len(once.detail) == 40


def test_kept_features_hold_it(reals, tmp_path, monkeypatch):
    """The second time not one picture is decoded."""
    monkeypatch.setenv("GIQA_HOME", str(tmp_path))
    first = giqa.score(reals[:4], model=giqa.fit(reals, extractor="statistics", scorer="sgm")).rows()
    model = giqa.fit(reals, extractor="statistics", scorer="sgm")

    def refuse(*_):
        raise AssertionError("decoded again")

    monkeypatch.setattr(giqa.images.pictures, "decode", refuse)
    assert model.score(reals[:4]).rows() == first


def test_match_comes_before(reals):
    """Both sets are halved first, so that what is compared is compared alike."""
    model = giqa.fit(reals, extractor="statistics", scorer="sgm", match="match(size=24)", store=False)
    halved = model.score(reals, store=False)
    assert np.median(halved.detail) == pytest.approx(0, abs=1e-9)


def test_where_nothing_can_be_said_it_is_nan(model, reals):
    """A picture of fewer than 16 pixels; reals that all have one value."""
    scores = model.score(reals[:2, :12, :12], store=False)
    assert np.isnan(scores.detail).all() and np.isfinite(scores.score).all()
    small = giqa.fit(reals[:, :12, :12].copy(), extractor="statistics", scorer="sgm", store=False)
    assert small.detail is None and "detail" not in small.score(reals, store=False).columns
    alike = replace(model, detail=np.zeros(40))
    assert np.isnan(alike.score(reals[:2], store=False).detail).all()


def test_a_picture_without_a_score_has_none(model, reals, tmp_path):
    Image.fromarray(reals[0]).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"no picture")
    scores = model.score(tmp_path, store=False)
    assert np.isfinite(scores.detail[0]) and np.isnan(scores.detail[1]) and scores.reason[1] == ""


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_it_is_in_the_table_and_read_back(model, reals, tmp_path, ending):
    scores = model.score(damaged(reals[0]), store=False)
    assert scores.columns[-2:] == ("detail", "reason")
    read = read_scores(scores.write(tmp_path / f"scores.{ending}"))
    assert read.rows() == scores.rows() and read.detail.tolist() == scores.detail.tolist()
