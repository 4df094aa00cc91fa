"""What a store holds, value by value, whichever type its key has; and the way to put another value in its place."""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, cast

from jobs import keys
from jobs.connection import Client
from jobs.encryption import SEALED
from jobs.model import JobId


@dataclass(frozen=True)
class Holding:
    """One value of one job, and where it is held; `place` is the same for the same value of another job."""

    place: tuple[str, str, str]
    value: bytes

    @property
    def sealed(self) -> bool:
        """Whether something in it is."""
        return SEALED in self.value


async def holdings(client: Client, job_id: JobId) -> list[Holding]:
    """Every value that is held of the job."""
    found = []
    async for name in client.scan_iter(f"{keys.PREFIX}{job_id}:*"):
        what = name.decode().removeprefix(f"{keys.PREFIX}{job_id}:")
        kind = (await client.type(name)).decode()
        found += [Holding((kind, what, at), value) for at, value in await _values(client, name.decode(), kind)]
    return found


async def replace(client: Client, job_id: JobId, holding: Holding, value: bytes) -> None:
    """Put the value where the other one was; an entry of the log keeps its number."""
    kind, what, at = holding.place
    name = f"{keys.PREFIX}{job_id}:{what}"
    match kind:
        case "string":
            await client.set(name, value, keepttl=True)
        case "list":
            await cast("Awaitable[str]", client.lset(name, int(at), value))  # type: ignore[arg-type]
        case "hash":
            await cast("Awaitable[int]", client.hset(name, at, value))  # type: ignore[arg-type]
        case "stream":
            rows: list[Any] = await client.xrange(name)
            await client.delete(name)
            for index, (cursor, fields) in enumerate(rows):
                await client.xadd(name, {**fields, b"body": value} if index == int(at) else fields, id=cursor)


async def everything(client: Client) -> bytes:
    """All that the store holds, whatever it belongs to; names of keys, too."""
    held = []
    async for name in client.scan_iter():
        kind = (await client.type(name)).decode()
        held += [name, *[at.encode() + b" " + value for at, value in await _values(client, name.decode(), kind)]]
    return b"\n".join(held)


async def _values(client: Client, name: str, kind: str) -> list[tuple[str, bytes]]:
    held: Any
    match kind:
        case "string":
            return [("", await client.get(name))]
        case "hash":
            held = await cast("Awaitable[Any]", client.hgetall(name))
            return [(field.decode(), value) for field, value in held.items()]
        case "list":
            held = await cast("Awaitable[Any]", client.lrange(name, 0, -1))
        case "stream":
            held = [fields[b"body"] for _, fields in await client.xrange(name)]
        case "set":
            held = await cast("Awaitable[Any]", client.smembers(name))
        case _:
            held = await client.zrange(name, 0, -1)
    return [(str(index), value) for index, value in enumerate(held)]
