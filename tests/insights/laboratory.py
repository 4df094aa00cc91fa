"""Where insights are generated attempt by attempt: what a worker does, without its loop and without its waits."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Any

from jobs.conversations import Conversations
from jobs.kind import Call, Question
from jobs.kinds import KINDS
from jobs.kinds.generate_insights import GENERATE_INSIGHTS
from jobs.model import JobId, JsonObject
from jobs.queue import Submission
from jobs.records.connections import Connections
from jobs.rejects import Rejects
from jobs.sessions import Sessions
from tests.jobs.doors import Doors
from workers.provider import Finish, Piece, Text
from workers.run import Tools
from workers.runner import Runner, Running

FINDINGS = '{"summary": "All is well.", "findings": []}'

Said = str | Exception | Sequence[Call]


@dataclass
class Analyst:
    """A provider that says, each time it is asked, the next thing: words, calls of tools, or why it can't."""

    said: list[Said]
    name: str = "openai"
    default_model: str = "model-1"
    asked: list[Question] = field(default_factory=list)

    async def stream(self, question: Question) -> AsyncGenerator[Piece, None]:
        """The next thing."""
        self.asked.append(question)
        said = self.said.pop(0)
        if isinstance(said, Exception):
            raise said
        if isinstance(said, str):
            yield Text(said)
        yield Finish(self.default_model, 1, 2, calls=() if isinstance(said, str) else tuple(said))


@dataclass
class Laboratory:
    """One job at a time: submitted, claimed and run."""

    doors: Doors
    connections: Connections = field(default_factory=dict)
    _claims: int = 0

    async def submit(self, given: JsonObject, *, subject: str | None = None) -> JobId:
        """The job that an input makes."""
        checked = GENERATE_INSIGHTS.input.model_validate({"system_id": "battery-1", **given})
        kept = checked.model_dump(mode="json", exclude_unset=True)
        return (await self.doors.queue.submit(Submission(kind=GENERATE_INSIGHTS, input=kept, subject=subject))).job_id

    async def attempt(self, analyst: Analyst) -> JsonObject:
        """The due job's snapshot after its next attempt."""
        self._claims += 1
        (claim,) = await self.doors.claim(f"worker-{self._claims}", kinds=[GENERATE_INSIGHTS])
        client = self.doors.client
        known: Any = {analyst.name: analyst}
        tools = Tools(
            self.doors.log,
            self.doors.queue,
            KINDS,
            known,
            lambda *_: None,
            Conversations(client),
            Sessions(client),
            Rejects(client),
            connections=self.connections,
        )
        await Runner(KINDS, tools, self.doors.leases).run(Running(claim))
        return await self.doors.snapshot(claim.job_id)

    async def next_attempt(self, job_id: JobId, analyst: Analyst) -> JsonObject:
        """Its snapshot after the attempt that it waits for, without the wait."""
        await self.doors.fall_due(job_id)
        return await self.attempt(analyst)


def looking(tool: str, **arguments: Any) -> list[Call]:
    """A call of one tool."""
    return [Call(f"call-{tool}", tool, arguments)]
