"""What axe-core finds on a page, at two widths, light and dark."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VERSION = "4.14.1"  # .ci/run installs it
AXE = Path(os.environ.get("AXE_CORE", ROOT / "node_modules" / "axe-core" / "axe.min.js"))
LOOKS = [(1280, "light"), (1280, "dark"), (400, "light"), (400, "dark")]


def needs_axe():
    """Skips with the remedy where axe-core is not installed."""
    if not AXE.is_file():
        pytest.skip(f"axe-core is not here: npm install --no-save axe-core@{VERSION}, or AXE_CORE=.../axe.min.js")


def violations(page, address):
    """What axe-core finds: (width, theme, rule, first element); also where a page scrolls sideways.

    The context of `page` must have been made with bypass_csp=True: axe is put into the page, which its policy forbids.
    """
    found = []
    page.goto(address)
    page.evaluate(AXE.read_text())
    for width, theme in LOOKS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=theme)
        rules = page.evaluate("axe.run().then(r => r.violations.map(v => [v.id, v.nodes[0].html]))")
        found += [(width, theme, *rule) for rule in rules]
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        found += [(width, theme, "scrolls sideways", wide)] if wide > 0 else []
    return found
