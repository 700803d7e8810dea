import json

import numpy as np
import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch")

import giqa  # noqa: E402
from giqa.cli import main  # noqa: E402
from giqa.errors import BadModel, BadSource, BadSpec, BadWeights, MissingWeights  # noqa: E402
from giqa.features.learned import KEY, Learned, crops_of, frozen_scorer, read_recipe, score_of  # noqa: E402
from giqa.features.learned_network import vgg19bn  # noqa: E402
from giqa.scorers.labels import combined  # noqa: E402
from giqa.testing import check_extractor  # noqa: E402
from giqa.train.manifest import read_manifest  # noqa: E402
from giqa.train.network import Trainer, ranked_pairs, rate_at, train_network  # noqa: E402
from giqa.train.pictures import batch_input, read_pictures, turned  # noqa: E402
from giqa.train.recipe import recipe_for  # noqa: E402

QUICK = {"load": 16, "crop": 12, "batch": 16, "epochs": 3, "n_heads": 3}


@pytest.fixture(scope="module")
def learned(snapshots, tmp_path_factory):
    """A network that learned from the second run (48 reals, so that a model is written too)."""
    out = tmp_path_factory.mktemp("learned") / "net.safetensors"
    return train_network("mbc", snapshots[1], out, **(QUICK | {"epochs": 6, "load": 24, "crop": 20}))


class Killed(BaseException):
    pass


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["mbc", "rank"])
def test_a_resumed_training_ends_with_the_same_bits(snapshots, tmp_path, kind):
    """Killed in any epoch, before its checkpoint or after, and run again: the file is equal byte for byte."""
    options = QUICK if kind == "mbc" else QUICK | {"n_heads": None}
    whole = train_network(kind, snapshots[1], tmp_path / "whole.safetensors", **options).read_bytes()
    steps = 0

    def count(what, done, total):
        nonlocal steps
        steps = max(steps, total if what == "learn" else 0)

    train_network(kind, snapshots[1], tmp_path / "count.safetensors", progress=count, **options)
    for number, killed_at in enumerate(range(1, steps, max(1, steps // 5))):

        def kill(what, done, total, killed_at=killed_at):
            if what == "learn" and done == killed_at:
                raise Killed

        out = tmp_path / f"{number}.safetensors"
        with pytest.raises(Killed):
            train_network(kind, snapshots[1], out, progress=kill, **options)
        assert not out.exists()
        assert train_network(kind, snapshots[1], out, **options).read_bytes() == whole
        assert not out.with_suffix(".checkpoint").exists()


def test_a_checkpoint_of_another_training_is_refused(snapshots, tmp_path):
    def kill(what, done, total):
        if what == "learn" and done == total - 1:
            raise Killed

    out = tmp_path / "net.safetensors"
    with pytest.raises(Killed):
        train_network("mbc", snapshots[1], out, progress=kill, **QUICK)
    for manifest, options in ((snapshots[1], QUICK | {"seed": 1}), (snapshots[0], QUICK)):
        with pytest.raises(BadModel, match="other pictures or options"):
            train_network("mbc", manifest, out, **options)
    out.with_suffix(".checkpoint").write_bytes(b"rubbish")
    with pytest.raises(BadModel, match="is no checkpoint"):
        train_network("mbc", snapshots[1], out, **QUICK)


def test_learning_lowers_the_loss_and_ranks_what_was_not_seen(learned, snapshots):
    """The loss on held-out snapshots falls; run a, never seen, is ranked early to late, by the model beside it."""
    recipe = read_recipe(learned)
    assert min(recipe["history"]) < recipe["history"][0] and len(recipe["thresholds"]) == 3
    scores = giqa.score(f"{snapshots[0]}[kind=generated]", model=learned.with_suffix(".giqa"))
    iteration = np.array([int(i.split("_")[1]) for i in scores.id])
    assert scores.score[iteration >= 4].mean() > scores.score[iteration <= 1].mean()
    assert np.isfinite(scores.z).all()


def test_is_an_extractor_whose_feature_is_the_score(learned):
    check_extractor(lambda: Learned(learned))
    picture = np.random.default_rng(0).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    found = Learned(learned)([picture])["score"]
    assert found.shape == (1, 1) and 0 < found[0, 0] < 1


def test_a_network_with_another_number_is_refused(learned, tmp_path):
    """One bit, in a weight or in what is said of the network."""
    whole = learned.read_bytes()
    for place in (len(whole) - 1, whole.find(b'thresholds\\": [0.') + 17):
        content = bytearray(whole)
        content[place] ^= 1
        (tmp_path / "net.safetensors").write_bytes(content)
        with pytest.raises(BadWeights, match="checksum"):
            Learned(tmp_path / "net.safetensors")([np.zeros((24, 24, 3), np.uint8)])


def test_score_is_the_mean_of_heads_over_crops(learned):
    """By hand: five crops standardised, the network's sigmoid averaged over them, ordered, and the mean (eq. 4)."""
    from giqa.features.learned import load
    from giqa.features.weights import resolve

    recipe = read_recipe(learned)
    picture = np.random.default_rng(1).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    network, _ = load(learned, resolve(learned).sha256, "cpu")
    cuts = [picture[y : y + 20, x : x + 20] for y, x in ((2, 2), (0, 0), (0, 4), (4, 0), (4, 4))]
    x = np.stack([(cut - np.array(recipe["mean"])) / np.array(recipe["deviation"]) for cut in cuts])
    outputs = network(torch.tensor(x.transpose(0, 3, 1, 2), dtype=torch.float32)).detach().numpy()
    heads = (1 / (1 + np.exp(-outputs))).mean(axis=0)
    expected = np.minimum.accumulate(heads).mean()
    assert Learned(learned)([picture])["score"][0, 0] == pytest.approx(expected, abs=1e-5)
    assert crops_of(picture.astype(np.float32), recipe | {"five_crops": False}).shape == (1, 3, 20, 20)


@pytest.mark.parametrize("preset", ["paper", "released", "recommended"])
def test_a_networks_heads_are_combined_as_heads_on_features_are(preset):
    """The two stages do not import each other; the formula is the same."""
    heads = np.random.default_rng(0).random((50, 8))
    assert np.array_equal(score_of(heads, {"kind": "mbc", "preset": preset}), combined(heads, preset))


def test_frozen_in_a_loop_it_gives_scores_and_no_gradient(learned):
    """Tensors from -1 to 1 get the score of their middle crop; neither they nor the network get a gradient."""
    pixels = np.random.default_rng(0).integers(0, 256, (4, 24, 24, 3), dtype=np.uint8)
    fakes = torch.tensor(pixels / 127.5 - 1, dtype=torch.float32).permute(0, 3, 1, 2).requires_grad_()
    scores = frozen_scorer(learned)(fakes)
    assert scores.shape == (4,) and not scores.requires_grad
    recipe = read_recipe(learned)
    alone = frozen_scorer(learned)(fakes[:1])
    assert float(alone[0]) == pytest.approx(float(scores[0]), abs=1e-6)
    middle = crops_of(pixels[0].astype(np.float32), recipe | {"five_crops": False})
    from giqa.features.learned import load
    from giqa.features.weights import resolve

    outputs = load(learned, resolve(learned).sha256, "cpu")[0](torch.from_numpy(middle))
    heads = 1 / (1 + np.exp(-outputs.numpy()[0].astype(float)))
    assert float(scores[0]) == pytest.approx(np.minimum.accumulate(heads).mean(), abs=1e-5)


def test_vgg_is_that_of_the_released_scripts():
    """16 convolutions and six max-pools, 192 px to 3x3x512 = 4608, then 1024, then the heads."""
    network = vgg19bn(8)
    kinds = [type(module).__name__ for module in network]
    assert (kinds.count("Conv2d"), kinds.count("BatchNorm2d"), kinds.count("MaxPool2d")) == (16, 16, 6)
    assert [tuple(m.weight.shape) for m in network if isinstance(m, torch.nn.Linear)] == [(1024, 4608), (8, 1024)]
    with torch.no_grad():
        assert network.eval()(torch.zeros(1, 3, 192, 192)).shape == (1, 8)


def test_recipes_of_the_presets():
    """The released scripts' figures; changes win over presets; what means nothing is refused."""
    released = recipe_for("mbc", "released")
    said = ("rate", "decay", "batch", "epochs", "load", "crop", "rotation", "n_heads", "network")
    assert [released[name] for name in said] == [0.05, 5e-4, 512, 112, 256, 192, 15.0, 8, "vgg19bn"]
    assert [rate_at(released, epoch / 112) for epoch in (0, 27, 28, 56, 84)] == pytest.approx(
        [0.05, 0.05, 0.005, 0.0005, 0.00005]
    )
    assert recipe_for("bc", "paper", epochs=2)["epochs"] == 2
    assert recipe_for("ir", network="vgg19bn")["load"] == 256
    wrong = ({"kind": "gmm"}, {"preset": "best"}, {"crop": 99}, {"colour": 1}, {"kind": "bc", "n_heads": 2})
    for one in wrong:
        with pytest.raises(BadSpec):
            recipe_for(**({"kind": "mbc"} | one))


def test_released_loss_is_the_mean_and_the_papers_the_sum_over_heads(snapshots):
    """Binary cross-entropy by hand on the same outputs: eq. 3 is N times the released scripts' mean."""
    lost = {}
    for preset in ("paper", "released"):
        recipe = recipe_for("mbc", preset, n_heads=3, network="small", load=16, crop=16)
        pictures = read_pictures(read_manifest(snapshots[0]), 16, 0, None, None)
        trainer = Trainer(recipe, pictures, torch.device("cpu"), snapshots[0].with_suffix(".none"))
        x = batch_input(pictures.pixels[:10], trainer.recipe, None)
        aims = np.tile(np.array([[1, 1, 0]], np.float32), (10, 1))
        trainer.network.eval()
        lost[preset] = float(trainer._loss(x, aims).detach())
        p = 1 / (1 + np.exp(-trainer.network(torch.from_numpy(x)).detach().numpy().astype(float)))
        by_hand = -(aims * np.log(p) + (1 - aims) * np.log(1 - p))
        expected = by_hand.mean() if preset == "released" else by_hand.sum(axis=1).mean()
        assert lost[preset] == pytest.approx(expected, rel=1e-5)


def test_stops_when_held_out_snapshots_get_no_better(snapshots):
    """After `patience` epochs without a smaller loss; without patience only when all epochs are over."""
    pictures = read_pictures(read_manifest(snapshots[0]), 16, 0, None, None)
    for patience, losses, done in (
        (2, [], False),
        (2, [1.0, 0.5, 0.6], False),
        (2, [1.0, 0.5, 0.6, 0.5], True),
        (None, [1.0, 2, 3, 4], False),
        (None, [1.0, 2, 3, 4, 5, 6], True),
        (9, [6.0, 5, 4, 3, 2, 1], True),
    ):
        recipe = recipe_for("ir", load=16, crop=12, epochs=6) | {"patience": patience}
        trainer = Trainer(recipe, pictures, torch.device("cpu"), snapshots[0].with_suffix(".none"))
        trainer.history = losses
        assert trainer.done == done


def test_whole_snapshots_are_held_out(snapshots):
    pictures = read_pictures(read_manifest(snapshots[1]), 16, 0, None, None)
    numbers = pictures.manifest.snapshots()
    by_snapshot = [set(pictures.held_out[numbers == k]) for k in np.unique(numbers[numbers >= 0])]
    assert all(len(found) == 1 for found in by_snapshot) and sum(map(sum, by_snapshot)) == 1
    assert pictures.held_out[numbers < 0].sum() >= 20


def test_pairs_of_ranks_differ_by_damage_alone():
    """The same seed makes the same pairs, of two levels of one kind: the worse differs more from the picture."""
    from giqa.images.toy import landscape

    pixels = np.stack([landscape(np.random.default_rng(i), 32) for i in range(12)])
    first, _ = ranked_pairs(pixels, np.arange(12))
    assert np.array_equal(first, ranked_pairs(pixels, np.arange(12))[0])
    away = ((first.astype(float) - np.concatenate([pixels, pixels])) ** 2).mean(axis=(1, 2, 3))
    assert (away[12:] > away[:12]).all()


def test_augmentation_keeps_the_picture():
    """A crop of the full side is the picture or its mirror image; turning by nothing changes nothing."""
    pixels = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 3), dtype=np.uint8)
    recipe = {"crop": 8, "mean": [0.0] * 3, "deviation": [1.0] * 3}
    x = batch_input(pixels, recipe, np.random.default_rng(0)).transpose(0, 2, 3, 1)
    same = [np.array_equal(a, b) for a, b in zip(x, pixels, strict=True)]
    mirrored = [np.array_equal(a, b[:, ::-1]) for a, b in zip(x, pixels, strict=True)]
    assert all(a or b for a, b in zip(same, mirrored, strict=True)) and any(same) and any(mirrored)
    assert np.array_equal(turned(pixels, 0.0, np.random.default_rng(0)), pixels)


def test_too_few_reals_for_a_scale_is_said(snapshots, tmp_path):
    """24 reals hold out five: the network is written, the model is not, and the way out is named."""
    with pytest.warns(UserWarning, match=r"giqa fit REALS -o n\.giqa --extractor"):
        out = train_network("bc", snapshots[0], tmp_path / "n.safetensors", **(QUICK | {"n_heads": None, "epochs": 1}))
    assert out.exists() and not out.with_suffix(".giqa").exists()


def test_files_and_manifests_are_checked(snapshots, tmp_path):
    with pytest.raises(BadSpec, match=r"NAME\.safetensors"):
        train_network("mbc", snapshots[0], tmp_path / "n.pt")
    with pytest.raises(BadSource, match="at least two snapshots"):
        train_network("bc", f"{snapshots[0]}[iteration=5|]", tmp_path / "n.safetensors")
    with pytest.raises(BadSpec, match="needs a network that"):
        Learned().identity()
    with pytest.raises(MissingWeights):
        Learned(tmp_path / "none.safetensors").identity()
    from safetensors.numpy import save_file

    save_file({"x": np.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(BadWeights, match="no network that"):
        Learned(tmp_path / "other.safetensors").identity()
    save_file({"x": np.zeros(1)}, tmp_path / "new.safetensors", metadata={KEY: json.dumps({"format": 99})})
    with pytest.raises(BadWeights, match="format 99"):
        Learned(tmp_path / "new.safetensors").identity()


def test_command_learns_a_network(snapshots, tmp_path):
    out = tmp_path / "n.safetensors"
    arguments = ["train", "ir", str(snapshots[1]), "-o", str(out), "--epochs", "1", "--batch", "32"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0 and "small, 1 epochs, loss on held-out snapshots" in result.stderr
    result = CliRunner().invoke(
        main, ["score", f"{snapshots[0]}[iteration=5]", "--model", str(out.with_suffix(".giqa"))]
    )
    assert result.exit_code == 0, result.stderr
