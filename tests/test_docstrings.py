"""Docstrings of what packages export have one form: a sentence, then the blocks of scikit-learn (numpydoc)."""

import inspect
import re
from importlib import import_module

import pytest

PACKAGES = ["", "stats", "tables", "images", "features", "scorers", "metrics", "model", "explain", "report", "compare"]
PACKAGES += ["votes", "study", "evaluate", "p_real", "train", "serve"]
SECTIONS = ("Parameters", "Returns", "Raises", "Notes", "References", "Examples")


def exported():
    for package in PACKAGES:
        module = import_module(f"giqa.{package}".rstrip("."))
        for name in module.__all__:
            if callable(getattr(module, name)):
                yield pytest.param(getattr(module, name), id=f"{package}.{name}".lstrip("."))


def sections(made):
    """Heading -> text below it; under "" what comes before the first."""
    parts = re.split(r"^(\w+)\n-{3,}\n", inspect.getdoc(made) or "", flags=re.MULTILINE)
    return {"": parts[0]} | dict(zip(parts[1::2], parts[2::2], strict=True))


def described(text):
    """Names in a block of parameters: "a, b : type" describes two."""
    heads = re.findall(r"^(\S[^:\n]*?)(?: : .*)?$", text, flags=re.MULTILINE)
    return [name.lstrip("*") for head in heads for name in head.split(", ")]


def signature(made):
    try:
        return inspect.signature(made)
    except ValueError:  # a class without __init__
        return inspect.Signature()


@pytest.mark.parametrize("made", list(exported()))
def test_every_export_has_all_blocks(made):
    """One sentence first, headings in one order, each parameter once and in order, a result, an example."""
    found = sections(made)
    first = found[""].split("\n\n")[0].strip()
    assert first and first.endswith((".", ":")), "the first paragraph is one sentence"
    assert [head for head in SECTIONS if head in found] == [head for head in found if head], "headings and their order"
    assert described(found.get("Parameters", "")) == list(signature(made).parameters)
    if not inspect.isclass(made):
        nothing = signature(made).return_annotation in (None, "None")
        assert ("Returns" in found) != nothing, "a block Returns, unless nothing is returned"
    example = found.get("Examples", "")
    assert ">>> " in example or "::\n\n    " in example, "an example; indented where it needs torch"


def test_the_check_sees_what_is_wrong():
    """A parameter that is not described, blocks in another order, no example."""

    def lacks(a, b):
        """Do.

        Parameters
        ----------
        a : int
            It.

        Examples
        --------
        >>> 1
        """

    def turned(a):
        """Do.

        Returns
        -------
        int

        Parameters
        ----------
        a : int

        Examples
        --------
        >>> 1
        """

    def silent():
        """Do.

        Returns
        -------
        int
        """

    for wrong in (lacks, turned, silent):
        with pytest.raises(AssertionError):
            test_every_export_has_all_blocks(wrong)
