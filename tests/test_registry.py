"""Names, and the spec strings that call them."""

import importlib.metadata
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from giqa import registry
from giqa.errors import BadSpec
from giqa.features.inception import Inception
from giqa.features.statistics import Statistics
from giqa.scorers.gmm import GMM, SGM
from giqa.scorers.knn import KNN

EVERY_NAME = [(kind, name) for kind in registry.BUILTIN for name in registry.BUILTIN[kind]]


@pytest.mark.parametrize(
    ("spec", "name", "parameters"),
    [
        ("knn", "knn", {}),
        ("knn()", "knn", {}),
        ("  knn ( k = 5 )\n", "knn", {"k": 5}),
        ("knn(k=5,)", "knn", {"k": 5}),
        ("knn(k=-5)", "knn", {"k": -5}),
        ("gmm(reg=1e-6, pca=.95)", "gmm", {"reg": 1e-6, "pca": 0.95}),
        ("gmm(pca=None, preset='paper')", "gmm", {"pca": None, "preset": "paper"}),
        ('inception(layers=["Mixed_5d", "pool"])', "inception", {"layers": ["Mixed_5d", "pool"]}),
        ("x(a=(1, 2), b={'c': [True, False]}, d={1, 2})", "x", {"a": (1, 2), "b": {"c": [True, False]}, "d": {1, 2}}),
        ("x(a='knn(k=5), ünï')", "x", {"a": "knn(k=5), ünï"}),
        ("größe(maß=1)", "größe", {"maß": 1}),
    ],
)
def test_a_spec_is_a_name_and_literals(spec, name, parameters):
    """Everything that Python can write as a literal, with keys, in the order given."""
    assert registry.parse(spec) == (name, parameters)


ADVICE = "write name(key=value, ...) with Python literals, such as knn(k=5)"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("", ADVICE),
        ("   ", ADVICE),
        ("knn(k=5", ADVICE),  # missing bracket
        ("knn k=5", ADVICE),
        ("knn(k=)", ADVICE),
        ("knn(k==5)", "Every value needs its key"),
        ("knn(5)", "Every value needs its key"),
        ("knn(5, preset='paper')", "Every value needs its key"),
        ("knn(*[5])", "Every value needs its key"),
        ("knn(**{'k': 5})", ADVICE),
        ("knn(k=5, k=6)", "'k' is there twice"),
        ("knn(k=five)", "The value of 'k' is not a literal"),
        ("knn(k=2 + 3)", "The value of 'k' is not a literal"),
        ("knn(k=-'5')", "The value of 'k' is not a literal"),
        ("knn(k=f'{5}')", "The value of 'k' is not a literal"),
        ("knn(k={[]: 1})", "The value of 'k' is not a literal"),  # TypeError inside Python
        ("knn(k=[x for x in (1,)])", "The value of 'k' is not a literal"),
        ("knn(k=lambda: 5)", "The value of 'k' is not a literal"),
        ("knn(k=knn(k=5))", "The value of 'k' is not a literal"),  # nested call
        ("knn(k=(exit := 5))", "The value of 'k' is not a literal"),
        ("knn(k=__import__('os').getpid())", "The value of 'k' is not a literal"),
        ("__import__('os')", "Every value needs its key"),
        ("__import__('os').system('true')", ADVICE),
        ("().__class__", ADVICE),
        ("giqa.scorers.knn.KNN(k=5)", ADVICE),
        ("knn(k=5)(k=6)", ADVICE),
        ("knn(k=5); knn", ADVICE),
        ("knn(k=5), gmm", ADVICE),
        ("'knn'", ADVICE),
        ("5", ADVICE),
        ("lambda: knn", ADVICE),
        ("import os", ADVICE),
        ("kn n", ADVICE),
        ("knn\0", ADVICE),
        ("\ud800", ADVICE),
        ("knn(k=" + "(" * 5000 + ")" * 5000 + ")", ADVICE),
        ("knn(k=" + "-" * 50_000 + "1)", ADVICE),
    ],
)
def test_anything_else_is_refused_with_advice(spec, message):
    """The spec as given, and what one looks like."""
    with pytest.raises(BadSpec) as caught:
        registry.parse(spec)
    assert message in str(caught.value)
    assert f"Cannot read the spec {spec!r}" in str(caught.value)


@pytest.mark.parametrize("spec", [5, None, b"knn", ["knn"], KNN])
def test_a_spec_is_a_string(spec):
    with pytest.raises(BadSpec, match="A spec is a string such as 'knn\\(k=5\\)', got"):
        registry.parse(spec)


def test_nothing_in_a_spec_is_run(tmp_path):
    """A call inside a spec leaves no trace, wherever it stands."""
    mark = tmp_path / "mark"
    call = f"open({str(mark)!r}, 'w')"
    for spec in (call, f"knn(k={call})", f"knn(k=[{call}])", f"knn(k={{{call}: 1}})", f"{call}(k=1)", f"knn(**{call})"):
        with pytest.raises(BadSpec):
            registry.make("scorer", spec)
    assert not mark.exists()


@settings(max_examples=300, deadline=None, database=None, derandomize=True)
@given(st.text(max_size=40) | st.text("knq(=),'5*.[]{}:-\\\"\n #", max_size=25).map("knn".__add__))
def test_parse_reads_or_refuses_any_text(spec):
    """Whatever is typed: a name and parameters, or `BadSpec`."""
    try:
        name, parameters = registry.parse(spec)
    except BadSpec:
        return
    assert isinstance(name, str) and isinstance(parameters, dict)


def test_an_unknown_name_is_answered_with_what_there_is():
    with pytest.raises(
        BadSpec, match=r"There is no scorer 'kmn'; there are .*gmm, .*knn, .*sgm.*\. Did you mean 'knn'\?"
    ):
        registry.make("scorer", "kmn(k=5)")
    with pytest.raises(BadSpec) as caught:
        registry.load("extractor", "zzz")
    assert (
        str(caught.value) == f"There is no extractor 'zzz'; there are {', '.join(sorted(registry.names('extractor')))}."
    )
    with pytest.raises(BadSpec, match="There is no kind 'colour'; there are extractor, scorer"):
        registry.names("colour")


def test_an_unknown_parameter_is_answered_with_those_there_are():
    with pytest.raises(BadSpec, match="knn has no parameter 'n'; it has k, preset \\(spec 'knn\\(n=5\\)'\\)"):
        registry.make("scorer", "knn(n=5)")


def test_defaults_fill_in_what_the_spec_leaves_out():
    """The spec wins; what the object does not take, and None, is passed over."""
    made = registry.make("scorer", "gmm(seed=3)", seed=5, preset="paper", no_such=1)
    assert (made.seed, made.preset) == (3, "paper")
    assert registry.make("scorer", "knn", preset=None).preset == "recommended"


def test_an_object_is_passed_through():
    """An object is used as it is made; a preset beside it would be ignored, and so is refused."""
    knn = KNN(k=3)
    assert registry.make("scorer", knn, preset=None) is knn
    with pytest.raises(BadSpec, match="KNN is made already"):
        registry.make("scorer", knn, preset="paper")


def test_every_builtin_is_there_and_says_what_it_is():
    """Each entry loads, takes no required parameter, and its first sentence can be read without importing it."""
    for kind, name in EVERY_NAME:
        where = registry.names(kind)[name]
        made = registry.make(kind, name)
        assert where == f"{type(made).__module__}:{type(made).__qualname__}"
        assert registry.summary(where) == " ".join(type(made).__doc__.split("\n\n")[0].split()) != ""


def test_listing_and_parsing_import_nothing_heavy():
    """Neither numpy nor torch is loaded by names, summaries and specs."""
    code = (
        "import sys; from giqa import registry\n"
        "for kind in registry.BUILTIN:\n"
        "    for where in registry.names(kind).values(): assert registry.summary(where)\n"
        "registry.parse('knn(k=5)')\n"
        "print([m for m in ('numpy', 'torch', 'PIL', 'scipy', 'giqa.scorers.knn') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


# Canonical form


def test_canonical_is_everything_sorted():
    """Defaults filled in, keys in order of the alphabet, whatever order they were given in."""
    full = "knn(k=5, preset='paper')"
    for spec in (full, "knn(preset='paper', k=5)", ' knn( k = 5,preset = "paper" )'):
        assert registry.canonical("scorer", registry.make("scorer", spec)) == full
    assert registry.canonical("scorer", KNN()) == "knn(k=None, preset='recommended')"
    assert registry.canonical("extractor", Statistics()) == "statistics(scales=2)"


@pytest.mark.parametrize(("kind", "name"), EVERY_NAME)
def test_canonical_of_every_name_makes_an_equal_object(kind, name):
    made = registry.make(kind, name)
    spec = registry.canonical(kind, made)
    again = registry.make(kind, spec)
    assert type(again) is type(made) and registry.parameters(again) == registry.parameters(made)
    assert registry.canonical(kind, again) == spec
    assert spec.startswith(f"{name}(")


leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(leaves, lambda v: st.lists(v) | st.tuples(v, v) | st.dictionaries(st.text(), v), max_leaves=6)


@settings(max_examples=100, deadline=None, database=None, derandomize=True)
@given(st.sampled_from([GMM, SGM, KNN, Inception, Statistics]), st.data())
def test_canonical_gives_any_values_back(make, data):
    """Any literal in any parameter: text with quotes and newlines, deep lists, floats to the last bit."""
    kind = "extractor" if make in (Inception, Statistics) else "scorer"
    names = list(registry.parameters(make()))
    made = make(**{name: data.draw(values) for name in names})
    _, again = registry.parse(registry.canonical(kind, made))
    assert repr(again) == repr(registry.parameters(made))


@pytest.mark.parametrize(
    ("kind", "made", "spec"),
    [
        ("scorer", KNN(k=np.int64(5)), "knn(k=5, preset='recommended')"),
        ("scorer", SGM(pca=np.float32(0.5), preset="paper"), "pca=0.5"),
        ("extractor", Inception(weights=Path("a") / "b.safetensors", layers=(np.str_("pool"),)), "layers=('pool',)"),
        ("extractor", Inception(weights=Path("b.safetensors")), "weights='b.safetensors'"),
    ],
)
def test_canonical_writes_numpy_numbers_and_paths_as_literals(kind, made, spec):
    """What Python users pass by hand must be readable from a model file."""
    assert spec in registry.canonical(kind, made)
    registry.make(kind, registry.canonical(kind, made))


def test_canonical_of_a_stranger_names_its_class():
    """Not registered: its place stands for the name, so that two classes are not taken for one."""

    class Stranger:
        def __init__(self, k=1):
            self.k = k

    assert registry.canonical("scorer", Stranger(2)) == f"{__name__}:{Stranger.__qualname__}(k=2)"


def test_a_parameter_that_is_not_stored_is_named():
    class Forgetful:
        def __init__(self, k=1):
            self._k = k

    with pytest.raises(BadSpec, match="Forgetful does not keep its parameter 'k'; store it in __init__"):
        registry.parameters(Forgetful())


# Third parties


@pytest.fixture
def third_party(monkeypatch):
    """A package with a scorer `dull`, and entry points for it and for something that is not installed whole."""
    module = types.ModuleType("third_party_of_giqa")

    class Dull:
        def __init__(self, level=0.5):
            self.level = level

    Dull.__module__, Dull.__qualname__ = module.__name__, "Dull"
    module.Dull = Dull
    monkeypatch.setitem(sys.modules, module.__name__, module)
    points = {
        "giqa.scorers": {"dull": "third_party_of_giqa:Dull", "broken": "no_such_module_of_giqa:X"},
        "giqa.extractors": {"lost": "third_party_of_giqa:Lost"},
    }

    def entry_points(*, group):
        return [importlib.metadata.EntryPoint(name, value, group) for name, value in points.get(group, {}).items()]

    monkeypatch.setattr(importlib.metadata, "entry_points", entry_points)
    return module


def test_entry_points_join_the_table(third_party):
    """Listed beside the built-in names, made and written like them, and offered to who mistypes."""
    theirs = {"dull": "third_party_of_giqa:Dull", "broken": "no_such_module_of_giqa:X"}
    assert registry.names("scorer") == registry.BUILTIN["scorer"] | theirs
    made = registry.make("scorer", "dull(level=2)", seed=5)
    assert isinstance(made, third_party.Dull)
    assert registry.canonical("scorer", made) == "dull(level=2)"
    assert registry.canonical("scorer", KNN(k=1)) == "knn(k=1, preset='recommended')"
    with pytest.raises(BadSpec, match=r"there are .*broken, dull, .*gmm.*\. Did you mean 'dull'\?"):
        registry.make("scorer", "dul")
    with pytest.raises(BadSpec, match="dull has no parameter 'k'; it has level"):
        registry.make("scorer", "dull(k=5)")


def test_no_entry_point_takes_a_name_of_ours(monkeypatch):
    """Asking for knn and silently getting another one never happens."""
    point = importlib.metadata.EntryPoint(name="knn", value="strangers:Own", group="giqa.scorers")
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [point])
    assert registry.names("scorer")["knn"] == "giqa.scorers.knn:KNN"


def test_a_broken_entry_point_shows_itself_when_used(third_party):
    """Not before: one broken install does not take the others down."""
    assert registry.make("scorer", "knn").k is None
    with pytest.raises(ModuleNotFoundError, match="no_such_module_of_giqa"):
        registry.make("scorer", "broken")
    with pytest.raises(AttributeError, match="Lost"):
        registry.make("extractor", "lost")


@pytest.mark.parametrize(
    ("kind", "spec", "wanted"),
    [
        ("scorer", "sgm(seed=-1)", "A seed is a whole number from 0"),
        ("scorer", "sgm(seed='a')", "A seed is a whole number from 0"),
        ("scorer", "sgm(seed=1" + 40 * "0" + ")", "A seed is a whole number from 0"),
        ("scorer", "sgm(shrinkage=[1])", r"sgm\(shrinkage=...\) takes a number or None, got \[1\]"),
        ("scorer", "knn(k=True)", r"knn\(k=...\) takes a whole number or None, got True"),
        ("scorer", "knn(k=1.0)", r"knn\(k=...\) takes a whole number or None"),
        ("scorer", "knn(k=1" + 40 * "0" + ")", r"knn\(k=...\) takes a whole number or None"),
        ("scorer", "multilayer(levels=[[]])", r"multilayer\(levels=...\) takes a list or None"),
        ("scorer", "sgm(shrinkage=1e999)", r"sgm\(shrinkage=...\) takes a number or None, got inf"),
        (
            "extractor",
            "embedded(layers=[1e999])",
            r"embedded\(layers=...\) takes a list or a text or None",
        ),
        ("extractor", "embedded(layers=5)", r"embedded\(layers=...\) takes a list or a text or None, got 5"),
        ("extractor", "hub(model='\\x00')", r"hub\(model=...\) takes a text"),
        ("metric", "kd(size='x')", r"kd\(size=...\) takes a whole number, got 'x'"),
        ("metric", "ds(seed=1.5)", "A seed is a whole number from 0"),
    ],
)
def test_a_value_is_of_the_type_that_its_parameter_says(kind, spec, wanted):
    """What a spec string holds is compared with the annotation of the parameter, before anything is made."""
    with pytest.raises(BadSpec, match=wanted):
        registry.make(kind, spec)


@pytest.mark.parametrize(
    "spec", ["sgm(shrinkage=1)", "sgm(pca='preset')", "knn(k=None)", "multilayer(levels=('low',))"]
)
def test_a_whole_number_is_a_number_and_a_default_fits(spec):
    registry.make("scorer", spec)


@pytest.mark.parametrize(("kind", "given"), [("scorer", 5), ("scorer", KNN), ("metric", 5), ("extractor", [1])])
def test_an_object_has_what_its_kind_needs(kind, given):
    with pytest.raises(BadSpec, match=f"A {kind} is a spec string or an object that has "):
        registry.make(kind, given)
