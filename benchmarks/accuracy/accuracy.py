"""How accurate scores are: several layers against one, against random weights, and against pixel statistics.

    python -m benchmarks.accuracy.accuracy --only faces,epochs --pictures 60

Needs: the sets of --data; for its columns, the weights of Inception (--inception).
Takes: about 45 minutes, Inception alone 17; the example 2.

No generated or damaged picture is ever seen in fitting, and no picture is both fitted and judged. A cell is a value
and its 95 % interval: by bootstrap over pictures (1,000 resamples), for plain shares Wilson's, where said percentiles
over random splits.

- faces: AUC of held-out real LFW faces against DCGAN faces, 64 pixels. Fitted on 500 of the 978 reals (seed 0); the
  other 478 against all 1,000 generated.
- epochs: Spearman correlation of the score with the training epoch, 1,600 pictures of a DCGAN's epochs 0 to 24, scored
  by the same model.
- cifar: fitted on the 64 real tiles of the run hvyd; AUC of the 64 real tiles of the run tiwarim against the 160
  pictures of its epochs 20 to 24. No tile is in both runs, nor nearly so (128 different ones by `giqa`'s own rule for
  twins); a tile with the pixels of a fitted one would be left out of the judging.
- places: AUC of real scenes against SinGAN's and GPNN's versions; 20 random splits: fitted on the reals of 25 scenes,
  judged on the other 25; interval over splits. As the files are (reals JPEG, generated PNG: part of what is found is
  the file format); "recoded": every picture coded as JPEG 75; "matched": what `--match` chooses.
- damage: share of damaged pictures that score below the picture they were made from, ten kinds of damage in three
  domains; see `_damage.py`.
- domain: share of pictures that a model of faces flags as out of domain, as large (250 pixels) and as small (64) ones:
  its held-out reals (a false alarm), cats cut and shrunk to the same size, and DCGAN faces (64 pixels, both times).
  The rule reads the layer that sees content; layers that do not, and plain numbers, stand in its place as one layer.
- coverage: share of 200 draws of 100 LFW faces whose 95 % interval z_low..z_high holds the typical z (the median over
  draws), mean over 40 pictures that are never drawn: 10 held-out reals, 10 DCGAN faces, 10 of the epochs, 10 of CIFAR.
- people: pairs of gan-compression-2afc that people judged; fitted on the 1,000 photographs of imagenet-sample; see
  `_pairs.py`. Plain numbers of the pixels, published metrics and the best possible stand in a table of the same pairs.

Columns: every layer of an extractor under `multilayer`; its last layer alone (one Gaussian); the same network with
random weights where it can be had; one scale of pixel statistics under one Gaussian, the floor. Which single layer
would have been best cannot be known beforehand, so the second table has them all, first to last, without coverage, and
plain numbers of the pixels, each under one Gaussian; the intervals of that table are in the JSON. A set that is not
there leaves its cells empty. --recoded: places as the files are only; published metrics keep the files as they were.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.accuracy._damage import damage
from benchmarks.accuracy._measures import cifar, coverage, domain, epochs, faces, places
from benchmarks.accuracy._pairs import people, plain, published
from benchmarks.accuracy._scalars import SCALARS, Scalars
from benchmarks.data import Sets, View, stems
from benchmarks.intervals import Figure
from benchmarks.shared import command, existing, head, names, results, row, say
from giqa import registry
from giqa.errors import MissingSource
from giqa.features.reader import DEFAULT_EXTRACTOR, make_extractor

MEASURES = {
    "faces": faces,
    "epochs": epochs,
    "cifar": cifar,
    "places": places,
    "damage": damage,
    "domain": domain,
    "coverage": coverage,
    "people": people,
}
MIDDLE = ("Mixed_5b", "Mixed_5c", "Mixed_5d", "Mixed_6a", "Mixed_6b")  # see docs/combination.md
BY_HAND = ("texture", "nss", "pixels")  # layers that no network makes
FEWEST = 60  # a smaller set would leave too few reals to fit on
Results = dict[str, dict[str, Figure]]  # column -> row -> figure


@dataclass(frozen=True)
class Method:
    """A column: some layers of an extractor (None: all) and a scorer; `single` ones have a table of their own."""

    label: str
    names: tuple[str, ...] | None
    scorer: str
    single: bool = False


def methods_of(label: str, extractor: Any) -> list[Method]:
    """All layers at once, the last one alone, and every single one."""
    layers = stems(extractor.outputs)
    levels = getattr(extractor, "levels", {})
    deepest = next((levels[level] for level in ("high", "mid", "low") if levels.get(level)), extractor.outputs)
    last = list(stems(deepest))[-1]
    found = [Method(f"{label}, multilayer", None, "multilayer")]
    found += [Method(f"{label}, {last} (last) alone", layers[last], "sgm")]
    if all(f"{tap}.mean" in extractor.outputs for tap in MIDDLE):
        low = tuple(name for x in (*MIDDLE, "texture") for name in layers.get(x, ()))
        found.insert(0, Method(f"{label}, Mixed_5b to 6b and statistics, multilayer", low, "multilayer"))
    network = tuple(name for stem, names in layers.items() if stem not in BY_HAND for name in names)
    if 0 < len(network) < len(extractor.outputs):
        found.append(Method(f"{label}, network alone, multilayer", network, "multilayer"))
    marks = {next(iter(layers)): " (first)", last: " (last)"}
    if len(layers) > 1:
        found += [Method(f"{label}: {x}{marks.get(x, '')}", names, "sgm", True) for x, names in layers.items()]
    return found


def short_name(spec: str) -> str:
    """What stands at the head of a column: names without their parameters."""
    name, parameters = registry.parse(spec)
    return " + ".join(map(short_name, parameters["of"])) if name == "joined" and "of" in parameters else name


def columns_of(specs: Sequence[str], random: Sequence[str]) -> list[tuple[Any, list[Method]]]:
    """Each extractor and its methods; then those with random weights, the floor, and plain numbers of the pixels."""
    found, used = [], set()
    for spec in specs:
        label = short_name(spec)
        label = spec if label in used else label
        used.add(label)
        found.append((spec, methods_of(label, make_extractor(spec))))
    for spec in random:
        methods = methods_of(f"{short_name(spec)}, random weights", make_extractor(spec))
        found.append((spec, [m for m in methods if m.label.endswith("multilayer")]))
    found.append(("statistics(scales=1)", [Method("statistics(scales=1), sgm, the floor", None, "sgm")]))
    return [*found, (Scalars(), [Method(f"{name}, one Gaussian", (name,), "sgm", True) for name in SCALARS])]


def measured(spec: Any, methods: list[Method], options: argparse.Namespace) -> Results:
    """Every figure of every method of one extractor; features are dropped after each measure."""
    extractor, columns = make_extractor(spec), {method.label: {} for method in methods}
    for name in options.only:
        sets = Sets(options.roots, extractor, options.pictures, options.recoded)
        known: dict[Any, dict[str, Figure]] = {}  # the last layer is in both tables
        for method in methods:
            if method.single and name == "coverage":  # hundreds of fits, of the scale and not of the layer
                continue
            start, how = time.time(), (method.names, method.scorer)
            try:
                figures = known[how] if how in known else MEASURES[name](View(sets, *how))
            except MissingSource as error:
                say(f"{name} left out: {error}")
                break
            known[how] = figures
            columns[method.label] |= figures
            first = next(iter(figures.values()), "nothing")
            say(f"{name:8} {time.time() - start:5.1f} s  {method.label}: {first}")
    return columns


def print_table(title: str, columns: Results, interval: bool = True, detail: bool = False) -> None:
    """Figures down, methods across; rows that no method has are left out."""
    rows = dict.fromkeys(name for found in columns.values() for name, f in found.items() if f.detail == detail)
    if not rows:
        return
    head(title, *columns)
    for name in rows:
        found = [figures.get(name) for figures in columns.values()]
        row(name, *("–" if f is None else f if interval else f"{f.value:.3f}" for f in found))


def print_tables(columns: Results, single: set[str], beside: Mapping[str, Mapping[str, Figure]]) -> None:
    main = {label: figures for label, figures in columns.items() if label not in single}
    print_table("measure", main)
    print_table("the same pairs", {name: dict(figures) for name, figures in beside.items()})
    print_table("each single layer, one Gaussian", {k: v for k, v in columns.items() if k in single}, interval=False)
    print_table("in parts", main, detail=True)


def parsed() -> argparse.Namespace:
    parser = command(__file__, __doc__, "data", "inception", "recoded", "json")
    parser.add_argument("--data-root", type=existing, help="another folder of sets; what is there is taken from there")
    parser.add_argument("--extractor", nargs="*", default=[DEFAULT_EXTRACTOR], metavar="SPEC")
    parser.add_argument("--random", nargs="+", default=[], metavar="SPEC", help="extractors with random weights")
    parser.add_argument("--only", type=names(*MEASURES), default=list(MEASURES), metavar="NAME,NAME")
    parser.add_argument("--pictures", type=int, metavar="N", help="cut every set to N pictures: quick, and rough")
    options = parser.parse_args()
    if options.pictures and options.pictures < FEWEST:
        parser.error(f"--pictures takes {FEWEST} or more, not {options.pictures}")
    options.roots = [root for root in (options.data_root, options.data) if root]
    return options


def measure(options: argparse.Namespace) -> None:
    specs = list(options.extractor)
    if options.inception:
        from giqa.features.inception import Inception

        taps = list(Inception(weights=str(options.inception)).taps())
        network = f"inception(weights={str(options.inception)!r}, layers={taps!r})"
        specs.append(f"joined(of={[network, 'statistics']!r})")
    found: Results = {}
    single: set[str] = set()
    for spec, methods in columns_of(specs, options.random):
        found |= measured(spec, methods, options)
        single |= {method.label for method in methods if method.single}
    has_people = any(name.startswith("people") for figures in found.values() for name in figures)
    sets = Sets(options.roots, None, recoded=options.recoded)
    beside = published(sets) | plain(sets) if has_people else {}
    print_tables(found, single, beside)
    for label, figures in (found | dict(beside)).items():
        options.figures[label] = {name: asdict(figure) for name, figure in figures.items()}


def main() -> None:
    options = parsed()
    with results(options):
        measure(options)
        if options.pictures:
            print(f"\nAt most {options.pictures} pictures of a set.")


if __name__ == "__main__":
    main()
