"""What is misconfigured about the store and the connections for bulk data (`python -m jobs.checkup`)."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

from dotenv import dotenv_values

from jobs.connection import Client, connect
from jobs.embedded import EmbeddedStore
from jobs.errors import ConnectionInvalid, JobError, StoreUnavailable, StoreUnsuitable
from jobs.findings import Finding, checkup
from jobs.fitness import plain_way, unfit
from jobs.records.connections import PREFIX, Connection, read_connections
from jobs.roll import Roll
from jobs.settings import StoreSettings
from jobs.store import check_seal, unanswered, writable
from jobs.valkey import server_binary

MOST_SKEW_SECONDS = 5.0
FILES_LOOKED_AT = 1000

EXTRAS = {
    "s3": ("lake", ("fsspec", "pyarrow", "s3fs")),
    "postgresql": ("postgresql", ("asyncpg",)),
    "mongodb": ("mongodb", ("pymongo",)),
    "parquet": ("lake", ("pyarrow",)),
}
"""For each place for data, or form of it, the extra of ours and the libraries that it brings."""

NO_WORKER = Finding("no-worker", "No worker is alive", "start one: jobstream worker")


def look(settings: StoreSettings) -> Iterator[Finding]:
    """What is wrong with the connections, and with the store as the processes would use it."""
    yield from _connections()
    yield from asyncio.run(_store(settings))


def _connections() -> Iterator[Finding]:
    written = {name: value for name, value in dotenv_values(".env").items() if value}
    for name, value in (written | os.environ).items():
        if not (name.startswith(PREFIX) and value):
            continue
        try:
            (connection,) = read_connections({name: value}).values()
        except ConnectionInvalid as error:
            yield Finding("connection-invalid", error.detail.rstrip("."), "see docs/COPYING.md for what it may be")
        else:
            yield from _missing_libraries(name, connection)


def _missing_libraries(variable: str, connection: Connection) -> Iterator[Finding]:
    scheme = "parquet" if connection.scheme == "file" and _has_parquet(Path(connection.path)) else connection.scheme
    extra, libraries = EXTRAS.get(scheme, ("", ()))
    if missing := [library for library in libraries if find_spec(library) is None]:
        yield Finding(
            "library-missing",
            f"{variable} needs libraries that are not installed ({', '.join(missing)})",
            f"pip install 'jobstream[{extra}]'",
        )


def _has_parquet(folder: Path) -> bool:
    """Whether there is Parquet among the first files; a large lake is not searched through."""
    return any(file.suffix == ".parquet" for file in islice(folder.rglob("*"), FILES_LOOKED_AT))


async def _store(settings: StoreSettings) -> list[Finding]:
    try:
        if (url := settings.store_url or _embedded(settings.jobstream_data)) is None:
            return [NO_WORKER]  # any process starts the store
        async with connect(url, sealer=settings.sealer) as client:
            return [finding async for finding in _wrong_with(client, settings)]
    except StoreUnsuitable as error:
        return [_of("store-refused", error)]
    except JobError as error:
        return [_of("store-unreachable", error)]
    except ValueError:  # not repeated: it may quote a password
        return [Finding("store-url-malformed", "REDIS_URL is no URL of a store", "write it as .env.example has it")]


async def _wrong_with(client: Client, settings: StoreSettings) -> AsyncIterator[Finding]:
    if not settings.jobstream_allow_plain_redis and (finding := plain_way(client)):
        yield finding
        return
    if await unanswered(client):
        yield Finding("store-unreachable", "The store does not answer", "start it, or correct REDIS_URL")
        return
    facts = await client.info()
    for finding in unfit(facts, allow_volatile=settings.jobstream_allow_volatile):
        yield finding
    if facts.get("cluster_enabled"):
        return  # it may not even have a place for our keys
    if not writable(facts):
        yield Finding("store-full", "The store takes no jobs just now, being full", "free its memory or its disk")
    async for finding in _wrong_between(client):
        yield finding


async def _wrong_between(client: Client) -> AsyncIterator[Finding]:
    """What does not fit between the store and us."""
    try:
        await check_seal(client)
    except StoreUnsuitable as error:
        yield _of("encryption-key-other", error)
    before = time.time()
    seconds, microseconds = await client.time()
    skew = seconds + microseconds / 1e6 - (before + time.time()) / 2
    if abs(skew) > MOST_SKEW_SECONDS:
        detail = f"The store's clock and this machine's are {abs(skew):.0f} s apart"
        yield Finding("clock-skew", detail, "set both by NTP")
    if not await Roll(client).living():
        yield NO_WORKER


def _embedded(folder: Path) -> str | None:
    """Where the embedded store listens; None where it does not run. Nothing is started, and nothing made."""
    server_binary()
    if not (folder / "valkey.sock").exists() and not (folder / "socket-folder").is_symlink():
        return None
    return EmbeddedStore(folder.resolve()).url


def _of(code: str, error: StoreUnsuitable | StoreUnavailable | JobError) -> Finding:
    """A refusal, whose sentence has its mend behind a colon."""
    detail, _, mend = error.detail.rstrip(".").partition(": ")
    return Finding(code, detail, mend or "see docs/PROTOCOL.md, section 9")


if __name__ == "__main__":
    checkup(StoreSettings, look)
