"""The harness that asks whether metrics agree with people, on stand-ins for the pictures' features."""

import numpy as np
import pytest

from benchmarks.metrics import human_error_rate


def write(folder, rows):
    (folder / "per-participant").mkdir()
    lines = ["id,model,num_correct,err_rt", *(f"p,{model},0,{rate}" for model, rate in rows)]
    (folder / "per-participant" / "toy.csv").write_text("\n".join(lines) + "\n")


def test_error_rate_is_the_mean_over_people(tmp_path):
    write(tmp_path, [("a", 0.1), ("a", 0.3), ("b", 0.4)])
    assert human_error_rate.error_rates(tmp_path, "toy") == pytest.approx({"a": 0.2, "b": 0.4})


def test_metrics_that_agree_with_people_are_told_from_one_that_does_not():
    """Six generators that fool people the more the nearer they are; their spread has nothing to do with it."""
    rng = np.random.default_rng(0)
    reals = rng.normal(size=(150, 3))
    errors = {f"g{i}": rate for i, rate in enumerate((0.05, 0.1, 0.2, 0.3, 0.4, 0.45))}

    def features(model):
        return reals, reals[::-1] + 6 * (0.5 - errors[model]) + 0.01 * rng.normal(size=reals.shape)

    found = human_error_rate.against_humans(errors, features, ["fd", "kd", "precision", "qs"])
    assert all(figure.value > 0.9 for figure in found.values())
    turned = human_error_rate.against_humans({m: -e for m, e in errors.items()}, lambda m: features(m), ["fd"])
    assert turned["fd"].value < -0.9


def test_published_numbers_are_there_for_every_generator_with_labels(shared):
    """Names of the leaderboard are those of the labels, and the published error rates come out again."""
    for dataset, (model, rate) in {
        "cifar10": ("PFGMPP", 0.436), "ffhq256": ("stylenat", 0.299), "imagenet256": ("DiT-XL-2-guided", 0.330),
        "lsun256": ("admnet-dropout", 0.387),
    }.items():  # fmt: skip
        errors = human_error_rate.error_rates(shared / "humans" / "layer6-realism", dataset)
        assert errors[model] == pytest.approx(rate, abs=5e-4)
        assert set(human_error_rate.published(dataset)["fd"]) == set(errors)
        assert sorted(human_error_rate.fid_ranks(dataset).values()) == list(range(1, len(errors) + 1))
        assert set(human_error_rate.fid_ranks(dataset)) == set(errors)
