"""Named connections: what `JOBSTREAM_CONNECTION_<NAME>` says, checked before anything is served or run."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal
from urllib.parse import unquote, urlsplit

from jobs.errors import ConnectionInvalid

PREFIX = "JOBSTREAM_CONNECTION_"

Scheme = Literal["file", "s3", "postgresql", "mongodb", "sqlite"]

_SCHEMES: Mapping[str, Scheme] = {
    "file": "file",
    "s3": "s3",
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "mongodb": "mongodb",
    "mongodb+srv": "mongodb",
    "sqlite": "sqlite",
}


@dataclass(frozen=True)
class Connection:
    """A place for bulk data; its URL may hold a password, and is shown to nobody."""

    name: str
    scheme: Scheme
    url: str = field(repr=False)

    @property
    def path(self) -> str:
        """The URL's path, as it is meant."""
        return unquote(urlsplit(self.url).path)


Connections = Mapping[str, Connection]

NONE: Connections = MappingProxyType({})


def read_connections(variables: Mapping[str, str]) -> Connections:
    """The connections by name; ConnectionInvalid says which variable cannot stand, and not what it holds."""
    found = {}
    for variable, url in variables.items():
        if variable.startswith(PREFIX) and url:
            name = variable.removeprefix(PREFIX).lower()
            if not re.fullmatch(r"[a-z0-9][a-z0-9_]{0,63}", name):
                raise ConnectionInvalid(f"{variable}: a connection's name is letters, digits and _.")
            found[name] = _connection(variable, name, url)
    return MappingProxyType(found)


def _connection(variable: str, name: str, url: str) -> Connection:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # says whether it is one
    except ValueError:
        raise ConnectionInvalid(f"{variable} is no URL.") from None
    if (scheme := _SCHEMES.get(parts.scheme)) is None:
        raise ConnectionInvalid(f"{variable} must begin with file://, s3://, postgresql://, mongodb:// or sqlite://.")
    if wrong := _wrong(scheme, parts.netloc, parts.path, parts.query + parts.fragment):
        raise ConnectionInvalid(f"{variable}: {wrong}")
    return Connection(name, scheme, url)


def _wrong(scheme: Scheme, host: str, path: str, rest: str) -> str | None:
    """What is wrong with a URL of the scheme, None where it can stand."""
    match scheme:
        case "file" | "sqlite" if host or len(path) < 2 or rest:
            return f"it is {scheme}:/// and an absolute path, nothing else."
        case "s3" if not host or "@" in host or rest:
            return "it is s3://bucket or s3://bucket/prefix; credentials come from the usual AWS variables."
        case "postgresql" | "mongodb" if len(path) < 2 or (scheme == "mongodb" and not host):
            return f"it is {scheme}://user:password@host/database."
    return None
