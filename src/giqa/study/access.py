"""Who may do what: cookies, form tokens, the admin's password, limits, and the headers of every answer."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import secrets
import threading
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .store import Store

SCRYPT = {"n": 2**15, "r": 8, "p": 1}  # 32 MB and about 0.1 s a guess
ADMIN_HOURS = 12
SECRET = "admin"  # the name under which the store keeps the password's hash

HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",  # the join link is in the address; none at all would make forms come from "null"
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


def new_cookie() -> str:
    """256 random bits."""
    return secrets.token_urlsafe(32)


def hashed_password(password: str) -> str:
    """A password as scrypt leaves it, with its salt and cost: `scrypt$n$r$p$salt$digest`."""
    salt = secrets.token_bytes(16)
    return "$".join(["scrypt", *map(str, SCRYPT.values()), _text(salt), _text(_scrypt(password, salt, **SCRYPT))])


def set_password(store: Store, password: str) -> None:
    """Keep the hash of the admin's password; whoever was logged in with another is logged out."""
    store.secret(SECRET, hashed_password(password))


def right_password(password: str, kept: str) -> bool:
    """Whether this is the password that was hashed.

    >>> kept = hashed_password("correct horse")
    >>> right_password("correct horse", kept), right_password("wrong horse", kept)
    (True, False)
    """
    name, n, r, p, salt, digest = kept.split("$")
    if name != "scrypt":
        return False
    given = _scrypt(password, base64.urlsafe_b64decode(salt), int(n), int(r), int(p))
    return hmac.compare_digest(given, base64.urlsafe_b64decode(digest))


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=256 * n * r * p, dklen=32)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode()


def form_token(key: bytes, cookie: str) -> str:
    """What a page of the holder of `cookie` sends back with every change; another site cannot know it."""
    return hmac.new(key, b"form:" + cookie.encode(), hashlib.sha256).hexdigest()


def admin_cookie(key: bytes, password: str, now: float | None = None) -> str:
    """A cookie that says who it is and until when, signed; a new password (its hash) ends all earlier ones."""
    said = f"{int((now or time.time()) + 3600 * ADMIN_HOURS)}.{secrets.token_urlsafe(8)}"
    return f"{said}.{_signature(key, password, said)}"


def is_admin(cookie: str, key: bytes, password: str, now: float | None = None) -> bool:
    """Whether a cookie was signed here, under this password's hash, and has not run out."""
    said, _, signature = cookie.rpartition(".")
    until = said.partition(".")[0]
    signed = hmac.compare_digest(signature.encode(), _signature(key, password, said).encode())
    return signed and until.isdigit() and int(until) > (now or time.time())


class Ended:
    """Sessions of admins that were ended by logging out; each is remembered until its cookie would have run out.

    They are kept in the store, so that they stay ended when the server starts again, or runs in several processes.

    Examples
    --------
    >>> import tempfile
    >>> from giqa.study import open_store
    >>> store = open_store(f"{tempfile.mkdtemp()}/votes.db")
    >>> Ended(store).add("2000000000.a.b", now=1e9)
    >>> Ended(store).has("2000000000.a.b"), Ended(store).has("2000000000.b.b")
    (True, False)
    >>> store.close()
    """

    NAME = "ended"  # of the secret that holds them

    def __init__(self, store: Store):
        self.store = store

    def add(self, cookie: str, now: float | None = None) -> None:
        """End the session of a cookie that `is_admin` accepted."""
        now, said = now or time.time(), cookie.rpartition(".")[0]
        with self.store.write() as connection:
            kept = [one for one in self._all(connection) if int(one.partition(".")[0]) > now]
            self.store.put_secret(connection, self.NAME, " ".join([*kept, said]))

    def has(self, cookie: str) -> bool:
        """Whether the session of a cookie was ended."""
        with self.store.read() as connection:
            return cookie.rpartition(".")[0] in self._all(connection)

    def _all(self, connection: Any) -> list[str]:
        return (self.store.get_secret(connection, self.NAME) or "").split()


def _signature(key: bytes, password: str, said: str) -> str:
    return hmac.new(key, f"admin:{password}:{said}".encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class Limits:
    """How often, as (at once, a second): `login` and `join` for an address, `vote` and `look` for a rater."""

    login: tuple[float, float] = (5, 5 / 60)
    join: tuple[float, float] = (300, 5)  # a whole class behind one address
    vote: tuple[float, float] = (60, 10)
    look: tuple[float, float] = (120, 30)


def counted(host: str) -> str:
    """Whom limits count: an address; of IPv6 its network of 64 bits, all of which one client may have.

    A port is left out, as some proxies write it in X-Forwarded-For; what is no address counts as one client.

    >>> counted("192.0.2.7:5000"), counted("::ffff:192.0.2.7"), counted("[2001:db8::1:2]:5000"), counted("nonsense")
    ('192.0.2.7', '192.0.2.7', '2001:db8::/64', 'unknown')
    """
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        found = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv6Address):
        return str(found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False))
    return str(found)


class Limiter:
    """Token buckets in memory: `allow(kind, who)` is False for who asks more often than their limit.

    >>> limiter = Limiter(Limits(login=(2, 0.1)))
    >>> [limiter.allow("login", "1.2.3.4", now=0.0) for _ in range(3)], limiter.allow("login", "1.2.3.4", now=10.0)
    ([True, True, False], True)
    """

    MOST = 20_000

    def __init__(self, limits: Limits):
        self.limits = limits
        self.buckets: dict[tuple[str, str], tuple[float, float]] = {}  # (tokens, when)
        self.lock = threading.Lock()

    def allow(self, kind: str, who: str, now: float | None = None) -> bool:
        most, rate = asdict(self.limits)[kind]
        now = time.monotonic() if now is None else now
        with self.lock:
            if len(self.buckets) > self.MOST:  # the oldest half is full again or nearly so
                for key in list(self.buckets)[: self.MOST // 2]:
                    del self.buckets[key]
            tokens, when = self.buckets.pop((kind, who), (most, now))
            tokens = min(most, tokens + rate * (now - when))
            allowed = tokens >= 1
            self.buckets[kind, who] = (tokens - allowed, now)
        return allowed


class Guard:
    """ASGI: the headers of every answer, no body above `most` bytes, no change asked for by another site."""

    def __init__(self, app: Any, https: bool = False, most: int = 65_536):
        self.app, self.most = app, most
        headers = HEADERS | ({"strict-transport-security": "max-age=31536000"} if https else {})
        self.headers = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: dict, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def guarded(message: dict) -> None:
            if message["type"] == "http.response.start":
                kept = message.get("headers", [])
                names = {name.lower() for name, _ in kept}
                cache = [] if b"cache-control" in names else [(b"cache-control", b"no-store")]
                message = message | {"headers": [*kept, *self.headers, *cache]}
            await send(message)

        given = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        length = given.get(b"content-length", "0")
        origin = given.get(b"origin")
        if scope["method"] not in ("GET", "HEAD") and origin and origin.partition("//")[2] != given.get(b"host"):
            await _refuse(guarded, 403)
        elif b"transfer-encoding" in given:
            await _refuse(guarded, 411)  # every browser states the length of what we ask for
        elif not length.isdigit() or int(length) > self.most:
            await _refuse(guarded, 413)
        else:
            await self.app(scope, receive, guarded)


async def _refuse(send: Any, status: int) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"refused"})
