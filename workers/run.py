"""What a running job may do: the Run that is handed to its kind."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import orjson
from pydantic import JsonValue

from jobs import clock
from jobs.errors import DoNotRetry, ResultTooLarge, StepRepeated
from jobs.kind import Answer, Kept, Question
from jobs.leases import Claim
from jobs.log import Line, Log
from jobs.model import JobId
from jobs.updates import Progressed, StepChanged, encode, one_line
from workers.asking import Asking
from workers.part import PartWriter
from workers.provider import Pricing, Provider
from workers.writer import Writer, whole

STEP_RESULT_LIMIT = 4 * 1024 * 1024


@dataclass(frozen=True)
class Tools:
    """What a worker lends to the jobs that it runs."""

    log: Log
    providers: Mapping[str, Provider]
    price: Pricing


class JobRun:
    """One attempt of one claimed job, as its kind sees it (jobs.kind.Run)."""

    def __init__(self, claim: Claim, tools: Tools) -> None:
        self._claim = claim
        self._tools = tools
        self._steps: set[str] = set()
        self._progress = dict(claim.progress)
        self.writer = Writer(tools.log, claim)

    @property
    def job_id(self) -> JobId:
        return self._claim.job_id

    @property
    def attempt(self) -> int:
        return self._claim.attempt

    @property
    def providers(self) -> Sequence[str]:
        return tuple(self._tools.providers)

    async def step(self, name: str, act: Callable[[], Awaitable[Kept]]) -> Kept:
        """The result of `act`, kept; a name that this run used before is a StepRepeated."""
        self._enter(name)
        if (kept := self._claim.kept.get(name)) is not None:
            result: Kept = orjson.loads(kept)
            return result
        started = clock.now()
        await self.writer.write(self._step_line(name, "running", started))
        result = await act()
        await self.writer.write(self.kept_line(name, started, result))
        return result

    async def progress(
        self,
        *,
        percent: float | None = None,
        message: str | None = None,
        counters: dict[str, int] | None = None,
    ) -> None:
        given = {"percent": percent, "message": whole(message) if message else message, **(counters or {})}
        changes = {name: value for name, value in given.items() if value is not None}
        self._progress |= changes
        body = encode(Progressed(**changes))
        await self.writer.write(Line("progress", body, value=one_line(orjson.dumps(self._progress))))

    async def ask(self, part: str, question: Question) -> Answer:
        name = f"answer.{part}"
        self._enter(name)
        if (kept := self._claim.kept.get(name)) is not None:
            return Asking.answer(kept)
        started = clock.now()
        await self.writer.write(self._step_line(name, "running", started))
        writer = PartWriter(self.writer, part, self._claim.parts.get(part))
        asking = Asking(self._tools.providers.get(question.provider), self._tools.price, writer)
        return await asking.ask(
            question,
            kept=lambda answer: self.kept_line(name, started, answer),
            failed=lambda: self._step_line(name, "failed", started, clock.now()),
        )

    def kept_line(self, name: str, started: str, result: JsonValue) -> Line:
        """A completed step with its result, written as one act; ResultTooLarge over the limit."""
        stored = orjson.dumps(result)
        if len(stored) > STEP_RESULT_LIMIT:
            raise ResultTooLarge(f"The result of step {name} is over {STEP_RESULT_LIMIT} bytes.")
        line = self._step_line(name, "completed", started, clock.now())
        return Line("step", line.body, name=name, value=line.value, write="=", text=stored)

    def _enter(self, name: str) -> None:
        if "," in name or not name or len(name) > 128:
            raise DoNotRetry(f"A step's name is 1 to 128 characters without commas, not {name!r}.")
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
