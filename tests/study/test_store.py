"""The vote store: append-only, whole or not at all, the same on SQLite and PostgreSQL."""

import contextlib
import os
import shutil
import signal
import socket
import sqlite3
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.exc import IntegrityError
from study_samples import ForkedServer, a_vote, new_rater

from giqa.errors import BadSource, BadSpec
from giqa.study import store as store_module
from giqa.study import tables as t
from giqa.study.session import keep, state
from giqa.study.store import Gone, Unreachable, open_store


def all_votes(store):
    with store.read() as connection:
        return connection.execute(sa.select(t.votes).order_by(t.votes.c.number)).all()


@pytest.fixture
def study(store, study_in):
    return study_in(store, tutorial=0)


def results(told):
    return [(one["result"], one.get("reason")) for one in told]


def test_migrations_make_the_tables_of_the_code(store):
    """The newest migration and `tables.py` agree in every table, column and constraint."""
    with store.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), t.metadata) == []


def test_opening_again_changes_nothing(tmp_path, study_in):
    first = open_store(tmp_path / "votes.db")
    study = study_in(first)
    key = first.signing_key()
    first.close()
    second = open_store(tmp_path / "votes.db")
    assert (second.studies(), second.signing_key()) == ([study], key)
    second.close()


def test_two_who_open_a_new_store_at_once(tmp_path):
    """The schema is made once, by one of them."""
    opened, failures = [], []

    def open_it():
        try:
            opened.append(open_store(tmp_path / "new.db"))
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures and len(opened) == 6
    for one in opened:
        assert one.studies() == []
        one.close()


def test_a_migration_that_fails_leaves_the_store_as_it_was(tmp_path, monkeypatch):
    """All or nothing: a later migration that breaks half-way takes its first half with it."""
    folder = tmp_path / "migrations"
    (folder / "versions").mkdir(parents=True)
    for path in store_module.MIGRATIONS.rglob("*.py"):
        (folder / path.relative_to(store_module.MIGRATIONS)).write_text(path.read_text())
    open_store(tmp_path / "votes.db").close()
    (folder / "versions" / "0003_bad.py").write_text(
        'from alembic import op\nrevision = "0003"\ndown_revision = "0002"\n'
        'def upgrade():\n    op.execute("CREATE TABLE half (x INTEGER)")\n    op.execute("SELECT * FROM nowhere")\n'
    )
    monkeypatch.setattr(store_module, "MIGRATIONS", folder)
    with pytest.raises(BadSource, match=r"cannot be opened.*nowhere"):
        open_store(tmp_path / "votes.db")
    connection = sqlite3.connect(tmp_path / "votes.db")
    names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    assert "half" not in names and "votes" in names
    assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("0002",)]
    connection.close()


def test_a_store_of_a_newer_giqa_is_left_alone(tmp_path):
    open_store(tmp_path / "votes.db").close()
    connection = sqlite3.connect(tmp_path / "votes.db")
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    with pytest.raises(BadSource, match=r"newer giqa \(schema 9999\); upgrade"):
        open_store(tmp_path / "votes.db")


@pytest.mark.parametrize(
    ("where", "error", "words"),
    [
        ("mysql://x/y", BadSpec, "not mysql"),
        ("postgresql://nobody@127.0.0.1:1/none?connect_timeout=1", BadSource, "cannot be opened"),
        ("://", BadSpec, "is no path and no URL"),
    ],
)
def test_what_is_no_store_is_said(where, error, words):
    with pytest.raises(error, match=words):
        open_store(where)


def test_a_file_that_is_no_database_is_said(tmp_path):
    (tmp_path / "x.db").write_bytes(b"not a database, but long enough to be read as one" * 50)
    with pytest.raises(BadSource, match="file is not a database"):
        open_store(tmp_path / "x.db")


def test_sqlite_is_durable(store):
    """Write-ahead log, every commit synced, foreign keys held."""
    with store.read() as connection:
        found = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert found == ["wal", 2, 1]


def test_a_retry_does_not_double(store, study):
    """The same vote sent three times is one row, and is told as kept each time."""
    rater = new_rater(store, study)
    vote = a_vote(rater.trials[0], "one")
    told = [keep(store, study, rater, [vote])[0]["result"] for _ in range(3)]
    assert told == ["kept"] * 3 and len(all_votes(store)) == 1


def test_two_windows_cannot_answer_one_question_twice(store, study):
    """The second answer, with an id of its own, is refused and stays refused; the first one stands."""
    rater = new_rater(store, study)
    first, second = a_vote(rater.trials[0], "one"), a_vote(rater.trials[0], "two", "fake")
    assert results(keep(store, study, rater, [first, second])) == [("kept", None), ("refused", "answered before")]
    assert [vote.answer for vote in all_votes(store)] == ["real"]
    with pytest.raises(IntegrityError), store.write() as connection:  # and the schema itself holds it
        row = dict(second, rater=rater.id, trial=rater.trials[0].id, at=0.0)
        connection.execute(sa.insert(t.votes).values(row))


def test_an_id_is_never_used_for_something_else(store, study):
    rater, other = new_rater(store, study), new_rater(store, study)
    keep(store, study, rater, [a_vote(rater.trials[0], "one")])
    for who, vote in (
        (rater, a_vote(rater.trials[1], "one")),
        (other, a_vote(other.trials[0], "one")),
        (rater, a_vote(rater.trials[0], "one", "fake")),  # what is kept says real
    ):
        assert results(keep(store, study, who, [vote])) == [("refused", "another vote has this id")]


def test_only_ones_own_and_what_was_asked_can_be_answered(store, study):
    rater, other = new_rater(store, study), new_rater(store, study)
    for trial, answer, reason in (
        (other.trials[0], "real", "no such question"),
        (rater.trials[0], "maybe", "no such answer"),
        (rater.trials[3], "real", "not asked yet"),
    ):
        assert results(keep(store, study, rater, [a_vote(trial, reason, answer)])) == [("refused", reason)]
    assert all_votes(store) == []


def test_an_undo_is_a_new_row(store, study):
    """Only the last answer; both rows stay, the state goes on from the new one."""
    rater = new_rater(store, study)
    first, second = rater.trials[:2]
    keep(store, study, rater, [a_vote(first, "a"), a_vote(second, "b")])
    told = keep(store, study, rater, [a_vote(second, "c", "fake", 1), a_vote(second, "d", "fake", 1)])
    assert results(told) == [("kept", None), ("refused", "corrected before")]
    assert results(keep(store, study, rater, [a_vote(first, "e", "fake", 1)])) == [
        ("refused", "only the last answer can be corrected")
    ]
    assert [(vote.revision, vote.answer) for vote in all_votes(store)] == [(0, "real"), (0, "real"), (1, "fake")]
    now = state(store, study, rater)
    assert now["answered"] == 2 and (now["last"]["trial"], now["last"]["revision"]) == (second.id, 1)


def test_a_batch_is_kept_whole_or_not_at_all(store, study, monkeypatch):
    """A failure at the second of two votes leaves neither."""
    rater = new_rater(store, study)
    bad = a_vote(rater.trials[1], "b") | {"shown_ms": object()}
    with pytest.raises(sa.exc.StatementError):
        keep(store, study, rater, [a_vote(rater.trials[0], "a"), bad])
    assert all_votes(store) == []


def test_no_statement_deletes_or_updates_votes(store, study):
    """A whole sitting with an undo, a pause and a gate: SQL that touches votes only selects and inserts."""
    said = []
    sa.event.listen(store.engine, "before_cursor_execute", lambda *a: said.append(a[2].split(None, 3)))
    rater = new_rater(store, study)
    for place, trial in enumerate(rater.trials):
        keep(store, study, rater, [a_vote(trial, str(place))])
    keep(store, study, rater, [a_vote(rater.trials[-1], "undo", "fake", 1)])
    store.pause(study, True)
    changes = {(words[0], words[1]) for words in said if words[0] in ("UPDATE", "DELETE")}
    assert changes == {("UPDATE", "studies")} and len(all_votes(store)) == len(rater.trials) + 1


def test_names_of_studies_are_unique(store, study_in):
    study_in(store)
    with pytest.raises(BadSpec, match="already; choose another name"):
        study_in(store)


@pytest.mark.parametrize("what", ["", "-wal", "-shm"])
@pytest.mark.parametrize("put", [False, True])
def test_a_file_that_is_gone_or_another_is_noticed_before_a_vote_is_kept(store, study, what, put):
    """Removed or replaced while it is open: writing says so, and what is there instead is left alone."""
    rater = new_rater(store, study)
    file = Path(store.engine.url.database + what)
    file.rename(file.with_name("moved"))
    if put:
        file.write_bytes(file.with_name("moved").read_bytes())
    with pytest.raises(Gone, match="was removed or replaced while it was open, and takes no more votes"):
        keep(store, study, rater, [a_vote(rater.trials[0], "a")])


def in_the_file(where):
    """Empties the write-ahead log into the file, as SQLite does by itself after 1,000 pages."""
    with contextlib.closing(sqlite3.connect(where)) as other:
        assert other.execute("pragma wal_checkpoint(truncate)").fetchone() == (0, 0, 0)


def written_over(where, content):
    with open(where, "r+b") as file:
        file.truncate(0)
        file.write(content)


@pytest.mark.parametrize("what", ["empty", "no log", "older", "another", "damaged"])
def test_a_file_that_was_cut_or_written_over_is_noticed_before_a_vote_is_kept(store, study, what):
    """The same file by its number, with another content: what is written to it now would be lost, or spoil it."""
    rater, where = new_rater(store, study), store.engine.url.database
    keep(store, study, rater, [a_vote(rater.trials[0], "a")])
    in_the_file(where)
    older = Path(where).read_bytes()
    keep(store, study, rater, [a_vote(rater.trials[1], "b")])
    if what == "empty":
        written_over(where, b"")
    elif what == "no log":
        written_over(f"{where}-wal", b"")
    elif what == "older":
        in_the_file(where)
        written_over(where, older)
    elif what == "another":
        written_over(where, b"something else")
    else:
        written_over(where, older[:8192] + bytes(len(older) - 8192))
    for _ in range(2):
        with pytest.raises(Gone, match="was removed or replaced while it was open, and takes no more votes"):
            keep(store, study, rater, [a_vote(rater.trials[2], "c")])


def test_what_other_programs_may_do_with_the_file_stops_no_vote(store, study):
    """They empty the write-ahead log, make the file smaller, or touch it."""
    rater, where = new_rater(store, study), store.engine.url.database
    keep(store, study, rater, [a_vote(rater.trials[0], "a")])
    in_the_file(where)
    keep(store, study, rater, [a_vote(rater.trials[1], "b")])
    with contextlib.closing(sqlite3.connect(where)) as other:
        other.execute("vacuum")
    os.utime(where)
    keep(store, study, rater, [a_vote(rater.trials[2], "c")])
    assert len(all_votes(store)) == 3


def test_the_log_of_a_store_behind_a_link_is_watched_too(tmp_path, study_in):
    """SQLite keeps it next to the file, not next to the link; a link that leads elsewhere is another store."""
    (tmp_path / "real").mkdir()
    (tmp_path / "votes.db").symlink_to(tmp_path / "real" / "votes.db")
    with contextlib.closing(open_store(tmp_path / "votes.db")) as store:
        study = study_in(store, tutorial=0)
        rater = new_rater(store, study)
        log = tmp_path / "real" / "votes.db-wal"
        for away, back in ((log, log), (tmp_path / "votes.db", tmp_path / "votes.db")):
            away.rename(tmp_path / "moved")
            with pytest.raises(Gone):
                keep(store, study, rater, [a_vote(rater.trials[0], "a")])
            (tmp_path / "moved").rename(back)
        assert keep(store, study, rater, [a_vote(rater.trials[0], "a")])[0]["result"] == "kept"


def test_what_the_database_says_is_one_sentence(store, study):
    """A full disk, as far as SQLite can tell; it has said nothing of our SQL, and nothing was kept."""
    sa.event.listen(store.engine, "connect", lambda connection, _: connection.execute("PRAGMA max_page_count = 1"))
    store.engine.pool.dispose()
    with pytest.raises(Unreachable, match=r"cannot be used now: database or disk is full\.$"):
        store.secret("long", "x" * 100_000)
    assert store.secret("long") is None


def test_a_writer_waits_no_longer_than_patience(store, monkeypatch):
    monkeypatch.setattr("giqa.study.store.PATIENCE", 0.05)
    with store.turn, pytest.raises(Unreachable, match="another process holds the lock"), store.write():
        pass


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP])
def test_after_a_stop_the_file_alone_is_the_study(tmp_path, study_in, how):
    """As after Ctrl-C, also when the terminal is closed: the write-ahead log is empty, so that one file is a backup."""
    if signal.getsignal(how) is signal.SIG_IGN:
        pytest.skip("a hang-up is ignored here, as nohup asks")
    where = tmp_path / "votes.db"
    with contextlib.closing(open_store(where)) as store:
        study = study_in(store)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = ForkedServer(str(where), port)
    server.start()
    with contextlib.closing(open_store(where)) as store:
        new_rater(store, study)
    os.kill(server.process.pid, how)
    server.process.join(20)
    assert server.process.exitcode == 0
    copy = shutil.copy(where, tmp_path / "copy.db")
    with contextlib.closing(sqlite3.connect(copy)) as alone:
        assert alone.execute("select count(*) from raters").fetchone() == (1,)


def test_a_store_without_one_of_its_tables_is_said(tmp_path):
    where = tmp_path / "votes.db"
    open_store(where).close()
    with contextlib.closing(sqlite3.connect(where)) as broken:
        broken.execute("drop table trials")
        broken.commit()
    with pytest.raises(BadSource, match="has no table 'trials': it is damaged"):
        open_store(where)


@pytest.mark.parametrize(
    "where", ["", ":memory:", "sqlite://", "sqlite:///:memory:", "sqlite:///file:a?mode=memory&uri=true"]
)
def test_a_store_in_memory_is_refused(where):
    with pytest.raises(BadSpec, match="names no file; votes are kept in one"):
        open_store(where)
