"""What giqa needs, as it is installed here: versions and licences, for an audit.

    python -m benchmarks.damage.dependencies --write

Needs: giqa[all], and packaging.
Takes: a second.

All that `pip install 'giqa[all]'` brings on this machine, from the metadata of the packages: what each says of its
licence, and whose need it is. Known holes are not looked up: `pip-audit` does that, where there is a network.
"""

from __future__ import annotations

from importlib import metadata

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from benchmarks.shared import command, head, results, row

LONGEST = 60


def needed() -> dict[str, str]:
    """Packages that are installed because giqa needs them, and the first one that asks for each."""
    found, waiting = {}, [("giqa", extra) for extra in ("", "all")]
    seen = set(waiting)
    while waiting:
        name, extra = waiting.pop(0)
        for text in metadata.distribution(name).requires or ():
            wanted = Requirement(text)
            if wanted.marker and not wanted.marker.evaluate({"extra": extra}):
                continue
            asked = canonicalize_name(wanted.name)
            try:
                metadata.distribution(asked)
            except metadata.PackageNotFoundError:
                continue
            if asked != "giqa":
                found.setdefault(asked, name)
            new = [(asked, each) for each in ("", *wanted.extras) if (asked, each) not in seen]
            seen.update(new)
            waiting += new
    return found


def licence(name: str) -> str:
    """What a package says of its licence, shortest first: SPDX, classifiers, the field of before."""
    said = metadata.metadata(name)
    kinds = [c.rpartition(" :: ")[2] for c in said.get_all("Classifier") or () if c.startswith("License :: OSI")]
    return said.get("License-Expression") or ", ".join(kinds) or (said.get("License") or "not said").split("\n")[0]


def main() -> None:
    options = command(__file__, __doc__).parse_args()
    with results(options):
        head("package", "version", "licence", "needed by")
        for name, by in sorted(needed().items()):
            row(name, metadata.version(name), licence(name)[:LONGEST], by)


if __name__ == "__main__":
    main()
