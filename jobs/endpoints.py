"""Where webhooks may go: the form that their URLs must have, before anything is looked up or called."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from jobs.addresses import is_public
from jobs.errors import UrlNotAllowed
from jobs.signing import Secrets

LONGEST_URL = 2048
HTTPS_PORT = 443

_URL = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*)?"
    r"(?:\?(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?"
)
"""What RFC 3986 allows and no two readers take apart differently: no userinfo, no fragment, nothing beyond ASCII."""

_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_LOCAL = frozenset(
    {
        *("arpa", "corp", "example", "home", "internal", "intranet", "invalid"),
        *("lan", "local", "localdomain", "localhost", "onion", "private", "test"),
    }
)
"""Domains without a way to the public internet; `arpa` for home.arpa."""


@dataclass(frozen=True)
class Endpoint:
    """A URL that may be called; with `trusted` it was named by who runs the service, and may lead anywhere."""

    url: str
    scheme: str
    host: str
    port: int
    trusted: bool

    @property
    def authority(self) -> str:
        """Host and port as the header `Host` has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == HTTPS_PORT and self.scheme == "https" else f"{host}:{self.port}"


class Endpoints:
    """Which URLs webhooks may go to: public ones by https, and, for development, `hosts`, each as `host:port`, by
    http too; and what they are signed with."""

    def __init__(self, secrets: Secrets | None = None, hosts: Collection[str] = ()) -> None:
        self._secrets = secrets or Secrets()
        self._hosts = frozenset(hosts)

    def read(self, url: str) -> Endpoint:
        """The endpoint that the URL names; UrlNotAllowed, with the same sentence whatever is wrong with it."""
        endpoint = self._read(url)
        if endpoint is None or not (endpoint.trusted or _is_public(endpoint)):
            raise UrlNotAllowed(
                f"A webhook goes to a public https URL of {LONGEST_URL} characters at most, on port {HTTPS_PORT},"
                " without user, password or fragment."
            )
        return endpoint

    def keys_for(self, endpoint: Endpoint) -> tuple[bytes, ...]:
        """What signs webhooks that go there; empty where no secret is set."""
        return self._secrets.keys_for(endpoint.host)

    def _read(self, url: str) -> Endpoint | None:
        found = _URL.fullmatch(url) if len(url) <= LONGEST_URL else None
        if found is None:
            return None
        scheme, host = found["scheme"], found["host"].lower()
        port = int(found["port"] or {"http": 80, "https": HTTPS_PORT}[scheme])
        trusted = f"{host}:{port}" in self._hosts
        return Endpoint(url, scheme, host.strip("[]"), port, trusted)


UNSIGNED = Endpoints()
"""Without a secret, by which no webhook is taken."""


def _is_public(endpoint: Endpoint) -> bool:
    """Whether it could be of the public internet; where a name leads is known only when it is called."""
    if (endpoint.scheme, endpoint.port) != ("https", HTTPS_PORT):
        return False
    *before, last = endpoint.host.split(".")
    if ":" in endpoint.host or _NUMBER.fullmatch(last):
        return is_public(endpoint.host)  # in its usual spelling alone: of others, readers make different addresses
    return bool(before) and last not in _LOCAL and _is_name(endpoint.host)


def _is_name(host: str) -> bool:
    return len(host) <= 253 and all(_LABEL.fullmatch(label) for label in host.split("."))
