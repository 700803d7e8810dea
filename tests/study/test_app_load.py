"""Two hundred raters at once, a server that is killed again and again, a database that goes away."""

import asyncio
import contextlib
import random

import pytest
import sqlalchemy as sa
from study_samples import ForkedServer, a_vote, new_rater

from benchmarks.study import load
from giqa.study import tables as t
from giqa.study.progress import progress, table
from giqa.study.session import keep
from giqa.study.store import Unreachable, open_store

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster():
    if load.Cluster.programs is None:
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql)")
    cluster = load.Cluster()
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.remove()


@pytest.fixture
def url(request, tmp_path):
    """A fresh store: a file, or an emptied database of the cluster."""
    if request.param == "sqlite":
        return str(tmp_path / "votes.db")
    return fresh_database(request.getfixturevalue("cluster"), request.node.name)


def fresh_database(cluster, name):
    name = "".join(c for c in name.lower() if c.isalnum())
    engine = sa.create_engine(cluster.url.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return cluster.url.replace("/postgres", f"/{name}")


def each_side(store):
    """How many votes each generated and each real picture has."""
    with store.read() as connection:
        query = (
            sa.select(t.items.c.truth, sa.func.count(t.votes.c.id))
            .outerjoin(t.trials, t.trials.c.item == t.items.c.id)
            .outerjoin(t.votes, t.votes.c.trial == t.trials.c.id)
            .group_by(t.items.c.id, t.items.c.truth)
        )
        rows = connection.execute(query).all()
    return {side: sorted({number for truth, number in rows if truth == side}) for side in ("fake", "real")}


@pytest.mark.parametrize("url", ["sqlite", "postgresql"], indirect=True)
def test_two_hundred_raters_at_once(url):
    """800 votes: none lost, none doubled, every picture with exactly its 100."""
    store = open_store(url)
    study = load.load_study(store, 200, 4)
    server, ledger = load.Server(url), load.Ledger()
    server.start()
    try:
        asyncio.run(load.all_sit(server.port, study.token, 200, ledger))
    finally:
        server.stop()
    assert load.check(store, ledger) == {"kept": 800, "acknowledged": 800, "lost": 0, "doubled": 0}
    assert ledger.finished == 200 and each_side(store) == {"fake": [100], "real": [100]}
    store.close()


def test_a_server_killed_twenty_times_loses_no_acknowledged_vote(tmp_path):
    """SIGKILL at random moments while eight raters vote: every vote that was acknowledged is there, once."""
    url = str(tmp_path / "votes.db")
    store = open_store(url)
    study = load.load_study(store, 8, 200)
    server, ledger = ForkedServer(url, load.free_port()), load.Ledger()
    server.start()
    try:
        kills = asyncio.run(load.with_kills(server, study.token, 8, ledger, 20, random.Random(1), most=400))
    finally:
        server.kill()
    found = load.check(store, ledger)
    store.close()
    assert kills == 20 and ledger.failures >= 20
    assert found["lost"] == found["doubled"] == 0 and found["acknowledged"] >= 20


def test_connections_cut_in_mid_load_lose_nothing(cluster):
    """Every connection to PostgreSQL is ended again and again: raters are told 503 at worst, and no vote is lost."""
    url = fresh_database(cluster, "cut")
    store = open_store(url)
    study = load.load_study(store, 12, 12)
    server, ledger = ForkedServer(url, load.free_port()), load.Ledger()
    server.start()
    engine = sa.create_engine(cluster.url.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
    end_all = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = 'cut'"

    def cut():
        with engine.connect() as connection:
            return connection.exec_driver_sql(end_all).scalar()

    async def both():
        sitting = asyncio.create_task(load.all_sit(server.port, study.token, 12, ledger))
        ended, due = [], 8
        while not sitting.done():
            await asyncio.sleep(0.005)
            if len(ledger.acknowledged) >= due:  # every eight votes, however fast the machine is
                due += 8
                ended.append(await asyncio.to_thread(cut))
        await sitting
        return ended

    try:
        ended = asyncio.run(both())
    finally:
        server.kill()
        engine.dispose()
    assert len(ended) > 2 and sum(ended) > 5 and ledger.finished == 12
    assert load.check(store, ledger) == {"kept": 144, "acknowledged": 144, "lost": 0, "doubled": 0}
    store.close()


def test_a_writer_on_postgresql_waits_no_longer_than_patience(cluster, study_in, monkeypatch):
    """Another process holds the table of votes; once it lets go, the same vote is kept."""
    monkeypatch.setattr("giqa.study.store.PATIENCE", 0.3)
    with contextlib.closing(open_store(fresh_database(cluster, "patience"))) as store:
        study = study_in(store, tutorial=0)
        rater = new_rater(store, study)
        with store.engine.connect() as other:
            other.exec_driver_sql("LOCK TABLE votes IN EXCLUSIVE MODE")
            with pytest.raises(Unreachable, match="cannot be used now: canceling statement due to lock timeout"):
                keep(store, study, rater, [a_vote(rater.trials[0], "a")])
        assert keep(store, study, rater, [a_vote(rater.trials[0], "a")])[0]["result"] == "kept"
        assert store.study("a\0b") is None  # which PostgreSQL could not be asked for


def test_the_page_says_when_the_database_is_away_and_sends_later(cluster, study_in, served, open_page):
    """PostgreSQL stops in mid-study: the page says so and keeps the answer; started again, all eight votes arrive."""
    from test_app_browser import act, by_keyboard, start, until, whole

    store = open_store(fresh_database(cluster, "away"))
    study = study_in(store, "hype", tutorial=0)
    with served(store) as base:
        page = open_page(f"{base}/s/{study.token}", expect=("Failed to load resource",))
        press = by_keyboard(page, "hype")
        start(page, press)
        act(page, "hype", press)
        until(page, "votes.waiting().length === 0")
        cluster.stop()
        try:
            act(page, "hype", press)
            until(page, "document.getElementById('net').textContent.includes('kept in this browser')")
            assert "store cannot be reached" in page.locator("#net").inner_text()
            assert page.evaluate("votes.waiting().length") == 1
        finally:
            cluster.start()
        whole(page, "hype", press)
        until(page, "document.getElementById('net').hidden")
    assert len(list(table(store, study, everything=True))) == 8 and progress(store, study)["finished"] == 1
    store.close()
