"""giqa: how good is *this* generated image?

import giqa
scores = giqa.score("fakes/", real="reals/", report="report.html")
model = giqa.fit("reals/");  model.save("reals.giqa");  giqa.score("fakes/", model="reals.giqa")
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from .api import score as score
    from .api import score_by_class as score_by_class
    from .compare.compare import compare as compare_generators
    from .compare.track import track as track_run
    from .errors import GiqaError as GiqaError
    from .evaluate.evaluate import evaluate as evaluate_scores
    from .explain.one_picture import explain_picture as explain_picture
    from .features.reader import extract as extract
    from .model.fit import fit as fit
    from .model.load_model import load as load
    from .model.model import Model as Model
    from .model.table import Scores as Scores
    from .model.table import read_scores as read_scores
    from .types import Features as Features


def public(package: str, **modules: str) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """`__getattr__`, `__dir__` and `__all__` of a package: nothing is imported before its name is asked for.

    `modules`: for each module of the package the names that are public; "public_name=name" where they differ.
    """
    where = {}
    for module, names in modules.items():
        for public_name, _, own in (name.partition("=") for name in names.split()):
            where[public_name] = module, own or public_name

    def look_up(name: str) -> Any:
        if name not in where:
            raise AttributeError(f"module {package!r} has no attribute {name!r}; it has {', '.join(sorted(where))}")
        module, own = where[name]
        return getattr(import_module(f".{module}", package), own)

    return look_up, lambda: sorted(where), sorted(where)


if TYPE_CHECKING:  # names that are not there are found by a type checker, too
    __all__ = [
        "Features",
        "GiqaError",
        "Model",
        "Scores",
        "__version__",
        "compare_generators",
        "evaluate_scores",
        "explain_picture",
        "extract",
        "fit",
        "load",
        "read_scores",
        "score",
        "score_by_class",
        "track_run",
    ]
else:
    __getattr__, __dir__, __all__ = public(
        __name__,
        api="score score_by_class",
        errors="GiqaError",
        types="Features",
        **{
            "compare.compare": "compare_generators=compare",
            "compare.track": "track_run=track",
            "evaluate.evaluate": "evaluate_scores=evaluate",
            "explain.one_picture": "explain_picture",
            "features.reader": "extract",
            "model.fit": "fit",
            "model.load_model": "load",
            "model.model": "Model",
            "model.table": "Scores read_scores",
        },
    )
    __all__ += ["__version__"]

# where a module is now -> where it was in 0.0: importable from there for one more version
_MOVED = {
    "tables": "names humans.cells",
    "stats": "scorers.linear=logistic scorers.logistic",
    "metrics": "metrics.intervals=jackknife metrics.inception_score=inception reference=reference_statistics",
    "features": "extraction=reader chosen_layers=select",
    "scorers": "scorers.unseen=random_effect scorers.choice=model_selection",
    "model": "scorers.content=out_of_domain scores=table hygiene=reals fitting=folds trust",
    "explain": "maps scorers.places=energy features.grain worst_places=worst_pictures",
    "report": "gallery",
    "compare": (
        "comparison=result comparison_page=page by_class=classes by_class_page=classes_page track paired "
        "beside=other_scores gan.picker curve=picker_curve diff qs=quality"
    ),
    "votes": (
        "humans.votes humans.exchange humans.answers humans.foreign=other_tools humans.label_studio "
        "humans.platforms humans.layer6 humans.lgiqa humans.hype humans.gate humans.staircase "
        "humans.agreement humans.aggregation humans.people_model=mixed_model humans.curves humans.power "
        "people=findings people_report=page"
    ),
    "study": (
        "humans.study humans.app humans.admin humans.access humans.sitting=session humans.store humans.tables "
        "humans.setup humans.progress humans.pairing humans.shown=presentation collecting=collect suggest "
        "scorers.spread=acquisition"
    ),
    "train": "gan.network=gan_network gan.ohem gan.snapshots gan.settled=convergence",
    "evaluate": (
        "evaluation=evaluate humans.vote_rows=rows humans.against_votes=votes humans.against_pairs=pairs "
        "humans.paired=differences humans.by_generator=other_generators humans.label_curve "
        "seen=training_overlap bench.run=bench bench.entries=bench_entries bench.judged=bench_result "
        "bench.page=bench_page"
    ),
    "p_real": (
        "train.human=train train.votes train.held_out train.end_to_end=train_network realism=model "
        "sums=columns voted=domain scorers.distances scorers.reference=references scorers.half=float16 "
        "scorers.nearest"
    ),
    "": "pipeline=api humans.measures=stats humans.intervals=stats metrics.named=metrics",
}
_SILENT = {"humans", "humans.hype", "humans.votes", "scores"}  # without a warning, as scripts out there import them
_NOW = {
    old: f"{here}.{leaf or old.rpartition('.')[2]}".lstrip(".")
    for here, olds in _MOVED.items()
    for old, _, leaf in (each.partition("=") for each in olds.split())
}


class _Moved:
    """Finds modules at their old places, and says where they are now."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        old = name.removeprefix("giqa.")
        package = old in {each.partition(".")[0] for each in _NOW if "." in each}
        if not name.startswith("giqa.") or not (old in _NOW or package):
            return None
        return ModuleSpec(name, self, is_package=package)  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        old = module.__name__.removeprefix("giqa.")
        if old not in _NOW:
            return
        now = f"giqa.{_NOW[old]}"
        if old not in _SILENT:
            warnings.warn(f"giqa.{old} is now {now}; import it from there", FutureWarning, stacklevel=2)
        real = import_module(now)
        vars(module)["__getattr__"] = lambda name: getattr(real, name)


sys.meta_path.append(_Moved())
