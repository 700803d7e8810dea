"""Make the embedded network: `python training --data ../shared/data --weights ../shared/weights --wallpapers DIR`."""

from __future__ import annotations

import argparse
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(prog="python training", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--weights", type=Path, default=Path("../shared/weights"), help="folder of the teachers' files")
    parser.add_argument("--wallpapers", type=Path, help="folder that training/wallpapers.sh filled")
    parser.add_argument("--work", type=Path, default=Path("training-work"), help="what is kept between runs (5 GB)")
    parser.add_argument("--out", type=Path, default=Path("embedded.onnx"))
    parser.add_argument("--views", type=int, default=24_000)
    parser.add_argument("--epochs", type=int, default=11)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--start", type=Path, help="the ONNX file of version 1: make version 2 from it")
    parser.add_argument("--domains", type=int, default=224, help="of version 2")
    parser.add_argument("--random", action="store_true", help="teach nothing: write random weights, to compare with")
    options = parser.parse_args()

    import export

    if options.random:
        import train

        export.export(*train.untaught(), options.out)
        return

    if not options.wallpapers:
        parser.error("--wallpapers names the folder that training/wallpapers.sh filled")

    if options.start:
        import finetune

        finetune.cache(options.data, options.weights, options.wallpapers, options.work / "domains", options.domains)
        taught = finetune.finetune(options.work / "domains", options.start, options.work / "second.pt", options.epochs)
        export.export(taught.student, taught.content, options.out)
        return

    import teachers

    teachers.cache(options.data, options.weights, options.wallpapers, options.work, options.views)

    import train

    student, heads = train.train(options.work, options.views, options.epochs, options.device)
    export.export(student, heads, options.out)


if __name__ == "__main__":
    main()
