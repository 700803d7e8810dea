import csv

import numpy as np
import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch")

from giqa.cli import main  # noqa: E402
from giqa.cli.demo_gan import demo_gan  # noqa: E402
from giqa.errors import BadModel, BadShape, BadSpec  # noqa: E402
from giqa.images.toy import landscape  # noqa: E402
from giqa.metrics.frechet import Frechet  # noqa: E402
from giqa.train.gan import GAN, sample_latents, sample_pictures, train_gan, write_sample  # noqa: E402
from giqa.train.gan_network import Discriminator, Generator, r1_penalty  # noqa: E402
from giqa.train.network import train_network  # noqa: E402

SMALL = {"batch": 4, "every": 3, "each": 4, "width": 4}


@pytest.fixture(scope="module")
def reals():
    return np.stack([landscape(np.random.default_rng(i), 32) for i in range(48)])


@pytest.fixture(scope="module")
def trained(reals, tmp_path_factory):
    """Six steps with snapshots at 0, 3, 6, and MBC learned from these."""
    folder = train_gan(reals, tmp_path_factory.mktemp("gan") / "plain", steps=6, **SMALL)
    quick = {"load": 32, "crop": 28, "epochs": 1, "n_heads": 2}
    return folder, train_network(
        "mbc", folder / "snapshots" / "snapshots.csv", folder.parent / "m.safetensors", **quick
    )


class Killed(BaseException):
    pass


@pytest.mark.slow
@pytest.mark.parametrize("with_quality", [False, True])
def test_a_resumed_training_ends_with_the_same_bits(reals, trained, tmp_path, with_quality):
    """Killed after any step and run again: generator, checkpoint, log and snapshots are equal byte for byte."""
    options = SMALL | ({"quality": trained[1], "start": trained[0]} if with_quality else {})
    first, last = (6, 12) if with_quality else (0, 7)
    whole = train_gan(reals, tmp_path / "whole" / "run", steps=last, **options)
    expected = {p.relative_to(whole): p.read_bytes() for p in whole.rglob("*") if p.is_file()}
    for killed_at in range(first + 1, last):

        def kill(what, done, total, killed_at=killed_at):
            if done == killed_at:
                raise Killed

        folder = tmp_path / str(killed_at) / "run"
        with pytest.raises(Killed):
            train_gan(reals, folder, steps=last, progress=kill, **options)
        train_gan(reals, folder, steps=last, **options)
        found = {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
        assert found == expected, killed_at


def test_writes_snapshots_a_log_and_a_generator(reals, trained):
    folder, _ = trained
    with open(folder / "snapshots" / "snapshots.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [sum(r["iteration"] == i for r in rows) for i in ("", "0", "3", "6")] == [48, 4, 4, 4]
    with open(folder / "log.csv", newline="") as file:
        assert [row["step"] for row in csv.DictReader(file)] == ["3", "6"]
    made = sample_pictures(folder, 5, seed=1)
    assert made.shape == (5, 32, 32, 3) and made.dtype == np.uint8
    assert np.array_equal(made, sample_pictures(folder, 5, seed=1))
    assert not np.array_equal(made, sample_pictures(folder, 5, seed=2))


def test_truncated_latents_come_nearer_to_the_middle(trained, tmp_path):
    """With 0 all pictures are that of the latent 0; the file holds the pictures, and the latents as they were used."""
    middle = sample_pictures(trained[0], 3, seed=1, truncation=0.0)
    assert np.array_equal(middle[0], middle[1]) and np.array_equal(middle[1], middle[2])
    path = write_sample(trained[0], 3, seed=1, truncation=0.5)
    assert path.name == "sample-0.5.npz"
    assert np.array_equal(np.load(path)["images"], sample_pictures(trained[0], 3, seed=1, truncation=0.5))
    latents = np.load(path.with_name("sample-0.5-latents.npy"))
    assert latents.shape == (3, 64) and np.array_equal(latents, 0.5 * sample_latents(3, 1).numpy())


def test_weight_one_trains_as_without_ohem(reals, trained, tmp_path):
    """w_l = 1: the generator is that of a training without a scorer, bit for bit; w_l = 2: it is not."""
    generators = {}
    for name, more in {"none": {}, "one": {"weight": 1.0}, "two": {"weight": 2.0}}.items():
        quality = {} if name == "none" else {"quality": trained[1]}
        gan = GAN(OPTIONS | more, reals, torch.device("cpu"), None if not quality else (lambda x: x.mean((1, 2, 3))))
        gan.quantile.fewest = 1
        for _ in range(3):
            gan.step()
        generators[name] = torch.cat([p.flatten() for p in gan.generator.parameters()])
    assert torch.equal(generators["none"], generators["one"])
    assert not torch.equal(generators["none"], generators["two"])


OPTIONS = {"size": 32, "batch": 10, "rate": 1e-3, "gamma": 1.0, "ema": 0.9, "width": 4, "seed": 0, "weight": 2.0}
OPTIONS |= {"threshold": None}


def test_loss_on_fakes_is_weighted_by_low_quality(reals):
    """With ten fakes and a known scorer, the two lowest weigh twice in the discriminator's loss on fakes."""
    gan = GAN(OPTIONS, reals, torch.device("cpu"), lambda x: torch.arange(10.0))
    gan.quantile.fewest = 1
    weights = gan._weights(torch.zeros(10, 3, 32, 32))
    assert weights.tolist() == [2, 2, 1, 1, 1, 1, 1, 1, 1, 1] and gan.share == pytest.approx(0.2)


def test_a_fixed_threshold_replaces_the_running_fifth(reals):
    """Below 7 of 0..9: seven of ten weigh twice."""
    gan = GAN(OPTIONS | {"threshold": 7.0}, reals, torch.device("cpu"), lambda x: torch.arange(10.0))
    assert gan._weights(torch.zeros(10, 3, 32, 32)).tolist() == [2] * 7 + [1] * 3 and gan.share == pytest.approx(0.7)


def test_average_follows_the_generator(reals):
    """After one step: .9 of the first weights and .1 of the new ones."""
    gan = GAN(OPTIONS, reals, torch.device("cpu"), None)
    before = [p.detach().clone() for p in gan.generator.parameters()]
    gan.step()
    for mean, old, new in zip(gan.average.parameters(), before, gan.generator.parameters(), strict=True):
        assert torch.allclose(mean, 0.9 * old + 0.1 * new.detach(), atol=1e-7)


def test_penalty_is_the_squared_slope_at_reals():
    """f(x) = sum of x^2 has the slope 2x: the mean over pictures of 4 |x|^2; and it has a gradient of its own."""
    x = torch.tensor([[1.0, 2.0], [0.0, 3.0]])
    assert r1_penalty(lambda x: x.square().sum(1), x).item() == pytest.approx((4 * 5 + 4 * 9) / 2)
    weight = torch.tensor(3.0, requires_grad=True)
    r1_penalty(lambda x: weight * x.sum(1), x).backward()
    assert weight.grad.item() == pytest.approx(2 * 3 * 2)  # d/dw of 2 w^2


@pytest.mark.parametrize("size", [32, 64])
def test_networks_have_the_size_asked_for(size):
    z = torch.randn(2, 64)
    pictures = Generator(size, 4)(z)
    assert pictures.shape == (2, 3, size, size) and pictures.abs().max() <= 1
    assert Discriminator(size, 4)(pictures).shape == (2,)


def flipped(path):
    """Its last number has another sign."""
    content = bytearray(path.read_bytes())
    content[-1] ^= 128
    return bytes(content)


def test_checkpoints_of_other_trainings_are_refused(reals, trained, tmp_path):
    folder, _ = trained
    with pytest.raises(BadModel, match="other pictures or options"):
        train_gan(reals[:40], folder, steps=7, **SMALL)
    with pytest.raises(BadModel, match="no checkpoint of"):
        train_gan(reals, tmp_path / "a", start=tmp_path, **SMALL)
    with pytest.raises(BadShape, match="another size or width"):
        train_gan(reals, tmp_path / "a", start=folder, **(SMALL | {"width": 8}))
    for content in (None, flipped(folder / "generator.safetensors")):
        if content:
            (tmp_path / "generator.safetensors").write_bytes(content)
        with pytest.raises(BadModel, match="no generator"):
            sample_pictures(tmp_path, 1)
    (tmp_path / "gan.checkpoint").write_bytes(flipped(folder / "gan.checkpoint"))
    with pytest.raises(BadModel, match="or is damaged"):
        train_gan(reals, tmp_path / "a", start=tmp_path, **SMALL)
    with pytest.raises(BadSpec, match="size is 32 or 64"):
        train_gan(reals, tmp_path / "a", size=33)


def test_command_trains(toy, tmp_path):
    arguments = ["train", "gan", str(toy[0]), "-o", str(tmp_path / "g"), "--steps", "1", "--batch", "2", "--every", "1"]
    sampled = ["--sample", "3", "--truncation", "1", "--truncation", "0.7", "--width", "4"]
    result = CliRunner().invoke(main, [*arguments, "--each", "2", *sampled])
    assert result.exit_code == 0 and "wrote" in result.stderr
    assert len(sample_pictures(tmp_path / "g", 2)) == 2
    assert all(len(np.load(tmp_path / "g" / name)["images"]) == 3 for name in ("sample.npz", "sample-0.7.npz"))
    result = CliRunner().invoke(main, [*arguments, "--truncation", "0.7"])
    assert result.exit_code == 2 and "give --sample N too" in result.stderr


@pytest.mark.slow
def test_the_demo_shows_the_whole_path_and_resumes(tmp_path, monkeypatch):
    """Killed half-way and run again, `giqa demo gan` ends with the curve of an uninterrupted run (here without DS)."""
    monkeypatch.setattr("giqa.cli.demo_gan.METRICS", {"fd": Frechet()})
    monkeypatch.setattr("giqa.cli.demo_gan.REALS", 60)  # of 300
    calls = 0

    def kill(what, done, total):
        nonlocal calls
        calls += what == "train"
        if calls == 8:
            raise Killed

    with pytest.raises(Killed):
        demo_gan(tmp_path / "demo", steps=6, pictures=40, progress=kill)
    demo_gan(tmp_path / "demo", steps=6, pictures=40)
    demo_gan(tmp_path / "again", steps=6, pictures=40)
    for name in ("curve.csv", "curve.html", "ohem/log.csv"):
        assert (tmp_path / "demo" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    with (tmp_path / "demo" / "curve.csv").open(newline="") as file:
        assert [row["how"] for row in csv.DictReader(file)] == ["plain"] * 6 + ["ohem"] * 6
    assert "Share of pictures that OHEM weighted" in (tmp_path / "demo" / "curve.html").read_text()
    assert (tmp_path / "demo" / "report.html").stat().st_size > 50_000
