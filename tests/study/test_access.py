"""Who may do what: each promise of the web app's protection, and a test that fails without it."""

import contextlib
import io
import re
import sqlite3
import statistics
import threading
import time
import urllib.request

import numpy as np
import pytest
import sqlalchemy as sa
from PIL import Image
from starlette.testclient import TestClient

from giqa.study import tables as t
from giqa.study.access import (
    HEADERS,
    SECRET,
    Ended,
    Limiter,
    Limits,
    admin_cookie,
    form_token,
    hashed_password,
    is_admin,
    right_password,
    set_password,
)
from giqa.study.app import RATER, make_app
from giqa.study.setup import Given, make_study
from giqa.study.study import Settings

PASSWORD = "correct horse battery"
FREE = Limits(login=(1000, 1000), join=(1000, 1000), vote=(10_000, 1000), look=(10_000, 1000))


def client_of(store, **options):
    return TestClient(make_app(store, **{"limits": FREE} | options), follow_redirects=False)


def token_in(page):
    return re.search(r'name="csrf" value="([0-9a-f]+)"|data-csrf="([0-9a-f]+)"', page.text).group(1, 2)


def csrf(page):
    return next(filter(None, token_in(page)))


def joined(store, study, **options):
    """A client that has agreed, and the token of its task page."""
    client = client_of(store, **options)
    where = f"/s/{study.token}"
    answer = client.post(where, data={"csrf": csrf(client.get(where))})
    assert answer.status_code == 303 and answer.headers["location"] == f"{where}/task"
    return client, csrf(client.get(f"{where}/task"))


def vote_for(question, **given):
    return {"id": "v" * 20 + question["trial"][:8], "trial": question["trial"], "answer": "real"} | given


def send(client, study, token, *votes):
    return client.post(f"/s/{study.token}/votes", json={"votes": votes}, headers={"x-csrf": token})


def number_of(store, table):
    with store.read() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(table))


@pytest.fixture
def study(store, study_in):
    return study_in(store, tutorial=0)


@pytest.fixture
def admin(store, study):
    set_password(store, PASSWORD)
    client = client_of(store)
    token = csrf(client.get("/admin"))
    answer = client.post("/admin/login", data={"csrf": token, "password": PASSWORD})
    assert answer.status_code == 303
    return client


# --- links


def test_join_links_cannot_be_guessed(store, study_in):
    """192 random bits each; ids of the table open nothing, and wrong links are slowed down."""
    studies = [study_in(store, name) for name in ("hype", "pairs")]
    assert all(re.fullmatch(r"[\w-]{32}", one.token) for one in studies)
    assert studies[0].token != studies[1].token
    client = client_of(store, limits=Limits(join=(3, 0.0)))
    found = [client.get(f"/s/{guess}").status_code for guess in ("1", "hype", studies[0].token[:-1], "x", "y")]
    assert found == [404, 404, 404, 429, 429]


# --- pictures


def test_pictures_open_only_to_the_rater_they_are_for(store, study):
    """Without the cookie, with another's, or before they are planned, an address gives nothing."""
    (one, _), (other, _) = joined(store, study), joined(store, study)
    address = one.get(f"/s/{study.token}/state").json()["next"][0]["pictures"][0]
    where = f"/s/{study.token}/{address}"
    assert one.get(where).headers["content-type"] == "image/png"
    assert other.get(where).status_code == 404
    assert client_of(store).get(where).status_code == 401
    for side in ("1", "9" * 5000, "-1", "a"):  # a single picture has no other side
        assert one.get(where[:-1] + side).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/static/",
        "/static",
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/static/%2e%2e/store.py",
        "/static/....//app.py",
        "/static//etc/passwd",
        "/static/app.py",
        "/static/static/task.js",
        "/static/templates/task.html",
        "/s/{token}/picture/..%2f..%2fetc%2fpasswd/0",
        "/s/{token}/picture/gan_000.png/0",
        "/s/{token}/picture/1/0",
        "/s/{token}/picture/",
        "/s/{token}/picture",
        "/templates/task.html",
        "/votes.db",
        "/docs",
    ],
)
def test_no_traversal_no_listing_no_names(store, study, path):
    """Nothing is served by a file's name but our own script and style; no folder is listed."""
    client, _ = joined(store, study)
    answer = client.get(path.replace("{token}", study.token))
    assert answer.status_code == 404 and "passwd" not in answer.text and "def " not in answer.text


def uneven(number, generator, flat):
    """Reals are flat and small files, fakes noise and large: as different as pictures can be."""

    def read(index):
        rng = np.random.default_rng(index)
        shape = (48, 40, 3) if flat else (64, 64, 3)
        return np.full(shape, index, np.uint8) if flat else rng.integers(0, 256, shape, dtype=np.uint8)

    return [Given(f"{generator or 'real'}{i}", generator, lambda i=i: read(i)) for i in range(number)]


def test_no_truth_in_size_header_length_or_timing(store):
    """Flat reals and noisy fakes of other shapes come in one shape, one length, equal headers, the same time."""
    settings = Settings("hype", votes_each=1, sitting=40, controls=0, tutorial=0)
    study = make_study(store, "s", settings, uneven(20, "gan", False), uneven(20, "", True))
    client, _ = joined(store, study)
    with store.read() as connection:
        query = sa.select(t.trials.c.id, t.items.c.truth).join(t.items, t.items.c.id == t.trials.c.item)
        truth = {row.id: row.truth for row in connection.execute(query.order_by(t.trials.c.place))}
    assert sorted(truth.values()) == ["fake"] * 20 + ["real"] * 20
    answers = {trial: client.get(f"/s/{study.token}/picture/{trial}/0") for trial in truth}
    lengths = {len(answer.content) for answer in answers.values()}
    shapes = {Image.open(io.BytesIO(answer.content)).size for answer in answers.values()}
    headers = {tuple(sorted((k, v) for k, v in answer.headers.items() if k != "date")) for answer in answers.values()}
    assert (len(lengths), shapes, len(headers)) == (1, {(40, 40)}, 1)
    assert all(Image.open(io.BytesIO(answer.content)).info == {} for answer in answers.values())
    least = dict.fromkeys(truth, float("inf"))
    for trial in [*truth] * 5:  # round by round, in processor seconds: a busy machine is no leak
        start = time.process_time()
        client.get(f"/s/{study.token}/picture/{trial}/0")
        least[trial] = min(least[trial], time.process_time() - start)
    real, fake = ([least[trial] for trial in truth if truth[trial] == kind] for kind in ("real", "fake"))
    assert 0.7 < statistics.median(real) / statistics.median(fake) < 1.4


def test_no_truth_in_names_or_order(store, study_in):
    """What the browser is told has no name, kind, generator or control in it, and the order is by lot."""
    study = study_in(store, tutorial=0, votes_each=20, controls=0)
    client, _ = joined(store, study)
    told = client.get(f"/s/{study.token}/state")
    assert set(told.json()["next"][0]) == {"trial", "tutorial", "pictures"}
    assert not re.search(r"gan|real_|control|shuffled|truth|fake", told.text)
    assert re.fullmatch(r"[\w-]{22}", told.json()["next"][0]["trial"])
    with store.read() as connection:
        query = sa.select(t.items.c.truth).join(t.trials, t.items.c.id == t.trials.c.item).order_by(t.trials.c.place)
        orders = {tuple(connection.scalars(query.where(t.trials.c.rater == r))) for r in raters(store, study, 6)}
    assert len(orders) > 1 and all(sorted(order) == ["fake"] * 3 + ["real"] * 3 for order in orders)


def raters(store, study, number):
    for _ in range(number):
        joined(store, study)
    with store.read() as connection:
        return list(connection.scalars(sa.select(t.raters.c.id)))


# --- cookies, forms, other sites


def test_cookies_are_httponly_samesite_and_kept_as_digests(store, study):
    """Scripts cannot read them, other sites cannot send them along, and the store cannot be used to make one."""
    set_password(store, PASSWORD)
    client = client_of(store, https=True)
    first = client.get(f"https://testserver/s/{study.token}").headers["set-cookie"]
    assert re.search(rf"HttpOnly; Path=/s/{study.token}; SameSite=lax; Secure", first)
    login = client.get("https://testserver/admin").headers["set-cookie"]
    assert "HttpOnly; Path=/admin; SameSite=strict; Secure" in login
    client, _ = joined(store, study)
    cookie = client.cookies[RATER]
    with store.read() as connection:
        assert cookie not in str(connection.execute(sa.select(t.raters)).all())


def test_a_planted_cookie_is_not_taken_over(store, study):
    """Agreeing, and logging in, give a new cookie: who knew the old one is nobody."""
    set_password(store, PASSWORD)
    client = client_of(store)
    page = client.get(f"/s/{study.token}")
    planted = client.cookies[RATER]
    client.post(f"/s/{study.token}", data={"csrf": csrf(page)})
    assert client.cookies[RATER] != planted
    thief = client_of(store)
    thief.cookies.set(RATER, planted, path=f"/s/{study.token}")
    assert thief.get(f"/s/{study.token}/state").status_code == 401
    token = csrf(client.get("/admin"))
    planted = client.cookies["giqa_admin"]
    client.post("/admin/login", data={"csrf": token, "password": PASSWORD})
    assert client.cookies["giqa_admin"] != planted


def test_a_change_needs_the_token_of_our_own_page(store, study):
    """Without the token, with another visitor's, or from another origin, nothing is changed."""
    client, token = joined(store, study)
    question = client.get(f"/s/{study.token}/state").json()["next"][0]
    _, others = joined(store, study)
    for wrong in ("", others, "0" * 64):
        assert send(client, study, wrong, vote_for(question)).status_code == 403
    away = {"origin": "https://elsewhere.example", "x-csrf": token}
    votes = {"votes": [vote_for(question)]}
    assert client.post(f"/s/{study.token}/votes", json=votes, headers=away).status_code == 403
    before = number_of(store, t.raters)
    assert client_of(store).post(f"/s/{study.token}", data={"csrf": "0" * 64}).status_code == 403
    fresh = client_of(store)
    fresh.get(f"/s/{study.token}")
    assert fresh.post(f"/s/{study.token}", data={}).status_code == 403
    assert (number_of(store, t.votes), number_of(store, t.raters)) == (0, before)
    assert send(client, study, token, vote_for(question)).json()["results"][0]["result"] == "kept"


def test_every_answer_carries_the_strict_headers(store, study, admin):
    """Pages, pictures, scripts, errors: nothing from elsewhere, nothing inline, no frames, no sniffing."""
    client, _ = joined(store, study)
    for path in ("/", f"/s/{study.token}/task", "/static/task.js", "/nowhere", "/admin", "/health"):
        headers = client.get(path).headers
        assert {name: headers.get(name) for name in HEADERS} == HEADERS
    policy = HEADERS["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "*" not in policy and "http" not in policy
    for page in (client.get(f"/s/{study.token}/task"), admin.get("/admin")):
        assert not re.search(r"<script(?! src=)|<style|\sstyle=|\son\w+=|https?://(?!testserver)", page.text)
        assert page.headers["cache-control"] == "no-store"


# --- what is sent


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"votes": 1}',
        b'{"votes": []}',
        b'{"votes": [1]}',
        b'{"votes": [{"id": "short", "trial": "x", "answer": "real"}]}',
        b'{"votes": [{"id": "' + b"i" * 20 + b'", "trial": ["x"], "answer": "real"}]}',
        b'{"votes": [{"id": "' + b"i" * 20 + b'", "trial": "x", "answer": "real", "revision": -1}]}',
        b'{"votes": [{"id": "' + b"i" * 20 + b'", "trial": "x", "answer": "real", "shown_ms": NaN}]}',
        b'{"votes": [{"id": "' + b"i" * 20 + b'", "trial": "\\u0000", "answer": "real"}]}',
        b"[" * 20_000,
    ],
)
def test_odd_bodies_are_refused(store, study, body):
    """400 with a sentence, never an error of ours."""
    client, token = joined(store, study)
    answer = client.post(f"/s/{study.token}/votes", content=body, headers={"x-csrf": token})
    assert answer.status_code == 400 and answer.json()["error"]


def test_large_bodies_are_refused_unread(store, study):
    client, token = joined(store, study)
    answer = client.post(f"/s/{study.token}/votes", content=b" " * 70_000, headers={"x-csrf": token})
    assert answer.status_code == 413
    unsaid = client.post(f"/s/{study.token}/votes", content=iter([b" "] * 9), headers={"x-csrf": token})
    assert unsaid.status_code == 411


def test_what_an_address_does_not_do_is_said(store, study):
    """405 and what it does, for pages and for the API; nothing answers TRACE."""
    client, _ = joined(store, study)
    for method, path, allowed in (("TRACE", "/", "GET"), ("PUT", f"/s/{study.token}/votes", "POST")):
        answer = client.request(method, path)
        assert answer.status_code == 405 and allowed in answer.headers["allow"]


# --- limits


def test_limits_hold(store, study):
    """So many at once, then 429: guesses of the password, joining, voting, looking."""
    set_password(store, PASSWORD)
    tight = Limits(login=(2, 0), join=(1, 0), vote=(2, 0), look=(5, 0))
    client, token = joined(store, study, limits=tight)  # one look at the task page
    question = client.get(f"/s/{study.token}/state").json()["next"][0]
    assert [send(client, study, token, vote_for(question)).status_code for _ in range(3)] == [200, 200, 429]
    assert [client.get(f"/s/{study.token}/state").status_code for _ in range(4)] == [200, 200, 200, 429]
    form = {"csrf": csrf(client.get("/admin")), "password": "guess"}
    assert [client.post("/admin/login", data=form).status_code for _ in range(3)] == [403, 403, 429]
    client.cookies.clear()
    form = {"csrf": csrf(client.get(f"/s/{study.token}"))}
    assert client.post(f"/s/{study.token}", data=form).status_code == 429


def test_limits_count_networks_of_ipv6(store):
    """One client may have all 2^64 addresses of its network; the next network is another."""
    client = TestClient(make_app(store, limits=Limits(join=(1, 0))), client=("2001:db8::1", 1))
    other = TestClient(client.app, client=("2001:db8::2:3", 1))
    third = TestClient(client.app, client=("2001:db8:0:1::1", 1))
    assert [one.get("/s/guess").status_code for one in (client, other, third)] == [404, 429, 404]


def test_a_limiter_forgets_and_stays_small():
    limiter = Limiter(Limits(vote=(1, 1)))
    limiter.MOST = 10
    for who in range(50):
        assert limiter.allow("vote", str(who), now=0.0)
    assert len(limiter.buckets) <= 11
    assert not limiter.allow("vote", "49", now=0.5) and limiter.allow("vote", "49", now=1.6)


# --- the admin


def test_passwords_are_hashed_with_scrypt(store):
    """Salted, 32 MB a guess; the password itself is nowhere in the store."""
    one, two = hashed_password(PASSWORD), hashed_password(PASSWORD)
    assert one != two and one.startswith("scrypt$32768$8$1$")
    assert right_password(PASSWORD, one) and not right_password(PASSWORD + " ", one)
    assert not right_password(PASSWORD, one.replace("scrypt", "plain"))
    set_password(store, PASSWORD)
    with store.read() as connection:
        assert PASSWORD not in str(connection.execute(sa.select(t.secrets)).all())


ADMIN_ONLY = ["/admin/1/progress", "/admin/1/export", "/admin/1/export?everything=yes"]


@pytest.mark.parametrize("path", ADMIN_ONLY)
def test_admin_pages_need_the_password(store, study, path):
    """Neither a stranger nor a rater, nor a cookie that was signed under another password or has run out."""
    set_password(store, PASSWORD)
    rater, _ = joined(store, study)
    key, kept = store.signing_key(), store.secret(SECRET)
    wrong = [
        "",
        admin_cookie(key, "other"),
        admin_cookie(b"k" * 32, kept),
        admin_cookie(key, kept, time.time() - 50_000),
    ]
    wrong.append("9" * 11 + ".x." + "0" * 64)
    for cookie in wrong:
        client = client_of(store)
        client.cookies.set("giqa_admin", cookie)
        assert client.get(path).status_code == 401
        assert client.post("/admin/1/pause", data={"csrf": form_token(key, cookie), "paused": "yes"}).status_code in (
            401,
            403,
        )
    assert rater.get(path).status_code == 401
    assert not store.studies()[0].paused
    assert is_admin(admin_cookie(key, kept), key, kept)


def test_admin_logs_in_pauses_and_exports(store, study, admin):
    """The whole way: wrong password, right one, numbers, pause, export without personal data, log out."""
    rater, token = joined(store, study)
    question = rater.get(f"/s/{study.token}/state").json()["next"][0]
    assert send(rater, study, token, vote_for(question)).status_code == 200
    page = admin.get("/admin")
    assert study.token in page.text and csrf(page)
    assert admin.get("/admin/1/progress").json()["raters"] == 1
    assert admin.get("/admin/2/progress").status_code == admin.get(f"/admin/{'1' * 5000}/export").status_code == 404
    assert admin.post("/admin/1/pause", data={"paused": "yes"}).status_code == 403
    admin.post("/admin/1/pause", data={"csrf": csrf(page), "paused": "yes"})
    assert rater.get(f"/s/{study.token}/state").json()["state"] == "paused"
    assert "paused" in client_of(store).get(f"/s/{study.token}").text
    admin.post("/admin/1/pause", data={"csrf": csrf(page), "paused": "no"})
    assert rater.get(f"/s/{study.token}/state").json()["state"] == "open"
    text = admin.get("/admin/1/export?everything=yes").text.splitlines()
    assert text[0].startswith("image,rater,said_real,context,") and len(text) == 2
    assert "testclient" not in text[1] and rater.cookies[RATER] not in text[1]
    assert admin.post("/admin/logout", data={"csrf": csrf(page)}).status_code == 303
    assert admin.get("/admin/1/progress").status_code == 401


def test_a_wrong_password_opens_nothing(store, study):
    set_password(store, PASSWORD)
    client = client_of(store)
    token = csrf(client.get("/admin"))
    assert client.post("/admin/login", data={"csrf": token, "password": "wrong"}).status_code == 403
    assert client.post("/admin/login", data={"password": PASSWORD}).status_code == 403  # no token
    assert client.get("/admin/1/progress").status_code == 401
    set_password(store, PASSWORD)


def test_a_new_password_logs_everybody_out(store, admin):
    assert admin.get("/admin/1/progress").status_code == 200
    set_password(store, PASSWORD)  # the same words, another salt
    assert admin.get("/admin/1/progress").status_code == 401


def test_logging_out_ends_the_session_on_the_server(store, study, admin):
    """A copy of the cookie from before opens nothing afterwards, and a later login works."""
    old = dict(admin.cookies)
    answer = admin.post("/admin/logout", data={"csrf": csrf(admin.get("/admin"))})
    assert answer.status_code == 303
    thief = client_of(store)  # a server that was started again, too
    thief.cookies.update(old)
    assert thief.get(f"/admin/{study.id}/export?everything=yes").status_code == 401
    client = client_of(store)
    client.post("/admin/login", data={"csrf": csrf(client.get("/admin")), "password": PASSWORD})
    assert client.get(f"/admin/{study.id}/export").status_code == 200


def test_sessions_that_ran_out_are_forgotten(store):
    ended = Ended(store)
    ended.add("1000.a.x", now=999.0)
    ended.add("2000.b.x", now=1001.0)
    assert store.secret(Ended.NAME) == "2000.b"


def test_readers_are_served_while_writers_wait(store, study, served):
    """Another process holds the lock of the store: 45 who join wait for it, and a rater's state still comes."""
    client, _ = joined(store, study)
    where = f"/s/{study.token}"
    with served(store, limits=FREE) as address, contextlib.closing(sqlite3.connect(store.engine.url.database)) as lock:
        lock.isolation_level = None
        fresh = [csrf_and_cookie(f"{address}{where}") for _ in range(45)]
        lock.execute("begin immediate")
        answers = []
        threads = [
            threading.Thread(target=lambda one=one: answers.append(ask(f"{address}{where}", *one)), daemon=True)
            for one in fresh
        ]
        for thread in threads:
            thread.start()
        time.sleep(0.5)
        cookie = f"{RATER}={client.cookies[RATER]}"
        assert ask(f"{address}{where}/state", cookie).startswith(b"{")
        lock.execute("rollback")
        for thread in threads:
            thread.join(30)
    assert len(answers) == 45


def test_a_change_waits_no_longer_than_for_a_lock_and_a_password_never(store, study, admin, monkeypatch, caplog):
    """All who write wait for a lock of another process: the next one is told so, and the log says it once."""
    monkeypatch.setattr("giqa.study.requests.PATIENCE", 0.05)
    client, token = joined(store, study)
    question = client.get(f"/s/{study.token}/state").json()["next"][0]
    house = client.app.state.house
    house.lanes["write"].total_tokens = 0
    answers = [send(client, study, token, vote_for(question)) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [503, 503]
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == [
        "A change waited 0.05 s for its turn: those before it wait for the store."
    ]
    form = {"csrf": csrf(client.get("/admin")), "password": PASSWORD}
    assert client.post("/admin/login", data=form).status_code == 303
    house.lanes["write"].total_tokens = 1
    assert send(client, study, token, vote_for(question)).json()["results"][0]["result"] == "kept"


def csrf_and_cookie(where):
    with urllib.request.urlopen(where, timeout=20) as page:
        cookie = page.headers["set-cookie"].partition(";")[0]
        return cookie, f"csrf={re.search(rb'value=.([0-9a-f]{64})', page.read())[1].decode()}".encode()


def ask(where, cookie, body=None):
    with urllib.request.urlopen(urllib.request.Request(where, body, {"cookie": cookie}), timeout=20) as answer:
        return answer.read()
