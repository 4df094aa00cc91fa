"""What must hold of every acknowledged job, whatever happened to its workers and its store."""

from collections import Counter
from collections.abc import Awaitable, Iterable, Iterator
from contextlib import suppress
from itertools import pairwise
from typing import cast

import orjson

from jobs import keys
from jobs.connection import store_faults
from jobs.errors import JobNotFound
from jobs.kind import answer_step
from jobs.model import FOLLOWERS, JobId, JsonObject, State
from jobs.updates import Cursor, Entry, fold, utf16_length
from tests.chaos.arena import Arena
from tests.jobs.patience import until

STANDING = {keys.QUEUE, keys.LEASED, keys.SCHEDULED, keys.TRIMS, keys.DEAD_LETTERS, keys.ENDED, keys.COUNTS}
"""Keys that belong to no job: what they hold leaves them one by one, or is a count."""

POISONED = 3
SETTLED_SECONDS = 20.0

HELD = (keys.ARQ_IN_PROGRESS, keys.ARQ_JOB, keys.SLOTS, f"{keys.PARKED}?", keys.HELD, keys.ACTIVE, keys.OUTBOX)
"""How the keys begin that are there only while some job is not over."""


async def broken_promises(arena: Arena, job_ids: Iterable[JobId], *, forgetful: bool = False) -> list[str]:
    """Every way in which one of these jobs is not as an ended job must be; empty is good. A `forgetful` store may
    have lost what the witness still remembers."""
    found: list[str] = []
    for job_id in job_ids:
        acts = [] if forgetful else arena.witness.acts(job_id)
        found += [f"{job_id}: {broken}" for broken in await _broken_of(arena, job_id, acts)]
    return found


async def leftovers(arena: Arena) -> list[str]:
    """What is still held for jobs though all of them have ended, and keys that would stay for ever."""
    held = [name for start in HELD for name in await _names(arena, f"{start}*")]
    queued = [
        job_id.decode() for name in (keys.QUEUE, keys.LEASED) for job_id in await arena.client.zrange(name, 0, -1)
    ]
    eternal = [
        name for name in await _names(arena, "*") if name not in STANDING and await arena.client.pttl(name) == -1
    ]
    counted = [name.decode() for name, count in (await _counts(arena)).items() if name != b"changes" and int(count)]
    return [
        *held,
        *(f"{job_id} is queued" for job_id in queued),
        *(f"{name} never expires" for name in eternal),
        *(f"{name} is still counted" for name in counted),
    ]


async def _counts(arena: Arena) -> dict[bytes, bytes]:
    """How many jobs of each kind are said to be in each state."""
    return await cast("Awaitable[dict[bytes, bytes]]", arena.client.hgetall(keys.COUNTS))


async def lasting_leftovers(arena: Arena) -> list[str]:
    """What is still left over when nobody does anything any more."""

    async def none() -> bool:
        return await leftovers(arena) == []

    with suppress(TimeoutError):
        await until(none, seconds=SETTLED_SECONDS)
    return await leftovers(arena)


async def _broken_of(arena: Arena, job_id: JobId, acts: list[str]) -> list[str]:
    try:
        story = await arena.log.story(job_id)
    except JobNotFound:
        return ["lost"]
    if not story.state.terminal:
        return [f"still {story.state}"]
    entries = await entries_of(arena, job_id)
    broken = [*_of_log(entries, story.cursor), *_of_steps(entries)]
    if entries and entries[0].seq == 1:
        broken += [
            *_of_acts(entries, acts),
            *_of_states(entries),
            *_of_poison(entries),
            *_of_fold(entries, story.snapshot),
        ]
    return broken


async def entries_of(arena: Arena, job_id: JobId) -> list[Entry]:
    """Everything that the job's log holds."""
    with store_faults():
        rows = await arena.client.xrange(f"{keys.PREFIX}{job_id}:log")
    return [Entry(cursor, held[b"event"].decode(), int(held[b"total"]), held[b"body"]) for cursor, held in rows]


def _of_log(entries: list[Entry], newest: Cursor) -> Iterator[str]:
    """Numbers without a gap; one end for each run, and nothing of the run after it."""
    if not entries or entries[-1].cursor != newest:
        yield "its log does not end where its snapshot does"
        return
    seqs = [entry.seq for entry in entries]
    if seqs != list(range(seqs[0], seqs[0] + len(seqs))):
        yield f"its numbers are {seqs}"
    if not entries[-1].last:
        yield f"its last update is {entries[-1].event}"
    for entry, following in pairwise(entries):
        if entry.last and not _begins_a_run(following):
            yield f"{following.event} follows the end"


def _begins_a_run(entry: Entry) -> bool:
    return entry.event == "state" and orjson.loads(entry.body)["state"] == "queued"


def _of_states(entries: list[Entry]) -> Iterator[str]:
    """Each state may follow the one before."""
    states = [State(orjson.loads(entry.body)["state"]) for entry in entries if entry.event in {"state", "end"}]
    for before, after in pairwise(states):
        if after not in FOLLOWERS[before]:
            yield f"{after} follows {before}"


def _of_steps(entries: list[Entry]) -> Iterator[str]:
    """A step runs once for each worker that has its job, and never again while it is kept."""
    completed: set[str] = set()
    running: set[str] = set()
    for event, data in ((entry.event, orjson.loads(entry.body)) for entry in entries):
        if event == "state" and data["state"] == "running":
            running.clear()
        elif event == "state" and data.get("from") == "start":
            completed.clear()
        elif event == "part" and data.get("state") == "pending":  # a retry by hand asks for it again
            completed.discard(answer_step(data["part"]))
        elif event == "step" and data["state"] == "completed":
            completed.add(data["name"])
        elif event == "step" and data["state"] == "running":
            if data["name"] in completed | running:
                yield f"{data['name']} was begun again"
            running.add(data["name"])


def _of_acts(entries: list[Entry], acts: list[str]) -> Iterator[str]:
    """No step ran unsaid."""
    steps = [orjson.loads(entry.body) for entry in entries if entry.event == "step"]
    begun = Counter(step["name"] for step in steps if step["state"] == "running")
    for act, times in Counter(acts).items():
        if act in begun and times > begun[act]:
            yield f"{act} ran {times} times, and its log knows of {begun[act]}"


def _of_poison(entries: list[Entry]) -> Iterator[str]:
    """Poison is what three workers in a row were lost with, nothing kept in between."""
    lost = 0
    for event, data in ((entry.event, orjson.loads(entry.body)) for entry in entries):
        if event == "state" and data["state"] == "running":
            lost += 1
        elif (event == "state" and data["state"] in {"waiting", "retrying"}) or (
            event == "step" and data["state"] == "completed"
        ):
            lost = 0
        elif event == "end" and (data["error"] or {}).get("type") == "poison" and lost < POISONED:
            yield f"it was called poison after {lost} workers"


def _of_fold(entries: list[Entry], snapshot: JsonObject) -> Iterator[str]:
    """Who hears every update has in the end what polling returns; no word is missing on the way."""
    folded = _unborn(snapshot)
    for entry in entries:
        data = orjson.loads(entry.body)
        if entry.event == "delta" and data["at"] != utf16_length(folded["parts"][data["part"]]["text"]):
            yield f"words are missing before {entry.cursor}"
        folded = fold(folded, entry.event, data, entry.cursor)
    differing = [name for name in snapshot if folded[name] != snapshot[name]]
    if differing:
        yield f"folded and polled differ in {differing}"


def _unborn(snapshot: JsonObject) -> JsonObject:
    """The snapshot before the job's first update."""
    unset = dict.fromkeys(("started_at", "finished_at", "expires_at", "next_attempt_at", "result", "error"))
    return {**snapshot, **unset, "run": 1, "attempt": 0, "progress": {}, "parts": {}, "steps": []}


async def _names(arena: Arena, pattern: str) -> list[str]:
    return [name.decode() async for name in arena.client.scan_iter(pattern, count=1000)]
