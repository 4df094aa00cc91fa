"""The kinds that chaos runs: small ones that do each thing a job may do, and some that misbehave."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping

from pydantic import BaseModel, ConfigDict, JsonValue

from jobs.errors import AnswerFailed
from jobs.kind import AnyKind, Child, Kind, Question, Run, Turn
from tests.chaos.witness import Witness
from workers.provider import Finish, Piece, Text

SPEAKER = "speaker"
CHILDREN = 3


class Given(BaseModel):
    """What a job is told: how many acts, and how many seconds each takes."""

    model_config = ConfigDict(extra="forbid")

    n: int = 0
    pause: float = 0.0


def chaos_kinds(witness: Witness) -> Mapping[str, AnyKind]:
    """Every kind of chaos, by name."""
    acts = _Acts(witness)
    performers = [acts.noop, acts.steps, acts.nap, acts.family, acts.herald, acts.heard, acts.talk]
    performers += [acts.duet, acts.poison, acts.block]
    kinds = [_kind(perform.__name__, perform) for perform in performers]
    kinds.append(_kind("narrow", acts.steps, concurrency=1))
    return {kind.name: kind for kind in kinds}


def spoken(n: int) -> list[str]:
    """The pieces of the answer to a question about `n`; some are more than one UTF-16 code unit long."""
    return [f"word {at} of {n} \N{MUSICAL SYMBOL G CLEF} " for at in range(8)]


class Speaker:
    """A provider that always says the same, slowly."""

    name = SPEAKER
    default_model = "speaker-1"

    async def stream(self, question: Question) -> AsyncGenerator[Piece, None]:
        n, _, pause = question.turns[0].content.partition(" ")
        for piece in spoken(int(n)):
            await asyncio.sleep(float(pause))
            yield Text(piece)
        yield Finish(self.default_model)


class _Acts:
    """What each kind does, every act of it seen by the witness."""

    def __init__(self, witness: Witness) -> None:
        self._witness = witness

    async def noop(self, _: Run, given: Given) -> JsonValue:
        """Nothing."""
        return given.n

    async def steps(self, run: Run, given: Given) -> JsonValue:
        """`n` steps of `pause` seconds."""
        return [await self._step(run, f"step-{at}", given) for at in range(given.n)]

    async def nap(self, run: Run, given: Given) -> JsonValue:
        """A sleep without a worker, between two steps."""
        await self._step(run, "before", Given())
        await run.sleep("nap", given.pause)
        return await self._step(run, "after", Given())

    async def family(self, run: Run, _: Given) -> JsonValue:
        """Three children, waited for without a worker."""
        ends = await run.children("children", [Child("noop", {"n": at}) for at in range(CHILDREN)])
        return [end.result for end in ends]

    async def herald(self, run: Run, given: Given) -> JsonValue:
        """An event, which starts a job that hears it."""
        return await run.send("heard", {"n": given.n})

    async def heard(self, _: Run, given: Given) -> JsonValue:
        """What an event started."""
        return given.n

    async def talk(self, run: Run, given: Given) -> JsonValue:
        """An answer, word by word."""
        answer = await run.ask("voice", Question(SPEAKER, (Turn("user", f"{given.n} {given.pause}"),)))
        return answer.text

    async def duet(self, run: Run, given: Given) -> JsonValue:
        """Two answers at once; one that is missing fails neither the other nor the job."""

        async def sing(part: str) -> str | None:
            try:
                return (await run.ask(part, Question(SPEAKER, (Turn("user", f"{given.n} {given.pause}"),)))).text
            except AnswerFailed:
                return None

        high, low = await asyncio.gather(sing("high"), sing("low"))
        return {"high": high, "low": low}

    async def poison(self, run: Run, _: Given) -> JsonValue:
        """The end of whatever worker takes it."""
        self._witness.saw(run.job_id, "killed its worker")
        os.kill(os.getpid(), signal.SIGKILL)
        return None

    async def block(self, run: Run, given: Given) -> JsonValue:
        """A step that holds up the whole event loop."""

        async def act() -> None:
            self._witness.saw(run.job_id, "blocked")
            time.sleep(given.pause)  # noqa: ASYNC251  # the fault that is wanted

        await run.step("blocked", act)
        return run.attempt

    async def _step(self, run: Run, name: str, given: Given) -> str:
        async def act() -> str:
            self._witness.saw(run.job_id, name)
            await asyncio.sleep(given.pause)
            return name

        return await run.step(name, act)


def _kind(name: str, perform: Callable[[Run, Given], Awaitable[JsonValue]], *, concurrency: int = 0) -> AnyKind:
    return Kind(name=name, input=Given, perform=perform, summary=name, concurrency=concurrency)
