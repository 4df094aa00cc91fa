"""Jobs written by hand, a little at a time, until it is enough, and through every fault of the store."""

import random
import time
from functools import partial

from jobs.connection import store_faults
from jobs.leases import Claim
from jobs.log import Line
from jobs.model import JsonObject, State
from tests.api import Api
from tests.chaos.arena import patiently
from tests.jobs.doors import Doors
from tests.transports.hand import Hand, take_in_hand

ANCHOR = "What makes the snapshot longer than anything that a reader could miss. " * 250
LONGEST_TEXT = 8_000
WORDS = (
    "and ",
    "then, ",
    "naïve ",
    "\U0001d11e ",
    "\U0001f600 ",
    "e\u0301t\u00e9 ",
    "\u2028",
    "0123456789 ",
    "so it goes. ",
)


class PatientDoors(Doors):
    """The ways into the jobs of a store that is away now and then."""

    async def append(self, claim: Claim, *lines: Line) -> None:
        """The lines in the job's log, once, however often the flush must be sent."""
        self._flushes[claim.token] = flush = self._flushes.get(claim.token, 0) + 1
        await patiently(partial(self.log.append, claim.job_id, [*lines], token=claim.token, flush=flush))

    async def deafen(self) -> int:
        """Break every subscription to the store; how many there were."""
        with store_faults():
            return int(await self.client.client_kill_filter(_type="pubsub"))


class Author:
    """The one who writes a job; `seq` is the number of its newest update."""

    def __init__(self, job: JsonObject, hand: Hand, seed: int) -> None:
        self.job = job
        self.job_id: str = job["id"]
        self.seq: int = job["seq"] + 1  # it was claimed
        self.written_at: dict[int, float] = {}
        self._hand = hand
        self._chance = random.Random(seed)
        self._said = 0

    async def begin(self) -> None:
        """Say so much that no snapshot is cheaper than what a reader has missed."""
        await self._write(self._hand.begin("anthropic"), self._hand.say("anthropic", ANCHOR))
        await self._write(self._hand.begin("openai"))

    async def go_on(self) -> None:
        """Some updates more: mostly text, of which the part begins anew when there is much."""
        await self._write(*[self._next_line() for _ in range(self._chance.randint(1, 3))])

    async def end(self) -> None:
        """Let the parts prove their texts, and the run end."""
        await self._write(*[self._hand.finish(part, "completed") for part in self._hand.running])
        await self._write(self._hand.end(State.COMPLETED, result={"written": self.seq}))

    def _next_line(self) -> Line:
        if self._said > LONGEST_TEXT:
            self._said = 0
            return self._hand.begin("openai")
        match self._chance.randrange(10):
            case 0:
                return self._hand.progress(processed=self.seq, message=self._words())
            case 1:
                return self._hand.note("openai", usage={"input_tokens": self.seq})
        words = self._words()
        self._said += len(words)
        return self._hand.say("openai", words)

    def _words(self) -> str:
        return "".join(self._chance.choices(WORDS, k=self._chance.randint(1, 8)))

    async def _write(self, *lines: Line) -> None:
        began = time.monotonic()
        await self._hand.write(*lines)
        for _ in lines:
            self.seq += 1
            self.written_at[self.seq] = began


async def new_author(api: Api, doors: Doors, *, seed: int = 0, subject: str | None = None) -> Author:
    """A job that was submitted, and who writes it; nothing else may be due."""
    job = await api.submit("written by hand", subject=subject)
    author = Author(job, await take_in_hand(doors, job["id"]), seed)
    await author.begin()
    return author
