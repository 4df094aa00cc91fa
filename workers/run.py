"""What a running job may do: the Run that is handed to its kind."""

import hashlib
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import TypeVar

import orjson
import structlog
from opentelemetry.trace import Tracer
from pydantic import JsonValue

from jobs import clock
from jobs.clock import MICROSECONDS
from jobs.conversations import Conversations
from jobs.errors import AnswerFailed, Corrupt, DoNotRetry, JobNotFound, ResultTooLarge, StepRepeated
from jobs.events import Event, EventId, outgoing
from jobs.kind import Answer, AnyKind, Child, ChildEnd, Image, Kept, Question, answer_step
from jobs.leases import Claim
from jobs.log import Line, Log
from jobs.measurements.rows import Measurements
from jobs.model import JobId, JsonObject, State, known, whole
from jobs.queue import Queue, Submission
from jobs.records.connections import Connections
from jobs.rejects import Rejects
from jobs.sessions import Sessions
from jobs.traces import UNTRACED
from jobs.updates import Progressed, StepChanged, encode, json_line, one_line
from workers import spans
from workers.asking import Asking
from workers.conversations import JobConversations
from workers.copying import JobCopying
from workers.lake import Lake
from workers.outcomes import Suspension
from workers.part import PartWriter
from workers.provider import Pricing, Provider
from workers.sessions import JobSessions
from workers.tries import tried
from workers.witness import Unwatched, Witness
from workers.writer import Writer, patiently

Result = TypeVar("Result")

log = structlog.get_logger(__name__)

STEP_RESULT_LIMIT = 4 * 1024 * 1024

_NOT_IN_NAMES = frozenset(',"\\')  # the store keeps names in lists, and writes parts' into JSON


@dataclass(frozen=True)
class Tools:
    """What a worker lends to the jobs that it runs."""

    log: Log
    queue: Queue
    kinds: Mapping[str, AnyKind]
    providers: Mapping[str, Provider]
    price: Pricing
    conversations: Conversations
    sessions: Sessions
    rejects: Rejects
    connections: Connections = field(default_factory=dict)
    witness: Witness = field(default_factory=Unwatched)
    tracer: Tracer = UNTRACED


class JobRun:
    """One attempt of one claimed job, as its kind sees it (jobs.kind.Run)."""

    def __init__(self, claim: Claim, tools: Tools) -> None:
        self._claim = claim
        self._tools = tools
        self._steps: set[str] = set()
        self._parts: dict[str, PartWriter] = {}
        self._progress = dict(claim.progress)
        self.writer = Writer(tools.log, claim, tools.witness)

    @property
    def job_id(self) -> JobId:
        return self._claim.job_id

    @property
    def attempt(self) -> int:
        return self._claim.attempt

    @property
    def providers(self) -> Sequence[str]:
        return tuple(self._tools.providers)

    @property
    def conversations(self) -> JobConversations:
        return JobConversations(self._claim, self._tools.conversations)

    @property
    def sessions(self) -> JobSessions:
        return JobSessions(self._claim, self._tools.sessions)

    @property
    def copying(self) -> JobCopying:
        return JobCopying(self._tools.connections, self._tools.rejects, self._claim)

    async def input_of(self, job_id: str) -> JsonObject:
        earlier = partial(self._tools.queue.input_of, JobId(job_id), subject=self._claim.subject)
        return await patiently(earlier)

    async def measurements(self, system_id: str, *, days: float) -> Measurements:
        return await Lake(self._tools.connections).measurements(system_id, days=days)

    async def image(self) -> Image:
        return await patiently(partial(self._tools.queue.images.of, self.job_id, self._claim.subject))

    async def step(
        self,
        name: str,
        act: Callable[[], Awaitable[Kept]],
        *,
        tries: int = 1,
        timeout_seconds: float | None = None,
    ) -> Kept:
        """The result of `act`, kept; a name that this run used before is a StepRepeated."""
        self._enter(name)
        if name in self._claim.kept:
            result: Kept = self._kept(name, orjson.loads)
            return result
        started = clock.now()
        await self.writer.write(self._step_line(name, "running", started))
        with self._watched(name):
            try:
                result = await tried(act, tries=tries, timeout_seconds=timeout_seconds)
            except Exception:
                await self.writer.write(self._step_line(name, "failed", started, clock.now()))
                raise
            await self.writer.write(self.kept_line(name, started, result))
        return result

    async def sleep(self, name: str, seconds: float) -> None:
        """Suspends the job until it is time; the moment is kept, so that no later attempt sleeps longer."""
        self._enter(name)
        kept = self._kept(name, int) if name in self._claim.kept else None
        until_us = kept or self._claim.claimed_us + round(seconds * MICROSECONDS)
        started = clock.from_microseconds(self._claim.claimed_us)
        if kept is None:
            line = self._step_line(name, "running", started)
            await self.writer.write(
                Line("step", line.body, name=name, value=line.value, write="=", text=b"%d" % until_us)
            )
        if until_us > self._claim.claimed_us:
            raise Suspension(until_us)
        if kept is not None:
            await self.writer.write(self._step_line(name, "completed", started, clock.now()))

    async def children(self, name: str, children: Sequence[Child]) -> list[ChildEnd]:
        """Suspends the job while a child goes on; submitting them again finds the ones that are there."""
        self._enter(name)
        if name in self._claim.kept:
            return self._kept(name, lambda held: [known(ChildEnd, end) for end in orjson.loads(held)])
        started = clock.now()
        await self.writer.write(self._step_line(name, "running", started))
        with self._watched(name):
            return await self._joined(name, children, started)

    async def _joined(self, name: str, children: Sequence[Child], started: str) -> list[ChildEnd]:
        submitting = (partial(self._submit_child, name, at, child) for at, child in enumerate(children))
        job_ids = [await patiently(submit) for submit in submitting]
        ends = [
            await patiently(partial(self._child_end, job_id, told=child.told))
            for job_id, child in zip(job_ids, children, strict=True)
        ]
        if any(end is None for end in ends):
            raise Suspension(None)
        ended = [end for end in ends if end is not None]
        await self.writer.write(self.kept_line(name, started, [asdict(end) for end in ended]))
        return ended

    async def send(self, event: str, data: dict[str, JsonValue], *, name: str | None = None) -> str:
        """The event's id; it leaves by the outbox, in the same act that keeps the step."""
        name = name or f"send.{event}"
        self._enter(name)
        if name in self._claim.kept:
            sent_before: str = self._kept(name, orjson.loads)
            return sent_before
        event_id = hashlib.sha256(f"{self.job_id}:{self._claim.run}:{name}".encode()).hexdigest()[:40]
        sent = Event(
            event,
            data,
            subject=self._claim.subject,
            request_id=self._claim.request_id,
            depth=self._claim.depth + 1,
        )
        line = Line("send", value=outgoing(EventId(event_id), sent, self._tools.log.sealer))
        await self.writer.write(line, self.kept_line(name, clock.now(), event_id))
        return event_id

    async def progress(
        self,
        *,
        percent: float | None = None,
        message: str | None = None,
        counters: dict[str, int] | None = None,
        kept: bool = False,
    ) -> None:
        given = {"percent": percent, "message": whole(message) if message else message, **(counters or {})}
        changes = {name: value for name, value in given.items() if value is not None}
        self._progress |= changes
        body = encode(Progressed(**changes))
        value = one_line(orjson.dumps(self._progress))
        await self.writer.write(Line("progress", body, value=value, write="=" if kept else ""))

    async def ask(
        self,
        part: str,
        question: Question,
        *,
        name: str | None = None,
        growing: Callable[[str], JsonValue] | None = None,
    ) -> Answer:
        name = name or answer_step(part)
        self._enter(name)
        if name in self._claim.kept:
            return self._kept(name, Asking.answer)
        if self._claim.only and part not in self._claim.only:
            raise _unasked(self._claim.parts.get(part))
        started = clock.now()
        await self.writer.write(self._step_line(name, "running", started))
        provider = self._tools.providers.get(question.provider)
        asking = Asking(
            provider, self._tools.price, self._part(part), growing, self._tools.witness, self._tools.tracer
        )
        with self._watched(name), structlog.contextvars.bound_contextvars(part=part):
            return await asking.ask(
                question,
                kept=lambda answer: self.kept_line(name, started, answer),
                failed=lambda: self._step_line(name, "failed", started, clock.now()),
            )

    async def show(self, part: str, result: JsonValue) -> None:
        await self._part(part).show(result)

    def _part(self, name: str) -> PartWriter:
        if name not in self._parts:
            self._parts[name] = PartWriter(self.writer, name, self._claim.parts.get(name))
        return self._parts[name]

    def _kept(self, name: str, read: Callable[[bytes], Result]) -> Result:
        """What an earlier attempt kept under the name; Corrupt where no step can have kept that."""
        try:
            return read(self._claim.kept[name])
        except (ValueError, TypeError) as error:
            raise Corrupt(f"What step {name} kept cannot be read.") from error

    async def _submit_child(self, name: str, at: int, child: Child) -> JobId:
        kind = self._tools.kinds[child.kind]
        submitted = await self._tools.queue.submit(
            Submission(
                kind=kind,
                input=kind.input.model_validate(child.input).model_dump(mode="json", exclude_unset=True),
                subject=child.subject or self._claim.subject,
                idempotency_key=f"child:{self.job_id}:{self._claim.run}:{name}:{at}",
                request_id=self._claim.request_id,
                parent=self.job_id,
                depth=self._claim.depth + 1,
            )
        )
        return submitted.job_id

    async def _child_end(self, job_id: JobId, *, told: bool) -> ChildEnd | None:
        """How the child ended, None while it goes on; one that was deleted meanwhile counts as cancelled."""
        try:
            story = await self._tools.log.story(job_id)
        except JobNotFound:
            return ChildEnd(job_id, State.CANCELLED, None, None)
        if not story.state.terminal:
            return None
        if not told:
            return ChildEnd(job_id, story.state, None, None)
        return ChildEnd(job_id, story.state, story.snapshot["result"], story.snapshot["error"])

    def kept_line(self, name: str, started: str, result: JsonValue) -> Line:
        """A completed step with its result, written as one act; ResultTooLarge over the limit."""
        stored = json_line(result)
        if len(stored) > STEP_RESULT_LIMIT:
            raise ResultTooLarge(f"The result of step {name} is over {STEP_RESULT_LIMIT} bytes.")
        line = self._step_line(name, "completed", started, clock.now())
        return Line("step", line.body, name=name, value=line.value, write="=", text=stored)

    @contextmanager
    def _watched(self, name: str) -> Iterator[None]:
        """A step as those who watch see it: one that suspends its job has not ended."""
        began = time.monotonic()
        with spans.step(self._tools.tracer, name), structlog.contextvars.bound_contextvars(step=name):
            try:
                yield
            except Exception as error:
                self._tools.witness.stepped(self._claim, "failed")
                log.warning("step failed", error=type(error).__name__)
                raise
            log.info("step kept", seconds=round(time.monotonic() - began, 3))
        self._tools.witness.stepped(self._claim, "completed")

    def _enter(self, name: str) -> None:
        if not 1 <= len(name) <= 128 or not name.isprintable() or set(name) & _NOT_IN_NAMES:
            raise DoNotRetry(f"A step's name is 1 to 128 printable characters without , \" and \\, not {name!r}.")
        if name in self._steps:
            raise StepRepeated(f"Two steps are named {name!r}; a kept result must belong to one of them.")
        self._steps.add(name)

    def _step_line(self, name: str, state: str, started: str, finished: str | None = None) -> Line:
        step = StepChanged.model_validate(
            {
                "name": name,
                "state": state,
                "attempt": self._claim.attempt,
                "started_at": started,
                "finished_at": finished,
            }
        )
        body = encode(step)
        return Line("step", body, name=name, value=body)


def _unasked(part: JsonObject | None) -> AnswerFailed:
    """Why a part that a retry by hand did not name has no answer: what it said before."""
    error = (part or {}).get("error") or {}
    detail = error.get("detail", "The provider was not asked in this run.")
    return AnswerFailed(error.get("type", "provider-failed"), detail, retryable=False)
