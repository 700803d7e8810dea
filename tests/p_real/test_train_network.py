"""A network that learns from votes itself: the likelihood by hand, resuming, calibration on pictures held out."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch")

from giqa.api import score  # noqa: E402
from giqa.cli import main  # noqa: E402
from giqa.errors import BadModel, BadSpec  # noqa: E402
from giqa.p_real.file import load_realism  # noqa: E402
from giqa.p_real.train_network import train_end_to_end  # noqa: E402
from giqa.train.network import Trainer  # noqa: E402

QUICK = {"load": 16, "crop": 16, "batch": 32, "epochs": 3}


@pytest.fixture(scope="module")
def set_(tmp_path_factory):
    """(votes, pictures, reals): 160 grey pictures with noise, 7 votes each; the more noise, the less often real."""
    rng = np.random.default_rng(0)
    noise = np.linspace(0, 1, 160)
    grey = rng.integers(60, 200, (160, 1, 1, 3)) + noise[:, None, None, None] * rng.normal(0, 50, (160, 16, 16, 3))
    pictures = np.clip(grey, 0, 255).astype(np.uint8)
    folder = tmp_path_factory.mktemp("set")
    reals = np.clip(rng.integers(60, 200, (60, 1, 1, 3)) + rng.normal(0, 3, (60, 16, 16, 3)), 0, 255).astype(np.uint8)
    np.savez(folder / "pictures.npz", images=pictures)
    rows = [f"{i:03d},7,{rng.binomial(7, 0.9 - 0.8 * n)}" for i, n in enumerate(noise)]
    (folder / "votes.csv").write_text("\n".join(["image,n,n_real", *rows]) + "\n")
    np.savez(folder / "reals.npz", images=reals)
    return folder / "votes.csv", folder / "pictures.npz", folder / "reals.npz"


@pytest.fixture(scope="module")
def learned(set_, tmp_path_factory):
    out = tmp_path_factory.mktemp("learned") / "people.safetensors"
    return out, train_end_to_end(*set_, out, **(QUICK | {"epochs": 6}))


@pytest.mark.slow
def test_noise_is_called_real_less_often(set_, learned):
    found = score(set_[1], model=learned[0].with_suffix(".giqa"))
    assert found.p_real[:40].mean() > found.p_real[-40:].mean() + 0.2
    assert np.all((found.p_real_low <= found.p_real) & (found.p_real <= found.p_real_high))
    assert np.isfinite(found.z).all()  # 60 reals fix the scale
    assert learned[1].made_by["held_out_pictures"] == 32


@pytest.mark.slow
def test_the_loss_is_the_likelihood_of_a_vote(set_, tmp_path, monkeypatch):
    """-(sum of k log p + (n - k) log(1 - p)) / sum of n."""
    kept = {}
    own = Trainer._loss

    def loss(self, x, aims):
        value = own(self, x, aims)
        with torch.no_grad():
            self.network.eval()
            p = self.network(torch.from_numpy(x)).sigmoid().numpy()[:, 0].astype(float)
        kept.setdefault("pairs", []).append((float(own(self, x, aims).detach()), p, aims))
        return value

    monkeypatch.setattr(Trainer, "_loss", loss)
    train_end_to_end(*set_, tmp_path / "n.safetensors", **(QUICK | {"epochs": 1}))
    value, p, (share, votes) = kept["pairs"][-1][0], kept["pairs"][-1][1], kept["pairs"][-1][2].T
    real = share * votes
    assert value == pytest.approx(-(real * np.log(p) + (votes - real) * np.log(1 - p)).sum() / votes.sum(), rel=1e-4)


class Killed(BaseException):
    pass


@pytest.mark.slow
def test_a_resumed_training_ends_with_the_same_bits(set_, tmp_path):
    """Killed after the first epoch and run again: equal byte for byte, and no checkpoint is left."""
    train_end_to_end(*set_, tmp_path / "whole.safetensors", **QUICK)

    def kill(what, done, total):
        if what == "learn" and done > total // 3 + 1:
            raise Killed

    out = tmp_path / "again.safetensors"
    with pytest.raises(Killed):
        train_end_to_end(*set_, out, progress=kill, **QUICK)
    assert out.with_suffix(".checkpoint").is_file() and not out.exists()
    train_end_to_end(*set_, out, **QUICK)
    assert out.read_bytes() == (tmp_path / "whole.safetensors").read_bytes()
    assert load_realism(out.with_suffix(".giqa")).digest == load_realism(tmp_path / "whole.giqa").digest
    assert not out.with_suffix(".checkpoint").exists()


def test_both_files_can_be_moved(set_, learned, tmp_path):
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for ending in (".safetensors", ".giqa"):
        (moved / f"people{ending}").write_bytes(learned[0].with_suffix(ending).read_bytes())
    found = load_realism(moved / "people.giqa")
    assert str(moved) in found.extractor and found.digest == learned[1].digest
    assert np.array_equal(score(set_[1], model=found).p_real, score(set_[1], model=learned[1]).p_real)


def test_another_network_in_its_place_is_refused(set_, learned, tmp_path):
    moved = tmp_path / "people.safetensors"
    made = train_end_to_end(*set_, moved, **(QUICK | {"epochs": 1}))
    moved.write_bytes(learned[0].read_bytes())
    with pytest.raises(BadModel, match="bring back"):
        made.sums  # noqa: B018


def test_few_votes_and_wrong_options_are_refused(set_, tmp_path):
    few = tmp_path / "few.csv"
    few.write_text("image,n,n_real\n" + "".join(f"{i:03d},3,{i % 4}\n" for i in range(40)))
    with pytest.raises(BadSpec, match="1,000 votes or more, there are 120"):
        train_end_to_end(few, *set_[1:], tmp_path / "n.safetensors")
    words = ["train", "human", str(set_[0]), "--images", str(set_[1]), "--real", str(set_[2])]
    for more, said in (
        (["--end-to-end", "--variant", "A", "-o", "x.safetensors"], "--variant is not for --end-to-end"),
        (["--epochs", "2", "-o", "x.giqa"], "--epochs is only for --end-to-end"),
        (["--end-to-end", "-o", "x.giqa"], "NAME.safetensors"),
    ):
        result = CliRunner().invoke(main, [*words, *more])
        assert result.exit_code == 2 and said in result.output


@pytest.mark.slow
def test_the_command_writes_both_files(set_, tmp_path):
    out = tmp_path / "people.safetensors"
    words = ["train", "human", str(set_[0]), "--images", str(set_[1]), "--real", str(set_[2])]
    result = CliRunner().invoke(main, [*words, "--end-to-end", "--epochs", "1", "-o", str(out)])
    assert result.exit_code == 0, result.output
    told = CliRunner().invoke(main, ["info", str(out.with_suffix(".giqa")), "--json"])
    assert json.loads(told.output)["made_by"]["held_out"]["log-likelihood, gain"]["n"] == 32
