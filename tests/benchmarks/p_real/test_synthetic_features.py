"""The whole evaluation on votes as Layer 6 keeps them, with features whose worth is known."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks.p_real import synthetic_features
from giqa.cli import main
from giqa.stats import spearman
from giqa.votes.layer6 import read_people


def write_guesses(folder, pictures=1200, seed=0):
    """A table as of Layer 6: two generators of (mean share) .4 and .2, which share the paths of their pictures."""
    rng = np.random.default_rng(seed)
    rows = [",model,generated,image_path,number_guesses,number_guesses_generated,soft_label"]
    truth = {}
    for model, a, b in (("gan", 2.0, 3.0), ("vae", 1.0, 4.0)):
        for i in range(pictures):
            n, p = 1 + i % 4, rng.beta(a, b)
            fake = n - rng.binomial(n, p)
            truth[f"{model}/{i:05d}.png"] = p
            rows.append(f"{len(rows)},{model},1,{i:05d}.png,{n},{fake},{fake / n}")
    (folder / "toy.csv").write_text("\n".join(rows) + "\n")
    return truth


def run(folder, features, counts, *options):
    """`giqa evaluate` of several columns; its JSON."""
    counts.write(folder / "votes.csv")
    names = list(features.layers)
    rows = [f"{i},{','.join(map(str, row))}" for i, row in zip(features.ids, features.matrix().tolist(), strict=True)]
    (folder / "columns.csv").write_text("\n".join([f"id,{','.join(names)}", *rows]) + "\n")
    command = ["evaluate", str(folder / "columns.csv"), "--labels", str(folder / "votes.csv"), "--resamples", "40"]
    result = CliRunner().invoke(main, [*command, "--column", ",".join(names), *options, "-o", str(folder / "e.json")])
    assert result.exit_code == 0, result.output
    return json.loads((folder / "e.json").read_text())


def test_stand_ins_are_worth_what_is_said(tmp_path):
    """p drawn from what the votes allow is as good as the truth that made them: each column's correlation is equal."""
    truth = write_guesses(tmp_path)
    counts = read_people(tmp_path)["toy"]
    p, features = synthetic_features.stand_ins(counts)
    true = np.array([truth[name] for name in counts.image.tolist()])
    assert np.corrcoef(p, counts.n_real / counts.n)[0, 1] == pytest.approx(
        np.corrcoef(true, counts.n_real / counts.n)[0, 1], abs=0.04
    )
    column = features.layers["noise 1"][:, 0]
    assert spearman(column, p) == pytest.approx(6 / np.pi * np.arcsin(np.sqrt(0.5) / 2), abs=0.03)  # log odds + as much
    assert abs(spearman(features.layers["nothing"][:, 0], p)) < 0.06


@pytest.mark.slow
def test_the_evaluation_finds_what_is_known(tmp_path):
    """The correlation with p, over all and within generators, from votes alone; noise is corrected for."""
    write_guesses(tmp_path, pictures=600)
    counts = read_people(tmp_path)["toy"]
    p, features = synthetic_features.stand_ins(counts)
    found = run(tmp_path, features, counts, "--learning-curve")
    over, within = synthetic_features.known(p, features, counts.generator)
    figures = found["figures"]
    assert figures["Spearman"]["value"] < over - 0.2  # votes are noise in large part
    assert figures["Spearman, disattenuated"]["value"] == pytest.approx(over, abs=0.08)
    assert figures["Spearman within generator, disattenuated"]["value"] == pytest.approx(within, abs=0.12)
    assert (
        figures["constant answer"]["value"] < figures["accuracy"]["value"] < figures["best possible accuracy"]["value"]
    )
    assert set(found["across"]) == {"gan -> gan", "gan -> vae", "vae -> gan", "vae -> vae"}
    assert [step["pictures"] for step in found["learning"]] == [20, 50, 100, 200, 500, 960]


def test_the_evaluation_runs_on_the_votes_of_people(tmp_path, shared):
    """Three of LSUN's generators, 1,900 pictures: each foretold from the two others, as well as noise allows."""
    counts = read_people(shared / "humans/layer6-realism/per-image/lsun.csv")["lsun"]
    kept = np.isin(counts.generator, ["ddpm", "stylegan", "iddpm"])
    counts = counts.rows(kept).rows(np.arange(int(kept.sum())) % 2 == 0)
    p, features = synthetic_features.stand_ins(counts)
    found = run(tmp_path, features, counts)
    over, _ = synthetic_features.known(p, features, counts.generator)
    disattenuated = found["figures"]["Spearman, disattenuated"]
    assert disattenuated["low"] - 0.05 < over < disattenuated["high"] + 0.05
    assert [g["name"] for g in found["generators"]] == ["ddpm", "iddpm", "stylegan"]
    assert len(found["across"]) == 9 and all(g["auroc"]["low"] > 0.5 for g in found["generators"])
