"""Map measures on planted damage: how well maps agree with the soft masks of patches pasted into real pictures.

    python -m benchmarks.explain.map_measures --only faces --kinds noisy,GAN --pictures 20

Needs: lfw-dcgan, imagenet-sample and cifar10-dcgan-progress of --data.
Takes: about 20 minutes with --pictures 150, on a busy machine; the example about a minute.

The pictures, the patches and the split of the reals are those of `benchmarks.explain.pointing_game`: its head says what
is pasted and how, which reals are reference, for choosing and tested. Patches have 1/16 of the area. The human map is
the share of the patch in each pixel: 1 inside, less over an eighth of the side where it is blended in. These masks are
ours and no person's: the figures say how well a map finds damage of this kind, and cannot be compared with those on
what people marked.

Rows: the combined map of giqa, fitted on the reference reals; the mean absolute Laplacian; a Gaussian in the middle;
noise. Measures as `giqa evaluate --maps` gives them, mIoU at half of each map's maximum; KLD is a distance. A cell is
the mean over pictures with Student's 95 % interval.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from benchmarks.explain.pointing_game import KINDS, Domain, cases, domain, soft_mask
from benchmarks.shared import command, head, names, results, row, say
from giqa.evaluate.map_measures import NAMES
from giqa.evaluate.maps import MapEvaluation, evaluate_maps
from giqa.explain.maps import MapModel, fit_maps, load_maps

SIZE = 16  # a patch is 1/16 of the area


def fitted(name: str, of: Domain, keep: Path | None) -> MapModel:
    """The default maps of the reference reals, kept in a file where `keep` is given."""
    file = keep / f"{name}-default.maps" if keep else None
    if file and file.exists():
        return load_maps(file)
    model = fit_maps(np.stack(of.reals[: of.reference]))
    return load_maps(model.save(file)) if file else model


def measured(model: MapModel, kind: str, of: Domain, options: argparse.Namespace) -> MapEvaluation:
    """All measures of all rows, for one kind of patch."""
    pictures, masks = {}, {}
    for i, (pixels, box) in enumerate(cases(kind, of, options.part, SIZE, options.pictures)):
        pictures[f"{i}.png"], masks[f"{i}.png"] = pixels, soft_mask(len(pixels), box)
    return evaluate_maps(model, masks, images=pictures)


def main() -> None:
    parser, domains = command(__file__, __doc__, "data", "json"), ("faces", "photographs")
    parser.add_argument("--part", choices=("choice", "tested"), default="tested")
    parser.add_argument("--only", type=names(*domains), default=domains, metavar="NAME,NAME", help=", ".join(domains))
    parser.add_argument("--kinds", type=names(*KINDS), default=KINDS, metavar="KIND,KIND", help=", ".join(KINDS))
    parser.add_argument("--pictures", type=int, default=308, help="of each kind, at most")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="where what was fitted is kept")
    options = parser.parse_args()
    with results(options):
        for name in options.only:
            of = domain(name, options.data)
            model = fitted(name, of, options.keep)
            say(f"{name}: fitted")
            head(f"{name}, patch", "map", *NAMES)
            for kind in options.kinds:
                found = measured(model, kind, of, options)
                options.figures[f"{name}, {kind}"] = found.plain()
                say(f"{name}, {kind}: {found.marked} pictures")
                for label, figures in found.figures.items():
                    row(kind, label, *(figures[measure] for measure in NAMES))


if __name__ == "__main__":
    main()
