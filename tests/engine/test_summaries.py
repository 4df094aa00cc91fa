"""Sessions and trees that are summarised: what is asked of a provider, and what is not."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

import orjson
import pytest

from jobs.catalog import SCHEDULES
from jobs.connection import Client
from jobs.kind import Question
from jobs.kinds import EVERY_KIND, KINDS
from jobs.kinds.condensing import MOST_CHARACTERS, split
from jobs.kinds.summarize_session import SUMMARIZE_SESSION
from jobs.kinds.summarize_stale import BATCH
from jobs.kinds.summarize_tree import SUMMARIZE_TREE
from jobs.model import JobId, JsonObject
from jobs.sessions import Sessions
from jobs.summaries import Order, Summaries
from jobs.summarized import leaves_hash
from tests.engine.conftest import Engine
from tests.engine.test_schedules import job_ids, looked_last
from workers.provider import Finish, Piece, ProviderError, Text

ONE = "one"
LONG = "words and " * 20_000


@dataclass
class Recorder:
    """A provider that remembers what it was asked, and answers with how often that was; `before` may meddle."""

    name: str = "recorder"
    default_model: str = "model-1"
    asked: list[str] = field(default_factory=list)
    before: Callable[[str], Awaitable[None]] | None = None

    async def stream(self, question: Question) -> AsyncGenerator[Piece, None]:
        text = question.turns[-1].content
        self.asked.append(text)
        if self.before is not None:
            await self.before(text)
        yield Text("Summary ")
        yield Text(f"{len(self.asked)}.")
        yield Finish(self.default_model, 1, 2)


@dataclass
class Desk:
    """An engine that knows the kinds of summaries, a provider, and the sessions of its store."""

    engine: Engine
    provider: Recorder

    def __post_init__(self) -> None:
        self.engine.know(*EVERY_KIND.values())
        self.engine.providers["recorder"] = self.provider
        self.sessions = Sessions(self.engine.client)
        self.summaries = Summaries(self.engine.client)

    async def put(self, session_id: str, *contents: str, subject: str | None = ONE) -> None:
        messages = [{"role": "user", "content": content} for content in contents]
        await self.sessions.put(subject, session_id, orjson.dumps(messages))

    async def summarise(self, session_id: str) -> JsonObject:
        """The ended job that was submitted for it."""
        job_id = await self.engine.submit(SUMMARIZE_SESSION, {"session_id": session_id}, subject=ONE)
        return await self.engine.ended(job_id)

    async def summarise_tree(self, tree_id: str) -> JsonObject:
        job_id = await self.engine.submit(SUMMARIZE_TREE, {"tree_id": tree_id}, subject=ONE)
        return await self.engine.ended(job_id)

    async def triggered(self, session_id: str) -> JobId | None:
        return await self.summaries.of_session(await self.sessions.session(ONE, session_id), Order(ONE))

    async def jobs(self) -> list[str]:
        """The kind of every job that there is, in order."""
        return sorted([(await self.engine.snapshot(job_id))["kind"] for job_id in await job_ids(self.engine)])


@pytest.fixture
def desk(engine: Engine) -> Desk:
    return Desk(engine, Recorder())


async def test_a_session_is_summarised_once_for_what_it_holds(desk: Desk) -> None:
    """The summary streams as a part, is kept with its hash, and is told again without another question."""
    await desk.put("s", "Hello", "and goodbye")
    async with desk.engine.worker():
        first = await desk.summarise("s")
        again = await desk.summarise("s")

    kept = await desk.sessions.session(ONE, "s")
    assert kept.summary is not None
    assert first["result"] == {
        "summary": "Summary 1.",
        "summary_hash": kept.content_hash,
        "last_summarized_at": kept.summary.made_at,
        "skipped": False,
    }
    assert first["parts"]["summary"]["text"] == kept.summary.text == "Summary 1."
    assert again["result"] == first["result"] | {"skipped": True}
    assert desk.provider.asked == ["user: Hello\n\nuser: and goodbye"]


async def test_a_session_that_changes_while_it_is_summarised_is_summarised_again(desk: Desk) -> None:
    """The first summary has the hash of what was read, and the session stays stale."""

    async def meddle(_text: str) -> None:
        desk.provider.before = None
        await desk.put("s", "Goodbye")

    await desk.put("s", "Hello")
    desk.provider.before = meddle
    async with desk.engine.worker():
        first = await desk.summarise("s")
        assert (await desk.sessions.session(ONE, "s")).stale
        second = await desk.summarise("s")

    assert (first["result"]["skipped"], second["result"]["skipped"]) == (False, False)
    assert first["result"]["summary_hash"] != second["result"]["summary_hash"]
    assert desk.provider.asked == ["user: Hello", "user: Goodbye"]
    assert not (await desk.sessions.session(ONE, "s")).stale


async def test_a_long_session_is_read_in_stretches_and_none_of_them_twice(desk: Desk) -> None:
    """A later attempt goes on where the one before it failed; all of the text is asked about, in order."""

    async def fail_third(_text: str) -> None:
        if len(desk.provider.asked) == 3:
            desk.provider.before = None
            raise ProviderError("Not now.", retryable=False)

    await desk.put("s", LONG)
    desk.provider.before = fail_third
    async with desk.engine.worker():
        failed = await desk.summarise("s")
        await desk.engine.queue.retry(failed["id"])
        ended = await desk.engine.ended(failed["id"])

    stretches = split(f"user: {LONG}")
    assert len(stretches) == 3
    assert all(len(stretch) <= MOST_CHARACTERS for stretch in stretches)
    assert "".join(stretches) == f"user: {LONG}"
    notes = "Summary 1.\n\nSummary 2.\n\nSummary 4."
    assert desk.provider.asked == [*stretches, stretches[2], notes]
    assert ended["result"]["summary"] == "Summary 5."


async def test_what_was_said_of_other_content_is_not_taken_for_this(desk: Desk) -> None:
    """An attempt that finds the session changed begins from its first word."""

    async def change(_text: str) -> None:
        if len(desk.provider.asked) == 2:
            desk.provider.before = None
            await desk.put("s", LONG.upper())
            raise ProviderError("Not now.", retryable=False)

    await desk.put("s", LONG)
    desk.provider.before = change
    async with desk.engine.worker():
        failed = await desk.summarise("s")
        await desk.engine.queue.retry(failed["id"])
        await desk.engine.ended(failed["id"])

    assert desk.provider.asked[2:5] == split(f"user: {LONG.upper()}")
    assert not (await desk.sessions.session(ONE, "s")).stale


async def test_a_session_that_is_not_the_jobs_subjects_own_is_not_there(desk: Desk) -> None:
    """The job fails for good, as for one that never was, and nobody is asked."""
    await desk.put("s", "Mine.", subject="two")
    async with desk.engine.worker():
        foreign, unknown = await desk.summarise("s"), await desk.summarise("never")
        tree = await desk.summarise_tree("never")

    assert foreign["error"] == unknown["error"]
    assert [job["error"]["type"] for job in (foreign, tree)] == ["do-not-retry", "do-not-retry"]
    assert desk.provider.asked == []


async def test_a_tree_summarises_its_stale_sessions_and_then_itself(desk: Desk) -> None:
    """Nothing that is fresh is asked about; what did not change is skipped whole."""
    for name in ("a", "b", "c"):
        await desk.put(name, name)
    await desk.sessions.put_tree(ONE, "t", ["a", "b", "c", "not-there"])
    async with desk.engine.worker():
        await desk.summarise("a")
        first = await desk.summarise_tree("t")
        again = await desk.summarise_tree("t")
        await desk.put("b", "changed")
        third = await desk.summarise_tree("t")

    tree = await desk.sessions.tree(ONE, "t")
    assert tree.summary is not None
    hashes = [(leaf.session_id, leaf.content_hash) for leaf in tree.leaves]
    assert (tree.stale, tree.summary.content_hash) == (False, leaves_hash(hashes))
    told = {"high_level_summary": "Summary 4.", "sessions_summarized": 2, "skipped": False}
    assert {name: first["result"][name] for name in told} == told
    assert again["result"] == first["result"] | {"sessions_summarized": 0, "skipped": True}
    assert (third["result"]["sessions_summarized"], third["result"]["skipped"]) == (1, False)
    assert sorted(desk.provider.asked[1:3]) == ["user: b", "user: c"]
    assert len(desk.provider.asked) == 6
    assert await desk.jobs() == ["summarize-session"] * 4 + ["summarize-tree"] * 3


async def test_a_tree_goes_on_without_a_session_that_cannot_be_summarised_and_stays_stale(desk: Desk) -> None:
    """Its summary is of the others; one that has none of them fails."""

    async def refuse(text: str) -> None:
        if text == "user: bad":
            raise ProviderError("No.", retryable=False)

    await desk.put("bad", "bad")
    await desk.put("good", "good")
    await desk.sessions.put_tree(ONE, "both", ["bad", "good"])
    await desk.sessions.put_tree(ONE, "alone", ["bad"])
    desk.provider.before = refuse
    async with desk.engine.worker():
        both, alone = await desk.summarise_tree("both"), await desk.summarise_tree("alone")

    assert (both["state"], both["result"]["sessions_summarized"]) == ("completed", 1)
    assert alone["error"]["type"] == "do-not-retry"
    assert [(await desk.sessions.tree(ONE, name)).stale for name in ("both", "alone")] == [True, True]


async def test_a_tree_without_sessions_has_nothing_to_tell(desk: Desk) -> None:
    """It is no failure, and it is looked at no more."""
    await desk.sessions.put_tree(ONE, "t", ["not-there"])
    async with desk.engine.worker():
        ended = await desk.summarise_tree("t")

    assert ended["result"] == {
        "high_level_summary": None,
        "high_level_summary_hash": None,
        "sessions_summarized": 0,
        "skipped": True,
    }
    assert (await desk.sessions.stale("tree", after=0, until=await desk.sessions.now(), most=9)).items == ()


# Once for what it holds


async def test_what_is_asked_for_by_many_is_one_job(desk: Desk) -> None:
    """While it goes on, and after; nothing is started for what is not stale."""
    await desk.put("s", "Hello")
    started = await asyncio.gather(*(desk.triggered("s") for _ in range(8)))
    async with desk.engine.worker():
        assert started[0] is not None
        await desk.engine.ended(started[0])

    assert len(set(started)) == 1
    assert await desk.triggered("s") is None
    assert len(desk.provider.asked) == 1


async def test_what_several_jobs_are_to_summarise_is_asked_about_once(desk: Desk) -> None:
    """Whichever way they were started; each ends with the one summary."""
    for name in ("a", "b"):
        await desk.put(name, name)
    for tree in ("t", "u"):
        await desk.sessions.put_tree(ONE, tree, ["a", "b"])
    jobs = [(SUMMARIZE_SESSION, {"session_id": "a"})] * 2 + [(SUMMARIZE_TREE, {"tree_id": name}) for name in "tut"]
    job_ids = [await desk.engine.submit(kind, given, subject=ONE) for kind, given in jobs]
    async with desk.engine.worker(), desk.engine.worker():
        ended = [await desk.engine.ended(job_id) for job_id in job_ids]

    assert [job["state"] for job in ended] == ["completed"] * 5
    assert ended[0]["result"]["summary"] == ended[1]["result"]["summary"]
    assert ended[2]["result"]["high_level_summary"] == ended[4]["result"]["high_level_summary"]
    assert sorted(desk.provider.asked)[2:] == ["user: a", "user: b"]
    assert len(desk.provider.asked) == 4


async def test_a_job_that_ended_without_its_summary_leaves_it_to_the_next(desk: Desk) -> None:
    """Nobody waits for it."""

    async def refuse(_text: str) -> None:
        desk.provider.before = None
        raise ProviderError("No.", retryable=False)

    await desk.put("s", "Hello")
    desk.provider.before = refuse
    async with desk.engine.worker():
        failed = await desk.summarise("s")
        ended = await desk.summarise("s")

    assert (failed["state"], ended["state"]) == ("failed", "completed")
    assert "behind.0" not in [step["name"] for step in ended["steps"]]


async def test_a_summary_that_failed_is_asked_for_again_in_the_same_job(desk: Desk) -> None:
    """By whoever triggers it next, and not later: its key doesn't block what it didn't do."""

    async def refuse(_text: str) -> None:
        desk.provider.before = None
        raise ProviderError("No.", retryable=False)

    await desk.put("s", "Hello")
    desk.provider.before = refuse
    async with desk.engine.worker():
        first = await desk.triggered("s")
        assert first is not None
        assert (await desk.engine.ended(first))["state"] == "failed"

        again = await asyncio.gather(*(desk.triggered("s") for _ in range(4)))
        ended = await desk.engine.ended(first)

    assert set(again) == {first}
    assert (ended["state"], ended["run"], len(desk.provider.asked)) == ("completed", 2, 2)


async def test_content_that_comes_back_is_summarised_again(desk: Desk) -> None:
    """The job that had summarised it before has completed, and does not stand in the way."""
    jobs = []
    async with desk.engine.worker():
        for content in ("Hello", "Goodbye") * 3:
            await desk.put("s", content)
            job_id = await desk.triggered("s")
            assert job_id is not None
            jobs.append(job_id)
            await desk.engine.ended(job_id)
            assert not (await desk.sessions.session(ONE, "s")).stale

    assert len(set(jobs)) == len(desk.provider.asked) == 6


async def test_a_session_of_a_fresh_tree_is_summarised_where_its_content_came_back(desk: Desk) -> None:
    """The tree's summary is of that content, the session's of what was there in between."""
    await desk.put("s", "Hello")
    await desk.sessions.put_tree(ONE, "t", ["s"])
    async with desk.engine.worker():
        await desk.summarise_tree("t")
        await desk.put("s", "Goodbye")
        await desk.summarise("s")
        await desk.put("s", "Hello")
        tree = await desk.sessions.tree(ONE, "t")
        assert (tree.stale, tree.stale_sessions) == (False, ["s"])
        job_id = await desk.summaries.of_tree(tree, Order(ONE))
        assert job_id is not None
        await desk.engine.ended(job_id)

    tree = await desk.sessions.tree(ONE, "t")
    assert tree.stale_sessions == []
    assert await desk.summaries.of_tree(tree, Order(ONE)) is None


# Every night


@pytest.fixture
async def nightly(desk: Desk) -> Desk:
    """It is past the slot, and nobody has looked since before it."""
    desk.engine.schedules.extend(SCHEDULES)
    await looked_last(desk.engine, SCHEDULES[0], timedelta(days=1))
    return desk


async def night(desk: Desk) -> JsonObject:
    """The ended job of the night."""
    async with asyncio.timeout(60):
        while True:
            for job_id in await job_ids(desk.engine):
                if (await desk.engine.snapshot(job_id))["kind"] == "summarize-stale":
                    return await desk.engine.ended(job_id)
            await asyncio.sleep(0.01)


def test_the_night_begins_at_three_o_clock_utc() -> None:
    (schedule,) = SCHEDULES

    assert (schedule.kind.name, schedule.weekday, schedule.hour, schedule.minute) == ("summarize-stale", None, 3, 0)


async def test_two_workers_summarise_all_that_is_stale_once_a_night(nightly: Desk) -> None:
    """Of every subject and of none, in jobs of their own; what is fresh is left alone, and nothing is left over."""
    owners = {"a": ONE, "b": "two", "c": None}
    for name, subject in owners.items():
        await nightly.put(name, name, subject=subject)
        await nightly.sessions.put_tree(subject, f"tree-{name}", [name])
    await nightly.put("fresh", "fresh")
    fresh = await nightly.sessions.session(ONE, "fresh")
    await nightly.sessions.keep_summary(ONE, "fresh", fresh.content_hash, "Known.")
    async with nightly.engine.worker(), nightly.engine.worker():
        ended = await night(nightly)

    assert ended["result"] == {
        "sessions": {"completed": 3, "failed": 0},
        "trees": {"completed": 3, "failed": 0},
    }
    assert sorted(nightly.provider.asked[:3]) == ["user: a", "user: b", "user: c"]
    assert len(nightly.provider.asked) == 6
    assert (await nightly.jobs()).count("summarize-stale") == 1
    for name, subject in owners.items():
        assert not (await nightly.sessions.tree(subject, f"tree-{name}")).stale


async def test_a_night_goes_on_batch_by_batch(nightly: Desk) -> None:
    """More than one batch of sessions, each summarised once."""
    for number in range(BATCH + 10):
        await nightly.put(f"s{number}", str(number))
    async with nightly.engine.worker(slots=50):
        ended = await night(nightly)

    assert ended["result"]["sessions"] == {"completed": BATCH + 10, "failed": 0}
    assert sorted(nightly.provider.asked) == sorted(f"user: {number}" for number in range(BATCH + 10))
    assert (await nightly.jobs()).count("summarize-batch") == 3


async def test_a_night_in_which_nothing_works_ends_with_its_first_batch(nightly: Desk) -> None:
    """What is stale stays so for the next one, which begins with what this one did not come to."""

    async def refuse(_text: str) -> None:
        raise ProviderError("No.", retryable=False)

    nightly.provider.before = refuse
    for number in range(BATCH + 10):
        await nightly.put(f"s{number}", str(number))
    async with nightly.engine.worker(slots=50):
        ended = await night(nightly)

    assert ended["result"]["sessions"] == {"completed": 0, "failed": BATCH}
    assert len(nightly.provider.asked) == BATCH
    found = await nightly.sessions.stale("session", after=0, until=await nightly.sessions.now(), most=1000)
    assert [each.id for each in found.items][:10] == [f"s{BATCH + number}" for number in range(10)]
    assert len(found.items) == BATCH + 10


async def test_the_night_keeps_nothing_of_what_it_had_made(nightly: Desk) -> None:
    """Once a subject is forgotten, no key holds its words or what was said of them."""
    await nightly.put("s", "the secret garden")
    async with nightly.engine.worker():
        await night(nightly)
        await nightly.engine.queue.forget_subject(ONE)
        await nightly.sessions.forget_subject(ONE)

    client = nightly.engine.client
    everything = {name: await contents(client, name.decode()) async for name in client.scan_iter()}
    assert [name for name, held in everything.items() if "garden" in held or "Summary 1" in held] == []


async def contents(client: Client, name: str) -> str:
    """What the key holds."""
    match await client.type(name):
        case b"string":
            return repr(await client.get(name))
        case b"hash":
            return repr(await client.hgetall(name))  # type: ignore[misc]
        case b"list":
            return repr(await client.lrange(name, 0, -1))  # type: ignore[misc]
        case b"set":
            return repr(await client.smembers(name))  # type: ignore[misc]
        case b"zset":
            return repr(await client.zrange(name, 0, -1))
        case b"stream":
            return repr(await client.xrange(name))
    raise AssertionError(name)


def test_no_client_may_start_the_night() -> None:
    """The API doesn't know the kinds that act for every subject."""
    assert EVERY_KIND.keys() - KINDS.keys() == {"summarize-stale", "summarize-batch"}
