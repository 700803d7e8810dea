"""What the commands share: how errors end a command, the options that several have, and the frame around their work."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from ..errors import BadSpec, GiqaError
from . import console

PRESETS = click.Choice(["paper", "released", "recommended"])
SOURCES = """A source of pictures is a folder, a zip or tar, shards such as 'r-{000..009}.tar', Parquet, an .npz or .npy
array, a list file, a pattern such as 'runs/**/*.png', a table with a filter such as 'labels.csv[kind=real]', or an
address such as s3://bucket/reals."""
PATH = click.Path(path_type=Path)
FILE = click.Path(path_type=Path, dir_okay=False)


class Written(click.Path):
    """A file to write whose ending says as what; any other is refused before the work.

    Parameters
    ----------
    what : str
        What is written, as the first word of the error.
    *endings : str
    """

    def __init__(self, what: str, *endings: str):
        super().__init__(path_type=Path, dir_okay=False)
        self.what, self.endings = what, endings

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path."""
        path = super().convert(value, param, ctx)
        if path.suffix.lower() not in self.endings:
            raise BadSpec(f"{self.what} written as {' or '.join(self.endings)}, got {path.name!r}.")
        return path


JSON = Written("Figures are", ".json")
TABLE = Written("A table is", ".csv", ".tsv", ".parquet")
HTML = Written("A report is", ".html", ".htm")
FOLDER = click.Path(path_type=Path, file_okay=False)
COUNT = click.IntRange(1)


# how Python, the loader and OpenSSL say it where it is no MemoryError
NO_MEMORY = ("start new thread", "failed to map segment", "malloc failure", "Cannot allocate memory")


@contextmanager
def inert_errors() -> Iterator[None]:
    """What click says of an argument, such as a file's name from a pattern, steers no terminal."""
    try:
        yield
    except click.ClickException as error:
        error.message = console.inert(error.message)
        raise


class Group(click.Group):
    """Commands in the order of a first acquaintance; errors as one sentence, exit status 2."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def main(self, *args: Any, **extra: Any) -> Any:
        """As click has it, also with closed streams and for `--help` on a full disk."""
        console.open_streams()
        try:
            return super().main(*args, **extra)
        except OSError as error:
            console.say(f"giqa: {error.strerror or error}: {error.filename or 'standard output'}")
            sys.exit(2)

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        with inert_errors():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):  # cp1252 has no place for most names: \u56fe, and no traceback
                stream.reconfigure(errors="backslashreplace")
        try:
            with inert_errors():
                return super().invoke(ctx)
        except GiqaError as error:
            console.say(f"giqa: {error}")
            ctx.exit(2)
        except BrokenPipeError:
            sys.stderr.close()
            ctx.exit(141)
        except OSError as error:
            console.say(f"giqa: {error.strerror or error}: {error.filename or 'standard output or a file'}")
            ctx.exit(2)
        except KeyboardInterrupt:
            console.say("giqa: interrupted; what was computed is kept, run the same command again to go on.")
            ctx.exit(130)
        except Exception as error:
            if not isinstance(error, MemoryError) and not any(words in str(error) for words in NO_MEMORY):
                raise
            console.say("giqa: not enough memory; give fewer --workers, fewer pictures (--limit), or more memory.")
            ctx.exit(2)


def switch_off(flag: str, name: str, help: str) -> Callable:
    """A flag such as --no-paths, which the command gets as `show_paths`: true unless the flag is given."""
    return click.option(flag, name, is_flag=True, callback=lambda context, option, given: not given, help=help)


OPTIONS = {
    "extractor": click.option(
        "--extractor",
        metavar="SPEC",
        help="How features are made, e.g. 'inception(layers=[\"Mixed_5d\"])'; see `giqa list`.",
    ),
    "scorer": click.option(
        "--scorer", metavar="SPEC", help="How features are scored, e.g. knn or 'knn(k=5)'; see `giqa list`."
    ),
    "preset": click.option(
        "--preset",
        type=PRESETS,
        help="The paper to the letter, its released scripts, or what measures best (default).",
    ),
    "match": click.option(
        "--match",
        is_flag=False,
        flag_value="auto",
        metavar="[SPEC]",
        help="Bring all pictures to one size and coding first: alone, chosen from both sets; or e.g. "
        "'match(size=64, coding=\"jpeg444\", quality=90)'.",
    ),
    "match_spec": click.option(
        "--match",
        metavar="SPEC",
        help="Bring pictures to one size and coding first, e.g. 'match(size=64)'; `giqa doctor` proposes one.",
    ),
    "flip": click.option("--flip", is_flag=True, help="Mirrored copies of the reals join the reference."),
    "seed": click.option("--seed", type=click.IntRange(0), default=0, help="For folds and starts."),
    "leave_out": click.option(
        "--leave-out",
        metavar="WHAT",
        help="Fit without some reals: twins (keeps one of each group that is nearly the same), strays (reals that "
        "show something else than the other reals, or score absurdly low), or 'twins,strays'.",
    ),
    "group": click.option(
        "--group",
        metavar="COLUMN",
        help="A column of the table of reals: warn when one of its groups scores low although it is real.",
    ),
    "workers": click.option(
        "--workers", type=COUNT, help="Threads that decode; results do not depend on it. Default: all cores."
    ),
    "runner": click.option(
        "--runner",
        type=click.Choice(["local", "ray"]),
        default="local",
        help="Where features and scores are computed: on this machine, or on a Ray cluster (docs/ray.md).",
    ),
    "address": click.option(
        "--address", metavar="ADDRESS", help="With --runner ray: auto, host:port, ray://host:port."
    ),
    "devices": click.option(
        "--devices",
        metavar="NAMES",
        callback=lambda context, option, given: given.split(",") if given else None,
        help="A process for each: cuda:0,cuda:1 for networks on two GPUs, cpu,cpu,cpu for decoding too.",
    ),
    "limit": click.option("--limit", type=COUNT, metavar="N", help="Take the first N pictures."),
    "shuffle": click.option(
        "--shuffle",
        type=click.IntRange(0),
        metavar="SEED",
        help="Take pictures in a random order; with --limit, N at random.",
    ),
    "no_store": switch_off("--no-store", "store", "Keep no features on disk."),
    "quiet": click.option("--quiet", "-q", is_flag=True, help="No progress and no warnings."),
    "real": click.option("--real", required=True, metavar="REALS", help="Real pictures to compare with."),
    "layers": click.option(
        "--layers",
        metavar="NAMES",
        help="Layers or levels (low, mid, high, all) for all metrics but qs; default: the deepest high one.",
    ),
    "pictures": click.option(
        "--pictures",
        type=click.IntRange(20),
        metavar="N",
        help="Take N pictures of each set, reals too, for all but qs.",
    ),
    "json": click.option("-o", "--out", type=JSON, help="Write everything as .json."),
    "as_json": click.option("--json", "as_json", is_flag=True, help="As JSON."),
    "report": click.option("--report", type=HTML, help="Write one self-contained HTML file."),
    "no_thumbnails": switch_off("--no-thumbnails", "show_thumbnails", "The report holds no picture."),
    "no_paths": switch_off("--no-paths", "show_paths", "The report holds numbers instead of file names."),
    "reals_too": click.option(
        "--reals-too",
        "kind",
        is_flag=True,
        callback=lambda context, option, given: None if given else "generated",
        help="Votes on real pictures count too.",
    ),
}


def options(*names: str) -> Callable:
    """The options that several commands share, in this order."""

    def add(command: Callable) -> Callable:
        for name in reversed(names):
            command = OPTIONS[name](command)
        return command

    return add


@contextmanager
def working(
    quiet: bool, *files: Path | None, unit: str = "pictures"
) -> Iterator[Callable[[str, int, int], None] | None]:
    """The frame around the work of a command: `files` can be written, warnings are one line each, progress is shown."""
    for path in filter(None, files):
        check_writable(path)
    with console.plain_warnings(quiet), console.progress(quiet, unit) as progress:
        yield progress


def check_writable(path: Path) -> None:
    """Find out before the work, not after it, that a file cannot be written; its folder is made."""
    import tempfile

    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}."):
            pass
    except OSError as error:
        error.filename = str(path)  # not the name that was tried
        raise


def _networks(context: click.Context, option: click.Parameter, given: str | None) -> str | None:
    """Addresses or networks, with commas: a name would be compared with addresses, and none would be believed."""
    import ipaddress

    for each in [] if given is None else given.split(","):
        try:
            ipaddress.ip_network(each.strip())
        except ValueError:
            raise BadSpec(
                f"--proxy {each!r} is no address; give that of the proxy, such as 10.0.0.5 or 10.0.0.0/24."
            ) from None
    return given


PROXY = click.option(
    "--proxy", metavar="ADDRESS", callback=_networks, help="A reverse proxy whose X-Forwarded-For is believed."
)


def listen(host: str, port: int) -> tuple[Any, str]:
    """A socket that listens, and its HOST:PORT; port 0 takes any free one."""
    import socket

    if host in ("", "<broadcast>"):  # the system reads them as addresses
        raise BadSpec(f"--host {host!r} is no address; 127.0.0.1: this machine only, 0.0.0.0: all others too.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # by name: of a protocol that is not said, asyncio leaves Nagle's delay on, 40 ms for each answer
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen()
    except (OSError, TypeError) as error:  # TypeError: no name of a host
        if isinstance(error, TypeError):
            raise BadSpec(f"{host!r} is no address to listen on ({error}); 127.0.0.1 is this machine.") from None
        raise BadSpec(
            f"Port {port} of {host} is not free, or not allowed ({error.strerror}); --port 0 takes any free one."
        ) from None
    return listening, f"{f'[{host}]' if family == socket.AF_INET6 else host}:{listening.getsockname()[1]}"


def write_json(out: Path | None, content: Any) -> None:
    """Every result as JSON is written here; None writes nothing."""
    import json

    from ..files import replace_file

    if out:
        replace_file(out, (json.dumps(content, indent=1) + "\n").encode())
