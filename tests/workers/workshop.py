"""Jobs of a test's own kinds, run attempt by attempt: what a worker does, without its loop."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import JsonValue

from jobs.conversations import Conversations
from jobs.kind import AnyKind, Call, Kind, Question, Run
from jobs.model import JobId, JsonObject
from jobs.rejects import Rejects
from jobs.sessions import Sessions
from jobs.updates import sha256
from tests.jobs.doors import Doors, Nothing
from workers.provider import Finish, Piece, Text
from workers.run import Tools
from workers.runner import Runner, Running

Perform = Callable[[Run, Nothing], Awaitable[JsonValue]]


@dataclass
class Scripted:
    """A provider that gives, each time it is asked, the next of its answers: pieces of text, calls, or faults. It
    remembers what it was asked."""

    answers: list[list[str | Call | Exception]]
    name: str = "scripted"
    default_model: str = "model-1"
    asked: list[Question] = field(default_factory=list)

    async def stream(self, question: Question) -> AsyncGenerator[Piece, None]:
        """The next answer."""
        self.asked.append(question)
        pieces = self.answers.pop(0)
        for piece in pieces:
            if isinstance(piece, Exception):
                raise piece
            if isinstance(piece, str):
                yield Text(piece)
        yield Finish(self.default_model, 1, 2, tuple(piece for piece in pieces if isinstance(piece, Call)))


@dataclass
class Workshop:
    """Where one job at a time is submitted, claimed and run."""

    doors: Doors
    providers: dict[str, Scripted] = field(default_factory=dict)
    kinds: dict[str, AnyKind] = field(default_factory=dict)
    _claims: int = 0

    async def submit(self, perform: Perform, **bounds: Any) -> JobId:
        """A job that does this."""
        kind = Kind(name=f"kind-{len(self.kinds)}", input=Nothing, perform=perform, summary="A test's.", **bounds)
        self.kinds[kind.name] = kind
        return await self.doors.submit(kind)

    async def claim(self) -> Running:
        """The job that is due, held by a worker of its own."""
        self._claims += 1
        (claim,) = await self.doors.claim(f"worker-{self._claims}", kinds=[*self.kinds.values()])
        return Running(claim)

    async def run(self, running: Running) -> JsonObject:
        """The job's snapshot once its attempt is settled."""
        doors, conversations, sessions = self.doors, Conversations(self.doors.client), Sessions(self.doors.client)
        tools = Tools(
            doors.log,
            doors.queue,
            self.kinds,
            self.providers,
            lambda *_: None,
            conversations,
            sessions,
            Rejects(doors.client),
        )
        await Runner(self.kinds, tools, self.doors.leases).run(running)
        return await self.doors.snapshot(running.claim.job_id)

    async def attempt(self) -> JsonObject:
        """The due job's snapshot after its next attempt."""
        return await self.run(await self.claim())

    async def next_attempt(self, job_id: JobId) -> JsonObject:
        """Its snapshot after the attempt that it waits for, without the wait."""
        await self.doors.fall_due(job_id)
        return await self.attempt()


def texts(updates: list[tuple[str, JsonObject]], part: str) -> list[str]:
    """The part's text as each of its starts left it; every delta must fit what came before."""
    starts: list[str] = []
    for event, data in updates:
        if data.get("part") != part:
            continue
        if event == "part" and "text" in data:
            starts.append(data["text"])
        if event == "delta":
            assert data["at"] == len(starts[-1].encode("utf-16-le")) // 2
            starts[-1] += data["text"]
        if event == "part" and data.get("sha256"):
            assert data["sha256"] == sha256(starts[-1])
    return starts
