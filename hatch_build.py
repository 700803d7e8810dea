"""Compiles src/giqa/features/pixels.c while giqa is built; without a C compiler the wheel is pure Python, and slower.

`python hatch_build.py` compiles it in place, for a checkout that is used without being installed.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sysconfig
from pathlib import Path

HERE = Path(__file__).resolve().parent / "src" / "giqa" / "features"
# every product is rounded before it is added, as NumPy and Pillow round it
FLAGS = [
    "-O3",
    "-shared",
    "-fPIC",
    "-std=gnu11",
    "-ffp-contract=off",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-Wno-psabi",
]


def compiled() -> Path | None:
    """The library, made from pixels.c; None where it cannot be made."""
    made, half = HERE / "pixels.lib", HERE / f".pixels.{os.getpid()}.lib"
    command = [os.environ.get("CC", "cc"), *FLAGS, "-o", str(half), str(HERE / "pixels.c")]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=300)
        half.replace(made)
    except (OSError, subprocess.SubprocessError):
        half.unlink(missing_ok=True)
        return None
    return made


with contextlib.suppress(ImportError):  # run by hand, there may be no hatchling
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface

    class Hook(BuildHookInterface):
        """Puts the library into the wheel, which is then one for this platform."""

        def initialize(self, version: str, build_data: dict) -> None:
            made = compiled()
            if made is None:
                self.app.display_warning("pixels.c was not compiled (no C compiler?): giqa works, and is slower")
                return
            build_data["artifacts"].append(str(made.relative_to(self.root)))
            build_data["pure_python"] = False
            build_data["tag"] = "py3-none-" + sysconfig.get_platform().replace("-", "_").replace(".", "_")


if __name__ == "__main__":
    print(compiled() or "pixels.c was not compiled: is there a C compiler (cc)?")
