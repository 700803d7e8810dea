"""The kinds of files that giqa writes: how one is made, and all that it says when it is read."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.damage._parsers import FAKES, PIXELS, REALS, VOTES


@dataclass(frozen=True)
class Kind:
    """`make` writes the files of a kind into a folder; `read` gives all that they say, as something that compares.

    Files named `only` are damaged.
    """

    make: Callable[[Path], Any]
    read: Callable[[Path], Any]
    only: str = "*"


def model_of(**how: Any) -> Callable[[Path], Any]:
    def make(folder: Path) -> None:
        import giqa

        reals = list(PIXELS) if "extractor" in how else REALS
        giqa.fit(reals, store=False, **how).save(folder / "a.giqa")

    return make


def scored(folder: Path) -> Any:
    import giqa
    from giqa.model.file import open_model

    model = open_model(folder / "a.giqa")
    assert isinstance(model, giqa.Model)
    return told(model.score(FAKES if model.extractor is None else list(PIXELS[:3]), store=False))


def told(scores: Any) -> Any:
    """Every cell of a table of scores, and how it was made."""
    cells = [(name, list(map(str, scores[name]))) for name in scores.columns]
    return pickle.dumps((cells, repr(dict(scores.made_by))))


def features_kept(folder: Path) -> bytes:
    """Features of pictures, read from the store where they are there."""
    from giqa.features.reader import Reader, make_extractor

    os.environ["GIQA_HOME"] = str(folder)
    found = Reader(make_extractor("statistics")).features(list(PIXELS[:4])).needed("pictures")
    return b"".join(layer.tobytes() for layer in found.layers.values()) + found.info.tobytes()


def table_in(ending: str, only: str = "*") -> Kind:
    def make(folder: Path) -> None:
        import giqa

        giqa.fit(REALS, scorer="knn(k=1)").score(FAKES).write(folder / f"a.{ending}")

    def read(folder: Path) -> Any:
        import giqa

        return told(giqa.read_scores(folder / f"a.{ending}"))

    return Kind(make, read, only)


def votes_in(ending: str, only: str = "*") -> Kind:
    def make(folder: Path) -> None:
        from giqa.files import write_sha256
        from giqa.votes.votes import read_labels

        rows = [f"p{i}.png,r{i % 5},{i % 2},{'real' if i % 3 else 'fake'},g{i % 2}" for i in range(40)]
        (folder / "in.csv").write_text(VOTES["labels.csv"].partition("\n")[0] + "\n" + "\n".join(rows) + "\n")
        read_labels(folder / "in.csv").write(folder / f"a.{ending}")
        (folder / "in.csv").unlink()
        write_sha256(folder / f"a.{ending}")

    def read(folder: Path) -> Any:
        from giqa.votes.votes import read_labels

        labels = read_labels(folder / f"a.{ending}")
        return pickle.dumps({name: np.asarray(value).tolist() for name, value in vars(labels).items()})

    return Kind(make, read, only)


def make_statistics(folder: Path) -> None:
    from giqa.metrics.moments import Moments
    from giqa.metrics.reference_statistics import Statistics

    Statistics(Moments.of(REALS), {"extractor": "mine"}).write(folder / "a.npz")


def read_statistics(folder: Path) -> Any:
    from giqa.metrics.reference_statistics import read_statistics as read

    found = read(folder / "a.npz")
    return found.moments.mean.tobytes() + found.moments.covariance.tobytes() + repr(dict(found.made_by)).encode()


def pictures_in(folder: Path) -> None:
    """Reals, and fakes of which each is noisier than the one before, as fakes.npz and reals.npz."""
    rng = np.random.default_rng(0)
    for name, worst in (("reals", 0), ("fakes", 50)):
        pixels = rng.integers(60, 200, (40, 1, 1, 3)) + rng.normal(0, 3, (40, 32, 32, 3))
        pixels += np.linspace(0, worst, 40)[:, None, None, None] * rng.normal(size=pixels.shape)
        np.savez(folder / f"{name}.npz", images=np.clip(pixels, 0, 255).astype(np.uint8))


def people_of(row: str, columns: Sequence[str] | None = None) -> Kind:
    """A human model; `row` is the head of its table of judgements and what stands in the row of picture `i`."""

    def make(folder: Path) -> None:
        from giqa.p_real.train import train_human

        pictures_in(folder)
        head, _, cells = row.partition("\n")
        rows = [cells.format(id=f"{i:02d}", next=f"{(i + 7) % 40:02d}", some=(39 - i) // 5 + i % 3) for i in range(40)]
        (folder / "votes.csv").write_text("\n".join([head, *rows]) + "\n")
        given = [folder / name for name in ("votes.csv", "fakes.npz", "reals.npz", "a.giqa")]
        train_human(*given, layers=["high"], references=30, columns=columns, store=False)
        for path in given[:3]:
            path.unlink()

    def read(folder: Path) -> Any:
        from giqa.p_real.file import load_realism

        return told(load_realism(folder / "a.giqa").score(list(PIXELS[:3]), store=False))

    return Kind(make, read)


def near(folder: Path) -> Any:
    """Distances to references in a file."""
    from giqa.p_real.distances import LayerDistances

    file, maps = folder / "a.distances", [{"mid": np.random.default_rng(i).normal(size=(3, 3, 8))} for i in range(20)]
    found = LayerDistances.open(file) if file.exists() else LayerDistances().fit(maps[4:], 16, file)
    return found.distances(maps[:4])["mid"].tobytes() + repr(found.record()[1]).encode()


def make_human_model(folder: Path) -> None:
    from giqa.scorers.human import HumanModel

    votes = np.c_[np.full(24, 9), np.arange(24) // 3]
    HumanModel(resamples=20).fit(np.abs(REALS) + np.arange(24)[:, None], votes).save(folder / "a.human")


def read_human_model(folder: Path) -> Any:
    from giqa.scorers.human import HumanModel

    model = HumanModel.load(folder / "a.human")
    return pickle.dumps([*(p.tolist() for p in model.p_real(np.abs(FAKES))), model.weights(), model.C_])


def make_maps(folder: Path) -> None:
    from giqa.explain.maps import fit_maps

    fit_maps(list(PIXELS), "statistics", ["grain"]).save(folder / "a.maps")


def read_maps(folder: Path) -> Any:
    from giqa.explain.maps import load_maps

    maps = load_maps(folder / "a.maps")
    found = maps.explain(PIXELS[0])
    rest = (found.place, found.layer, found.percentile, found.beyond, list(found.nearest), repr(dict(maps.made_by)))
    return pickle.dumps(({name: z.tolist() for name, z in found.z.items()}, rest))


def make_gan(folder: Path) -> None:
    from giqa.train.gan import train_gan

    pictures_in(folder)
    train_gan(folder / "reals.npz", folder / "gan", steps=6, size=32, batch=4, every=3, each=8, width=4)


def generator(folder: Path) -> None:
    make_gan(folder)
    (folder / "gan" / "generator.safetensors").rename(folder / "generator.safetensors")


def read_generator(folder: Path) -> Any:
    from giqa.train.gan import sample_pictures

    return sample_pictures(folder, 2).tobytes()


def checkpoint(folder: Path) -> None:
    make_gan(folder)
    (folder / "gan" / "gan.checkpoint").rename(folder / "gan.checkpoint")


def read_gan_checkpoint(folder: Path) -> Any:
    from giqa.train.checkpoint import read_checkpoint
    from giqa.train.gan import KEY

    said, tensors = read_checkpoint(folder / "gan.checkpoint", KEY, "giqa train gan")
    return pickle.dumps((said, {name: tensor.numpy().tobytes() for name, tensor in sorted(tensors.items())}))


def make_network(folder: Path) -> None:
    from giqa.train.network import train_network

    make_gan(folder)
    table, quick = folder / "gan" / "snapshots" / "snapshots.csv", {"load": 32, "crop": 28, "epochs": 1, "n_heads": 2}
    train_network("mbc", table, folder / "a.safetensors", **quick)


def read_network(folder: Path) -> Any:
    import torch

    from giqa.features.learned import frozen_scorer, read_recipe

    scores = frozen_scorer(folder / "a.safetensors")(torch.linspace(-1, 1, 3 * 32 * 32).reshape(1, 3, 32, 32))
    return pickle.dumps((scores.tolist(), read_recipe(folder / "a.safetensors")))


KINDS = {
    "features.giqa": Kind(model_of(scorer="knn(k=1)"), scored),
    "mixture.giqa": Kind(model_of(scorer="gmm(n_components=2)"), scored),
    "pictures.giqa": Kind(model_of(extractor="statistics", scorer="multilayer"), scored),
    "votes' human.giqa": people_of("image,n,n_real\n{id},9,{some}"),
    "ratings' human.giqa": people_of("image,rater,rating\n{id},a,{some}", ["layers", "pooled", "size"]),
    "references": Kind(near, near),
    "human model": Kind(make_human_model, read_human_model),
    "maps": Kind(make_maps, read_maps),
    "learned network": Kind(make_network, read_network, "a.safetensors"),
    "generator": Kind(generator, read_generator, "generator.safetensors"),
    "checkpoint": Kind(checkpoint, read_gan_checkpoint, "gan.checkpoint"),
    "store": Kind(features_kept, features_kept),
    "scores.csv": table_in("csv"),
    "scores.jsonl": table_in("jsonl"),
    "scores.parquet": table_in("parquet"),
    "side file of scores.csv": table_in("csv", "*.json"),
    "votes.csv": votes_in("csv"),
    "votes.parquet": votes_in("parquet"),
    "side file of votes": votes_in("csv", "*.sha256"),
    "statistics.npz": Kind(make_statistics, read_statistics),
}
