"""Pages that open offline: a template with its styles and script inside, and a policy that lets nothing else in."""

from __future__ import annotations

import base64
import hashlib
import math
import os
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from ..files import replace_file
from .axes import number
from .made import readable


def render(template: str, styles: Sequence[str], script: str | None = None, **values: Any) -> str:
    """A template as one HTML text, with its styles and script inside and a policy that lets nothing else in.

    Parameters
    ----------
    template : str
        File of the package, as in "compare/compare.html".
    styles : sequence of str
        Style sheets, files of the package.
    script : str or None, default None
        A script, file of the package.
    **values
        What the template shows; it may write numbers with the filters `number` and, two of an interval, `ends`, and how
        it was made with `readable`.

    Returns
    -------
    str
        HTML that opens offline.
    """
    import jinja2
    from markupsafe import Markup

    def read(name: str) -> str:
        return (resources.files("giqa") / name).read_text("utf-8")

    style, code = "".join(map(read, styles)), read(script) if script else ""
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, loader=jinja2.FunctionLoader(read)
    )
    environment.filters.update(number=number, ends=_ends, readable=readable, fixed=_fixed)
    policy = content_policy(style, code)
    return environment.get_template(template).render(style=Markup(style), script=Markup(code), policy=policy, **values)


def write_html(path: str | os.PathLike[str], template: str, styles: Sequence[str], **values: Any) -> Path:
    """`render` into one file, atomically."""
    return replace_file(path, render(template, styles, **values))


def _fixed(value: Any, spec: str = ".3f") -> str:
    """A number, or an `Estimate`, with so many digits and a true minus; a dash for none."""
    text = format(value, spec)
    return "–" if text.startswith(("nan", "inf")) else text.replace("-", "−")


def _ends(ends: Sequence[float]) -> str:
    return "no interval" if math.isnan(ends[0]) else f"{number(ends[0])} to {number(ends[1])}"


def content_policy(style: str, script: str) -> str:
    """Content-Security-Policy: this style, this script, pictures from the file itself, and nothing else.

    Parameters
    ----------
    style, script : str
        Their text; the policy holds their SHA-256.

    Returns
    -------
    str
        For a `meta` element.
    """
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (style, script)]
    return (
        f"default-src 'none'; img-src data: blob:; style-src 'sha256-{hashes[0]}'; script-src 'sha256-{hashes[1]}'; "
        "base-uri 'none'; form-action 'none'"
    )
