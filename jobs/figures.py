"""How much there is of everything in a store, at one moment."""

import json
from dataclasses import dataclass

from jobs import keys
from jobs.connection import Client, store_faults
from jobs.roll import Roll


@dataclass(frozen=True)
class Figures:
    """What one store holds. `waiting` are due, `scheduled` are not yet, `parked` wait for a place of their kind;
    `ended` counts since the store began, by kind and state; memory is bytes."""

    waiting: int
    scheduled: int
    parked: int
    dead_letters: int
    workers: int
    slots: int
    running: int
    ended: dict[tuple[str, str], int]
    memory: int
    most_memory: int


async def figures(client: Client) -> Figures:
    """The store's figures; StoreUnavailable while it does not answer."""
    roll = Roll(client)
    names = await roll.names()
    with store_faults():
        now_us = await client.now_us()
        scopes = [scope.decode() for scope in await client.smembers(keys.PARKED)]  # type: ignore[misc]
        async with client.pipeline(transaction=False) as pipe:
            pipe.zcount(keys.QUEUE, "-inf", now_us // 1000)
            pipe.zcard(keys.SCHEDULED)
            pipe.zcard(keys.DEAD_LETTERS)
            pipe.hgetall(keys.ENDED)
            pipe.info("memory")
            for scope in scopes:
                pipe.zcard(keys.PARKED + scope)
            for name in names:
                pipe.get(keys.worker(name))
            waiting, scheduled, dead, ended, memory, *more = await pipe.execute()
    facts = [json.loads(each) for each in more[len(scopes) :] if each is not None]
    return Figures(
        waiting=waiting,
        scheduled=scheduled,
        parked=sum(more[: len(scopes)]),
        dead_letters=dead,
        workers=len(names),
        slots=sum(each["slots"] for each in facts),
        running=sum(each["running"] for each in facts),
        ended={kind_and_state(name.decode()): int(count) for name, count in ended.items()},
        memory=memory["used_memory"],
        most_memory=memory["maxmemory"],
    )


def kind_and_state(name: str) -> tuple[str, str]:
    """What a counter of the store counts, by its name there."""
    kind, _, state = name.partition(" ")
    return kind, state
