"""A store of several servers: who says which of them takes the writes just now."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from jobs.errors import StoreUnsuitable

SCHEMES = {"redis+sentinel": False, "rediss+sentinel": True}
"""The schemes of such a store, and whether everything sent to it is encrypted."""

FORM = "redis+sentinel://user:password@host:26379,host:26379/master/0"
PORT = 26379
ASK_SECONDS = 0.5
"""How long one Sentinel may take to answer, before the next one is asked."""


@dataclass(frozen=True)
class Sentinels:
    """Where the Sentinels are, what they call the servers, and how to connect to the ones and the others."""

    places: list[tuple[str, int]]
    master: str
    to_server: dict[str, Any] = field(repr=False)
    to_sentinel: dict[str, Any] = field(repr=False)

    @classmethod
    def named_in(cls, url: str) -> "Sentinels | None":
        """The Sentinels of a URL of that form; None for another URL.

        Sentinels that want a password of their own find it in `?sentinel_username=...&sentinel_password=...`."""
        parts = urlsplit(url)
        if parts.scheme not in SCHEMES:
            return None
        try:
            return cls._of(parts)
        except ValueError:  # not kept as the cause: it may quote a password
            raise StoreUnsuitable(f"A store with Sentinels is named {FORM} in REDIS_URL.") from None

    @classmethod
    def _of(cls, parts: SplitResult) -> "Sentinels":
        credentials, _, places = parts.netloc.rpartition("@")
        user, _, password = credentials.partition(":")
        master, _, db = parts.path.removeprefix("/").partition("/")
        if not (places and master):
            raise ValueError("no Sentinel or no master is named")
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        tls = {"ssl": True, "ssl_check_hostname": True} if SCHEMES[parts.scheme] else {}
        bounds = {"socket_timeout": ASK_SECONDS, "socket_connect_timeout": ASK_SECONDS}
        return cls(
            [_place(each) for each in places.split(",")],
            unquote(master),
            to_server={**tls, **_login(unquote(user), unquote(password)), "db": int(db or 0)},
            to_sentinel={**tls, **bounds, **_login(query.get("sentinel_username"), query.get("sentinel_password"))},
        )


def _place(text: str) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    return parts.hostname or "localhost", parts.port or PORT


def _login(user: str | None, password: str | None) -> dict[str, str]:
    return {name: value for name, value in (("username", user), ("password", password)) if value}
