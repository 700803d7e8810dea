"""The vote store: SQLite (a file) or PostgreSQL (a URL), one schema, append-only votes."""

from __future__ import annotations

import os
import secrets as random_secrets
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import BadSource, BadSpec, MissingExtra

try:
    import sqlalchemy as sa
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import event
except ImportError as error:
    raise MissingExtra(f"Collecting judgements needs more ({error}): pip install 'giqa[humans]'.") from None

from . import tables as t
from .presentation import padded_length
from .study import Item, Settings, Shown, settings_of

MIGRATIONS = Path(__file__).with_name("migrations")
LOCK = 0x67697161  # "giqa": PostgreSQL's advisory lock while the schema is brought up to date
PATIENCE = 30  # seconds to wait for others who write
NEWEST = sa.select(sa.func.max(t.votes.c.number))

Files = dict[str, tuple[int, int, int, int]]  # path -> device, number, size, time in ns


@dataclass(frozen=True)
class Study:
    """A study as it is stored; `token` is the secret of its join link."""

    id: int
    name: str
    token: str
    settings: Settings
    picture_bytes: int
    paused: bool


def open_store(where: str | Path) -> Store:
    """A store at a path (SQLite) or a URL (PostgreSQL), its schema brought up to date.

    Parameters
    ----------
    where : path or str
        A file, or `postgresql://user@host/name`.

    Returns
    -------
    Store
        To be closed after use.

    Raises
    ------
    BadSource
        When it is no database, cannot be reached, or is of a newer giqa.
    BadSpec
        For another kind of URL.
    MissingExtra

    Notes
    -----
    Migrations run in one transaction: they are applied atomically, also when two processes open the store at once.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = open_store(Path(folder) / "votes.db")
    ...     store.studies()
    ...     store.close()
    []
    """
    url = _url(where)
    options: dict[str, Any] = {"pool_size": 20, "max_overflow": 30, "pool_timeout": 10}
    if url.get_backend_name() == "postgresql":
        options |= {"pool_pre_ping": True, "connect_args": {"connect_timeout": 5}}
    else:
        options |= {"connect_args": {"timeout": PATIENCE, "check_same_thread": False}}
    try:
        engine = sa.create_engine(url, **options)
    except ImportError:
        raise MissingExtra("A store on PostgreSQL needs psycopg: pip install 'giqa[humans]'.") from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _sqlite_settings)
        event.listen(engine, "begin", _sqlite_begin)
    else:
        event.listen(engine, "connect", _postgresql_settings)
    store = Store(engine)
    try:
        store.migrate()
        if missing := sorted(t.metadata.tables.keys() - set(sa.inspect(engine).get_table_names())):
            engine.dispose()
            raise BadSource(
                f"The store {url.database} has no table {missing[0]!r}: it is damaged; take a backup of it."
            )
        store.hold()
    except (sa.exc.DBAPIError, Unreachable) as error:
        engine.dispose()
        why = error.why if isinstance(error, Unreachable) else _why(error)
        raise BadSource(f"The store {_shown(url)} cannot be opened: {why}.") from None
    return store


def _shown(url: sa.URL) -> str:
    return url.render_as_string(hide_password=True)


def _why(error: sa.exc.SQLAlchemyError) -> str:
    return str(error.orig if isinstance(error, sa.exc.DBAPIError) else error).strip()


def _url(where: str | Path) -> sa.URL:
    text = str(where)
    if "://" not in text:
        return _of_file(sa.URL.create("sqlite", database=text), text)
    try:
        url = sa.make_url(text)
    except sa.exc.ArgumentError:
        raise BadSpec(f"{text!r} is no path and no URL such as postgresql://user:password@host/name.") from None
    if url.get_backend_name() == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() == "sqlite":
        return _of_file(url, text)
    raise BadSpec(f"A store is a path (SQLite) or postgresql://..., not {url.get_backend_name()}://.")


def _of_file(url: sa.URL, text: str) -> sa.URL:
    """The URL, if it names a file: what is kept in memory is lost."""
    if not url.database or url.database == ":memory:" or url.query:
        raise BadSpec(f"{text!r} names no file; votes are kept in one: a path, or sqlite:///PATH.")
    return url


def _sqlite_settings(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # transactions begin where we say so, and DDL belongs to them
    for pragma in ("synchronous=FULL", "foreign_keys=ON", f"busy_timeout={1000 * PATIENCE}"):
        connection.execute(f"PRAGMA {pragma}")
    deadline = time.monotonic() + PATIENCE
    while True:  # the change to WAL does not wait for others who make it too
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _postgresql_settings(connection: Any, _: Any) -> None:
    """By itself PostgreSQL would wait for a lock for ever."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = '{PATIENCE}s'")
    connection.commit()


def _sqlite_begin(connection: sa.Connection) -> None:
    """A writer takes its lock at once: to read first and then ask for it could fail after others have written."""
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")


class Unreachable(BadSource):
    """The store cannot be read or written now: a lock, a full disk, a database that is away; `why` in its own words."""

    def __init__(self, text: str, why: str = ""):
        super().__init__(text)
        self.why = why


class Gone(Unreachable):
    """The file of a store was removed or replaced while it was open: what is written would be lost."""


class Store:
    """Transactions on the votes; `read()` and `write()` give a connection, all the rest are the queries used often."""

    def __init__(self, engine: sa.Engine):
        self.engine = engine
        self.is_file = engine.dialect.name == "sqlite" and bool(engine.url.database)
        # SQLite has one writer; its own waiting is by chance, and under load some threads would wait for seconds
        self.turn = threading.Lock()
        self._anchor: sa.Connection | None = None
        self._main = os.path.realpath(engine.url.database) if self.is_file else ""  # where SQLite puts its other files
        self._files: Files = {}
        self._bad: Files = {}  # what was found to be another store, or a broken one
        self._newest = 0  # number of a vote that is kept
        self.here: dict[str, float] = {}  # rater -> when they last did something, by the monotonic clock

    def close(self) -> None:
        if self._anchor is not None:
            self._anchor.close()
        self.engine.dispose()

    def hold(self) -> None:
        """Note which files these are; a connection stays open, so that SQLite itself never removes one of them."""
        if self.is_file:
            self._anchor = self.engine.connect()
            self._newest = self._anchor.scalar(NEWEST) or 0
            self._anchor.rollback()
            self._files = self._here()

    def check(self, ours: bool = False) -> None:
        """Raise `Gone` where the file of the store, or what SQLite keeps next to it, is no longer what it was.

        Only a transaction of `ours` that was just kept may have changed the file. Where somebody else did (another
        process, a copy over it), or one is shorter, it is read anew: it should be whole and have all votes.
        """
        if not self._files:
            return
        here, before = self._here(), self._files
        same = {path: which[:2] for path, which in here.items()} == {path: which[:2] for path, which in before.items()}
        if same and here != self._bad:
            shorter = any(here[path][2] < which[2] for path, which in before.items())
            touched = here[self._main] != before[self._main] and not ours
            if not (shorter or touched) or self._is_whole():
                self._files = here
                return
            self._bad = here
        raise Gone(
            f"The store {self.engine.url.database} was removed or replaced while it was open, and takes no more "
            "votes. Put its files (NAME, NAME-wal, NAME-shm) back, or stop the server and start it again."
        )

    def _here(self) -> Files:
        """Device, number, size and time of the file and of what SQLite keeps next to it, as far as they are there."""
        found = {}
        for path in (f"{self._main}{end}" for end in ("", "-wal", "-shm")):
            with suppress(OSError):
                seen = os.lstat(path)
                found[path] = (seen.st_dev, seen.st_ino, seen.st_size, 0 if path.endswith("-shm") else seen.st_mtime_ns)
        return found if os.path.realpath(self.engine.url.database or "") == self._main else {}

    def _is_whole(self) -> bool:
        """Whether somebody who opens the file now reads a database without damage, and the newest vote."""
        try:
            with closing(sqlite3.connect(self._main, timeout=PATIENCE)) as fresh:
                (said,) = fresh.execute("PRAGMA integrity_check(1)").fetchone()
                (newest,) = fresh.execute("SELECT max(number) FROM votes").fetchone()
        except sqlite3.Error:
            return False
        # of an empty file SQLite drops the write-ahead log when it is opened again
        return said == "ok" and (newest or 0) >= self._newest and os.stat(self._main).st_size > 0

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        with self._reached(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """One transaction: what was written in it is kept together once it ends, or not at all."""
        with self._reached(), self._turn(), self.engine.connect().execution_options(writes=True) as connection:
            self.check()
            with connection.begin():
                yield connection
                newest = connection.scalar(NEWEST) if self._files else 0
            self.check(ours=True)  # before anybody is told that it is kept
            self._newest = newest or 0

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """What the database says is one sentence; rows that contradict each other stay an error of the caller."""
        try:
            yield
        except sa.exc.IntegrityError:
            raise
        except (sa.exc.DBAPIError, sa.exc.TimeoutError) as error:
            why = _why(error)
            raise Unreachable(f"The store {_shown(self.engine.url)} cannot be used now: {why}.", why) from error

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """SQLite: one writer after the other; none waits longer than for a lock of another process."""
        if self.engine.dialect.name != "sqlite":
            yield
        elif self.turn.acquire(timeout=PATIENCE):
            try:
                yield
            finally:
                self.turn.release()
        else:
            raise sa.exc.TimeoutError(f"no turn to write for {PATIENCE} s: another process holds the lock")

    def migrate(self) -> None:
        """Bring the schema up to date, in one transaction."""
        with self.write() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
            config.attributes["connection"] = connection
            _check_version(connection, config)
            command.upgrade(config, "head")

    def secret(self, name: str, value: str | None = None) -> str | None:
        """The secret of a name; with `value`, kept from now on in place of what was there."""
        with self.write() if value is not None else self.read() as connection:
            if value is not None:
                self.put_secret(connection, name, value)
            return self.get_secret(connection, name)

    def get_secret(self, connection: sa.Connection, name: str) -> str | None:
        return connection.scalar(sa.select(t.secrets.c.value).where(t.secrets.c.name == name))

    def put_secret(self, connection: sa.Connection, name: str, value: str) -> None:
        connection.execute(sa.delete(t.secrets).where(t.secrets.c.name == name))
        connection.execute(sa.insert(t.secrets).values(name=name, value=value))

    def signing_key(self) -> bytes:
        """The key that signs cookies and forms; made at the first use."""
        with self.write() as connection:
            found = connection.scalar(sa.select(t.secrets.c.value).where(t.secrets.c.name == "signing"))
            if found is None:
                found = random_secrets.token_hex(32)
                connection.execute(sa.insert(t.secrets).values(name="signing", value=found))
        return bytes.fromhex(found)

    def add_study(self, name: str, settings: Settings, shown: Sequence[Shown], items: Sequence[Item]) -> Study:
        """Keep a study with its pictures; `items` name pictures by their position in `shown`."""
        with self.write() as connection:
            if connection.scalar(sa.select(t.studies.c.id).where(t.studies.c.name == name)) is not None:
                raise BadSpec(f"The store has a study {name!r} already; choose another name, or serve that one.")
            values = {
                "name": name,
                "token": random_secrets.token_urlsafe(24),
                "settings": settings.to_json(),
                "picture_bytes": padded_length([len(one.png) for one in shown]),
                "created": time.time(),
                "paused": False,
            }
            study = connection.execute(sa.insert(t.studies).values(values)).inserted_primary_key[0]
            rows = [asdict(one) | {"study": study} for one in shown]
            keys = [connection.execute(sa.insert(t.pictures).values(row)).inserted_primary_key[0] for row in rows]
            for item in items:
                places = {"left": keys[item.left], "right": None if item.right is None else keys[item.right]}
                connection.execute(sa.insert(t.items).values(asdict(item) | {"study": study} | places))
        return self.study(values["token"])

    def studies(self) -> list[Study]:
        """Every study, oldest first."""
        with self.read() as connection:
            return [_study(row) for row in connection.execute(sa.select(t.studies).order_by(t.studies.c.id))]

    def study(self, token: str) -> Study | None:
        """The study behind a join link, or None."""
        if not (token.isascii() and token.isprintable()):  # PostgreSQL has no text with a NUL
            return None
        with self.read() as connection:
            row = connection.execute(sa.select(t.studies).where(t.studies.c.token == token)).first()
            return None if row is None else _study(row)

    def pause(self, study: Study, paused: bool) -> None:
        with self.write() as connection:
            connection.execute(sa.update(t.studies).where(t.studies.c.id == study.id).values(paused=paused))

    def png(self, picture: int) -> bytes:
        with self.read() as connection:
            return connection.scalar(sa.select(t.pictures.c.png).where(t.pictures.c.id == picture))


def _study(row: sa.Row) -> Study:
    return Study(row.id, row.name, row.token, settings_of(row.settings), row.picture_bytes, row.paused)


def _check_version(connection: sa.Connection, config: Config) -> None:
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    here = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if here is not None and here not in known:
        raise BadSource(f"The store is of a newer giqa (schema {here}); upgrade giqa to open it.")
