"""The way from a running job into its log: text is gathered, updates leave in order, one flush at a time."""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from jobs.errors import LeaseLost, StorageFull, StoreUnavailable
from jobs.leases import Claim
from jobs.log import Line, Log
from jobs.model import whole
from jobs.updates import Wrote, encode, utf16_length
from workers.witness import Unwatched, Witness

Result = TypeVar("Result")

GATHER_SECONDS = 0.04
GATHER_BYTES = 1024
"""How long, and how much, text of one part waits for more before it leaves."""

STORE_PATIENCE_SECONDS = 60.0
"""How long a job waits for a store that does not answer; by then its lease is long gone."""

_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 1.0


@dataclass
class PartText:
    """The text of one part: what left, what waits, and what proves the whole."""

    length: int = 0
    pieces: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    waiting_bytes: int = 0
    left_at: float = float("-inf")
    _half: str = ""

    def add(self, text: str) -> None:
        """Take the next words. A surrogate pair that was split is joined; a lone one becomes U+FFFD."""
        text = self._half + text
        self._half = ""
        if text and "\ud800" <= text[-1] <= "\udbff":
            text, self._half = text[:-1], text[-1]
        if text := whole(text):
            self.waiting.append(text)
            self.waiting_bytes += len(text)

    def close(self) -> None:
        """No more words come: a half that still waits for its other one never will be whole."""
        if self._half:
            self._half = ""
            self.waiting.append("\ufffd")

    def take(self) -> tuple[int, str]:
        """What waits, and the length of the text before it; it counts as left."""
        at, text = self.length, "".join(self.waiting)
        self.waiting.clear()
        self.waiting_bytes = 0
        self.pieces.append(text)
        self.length += utf16_length(text)
        self.left_at = time.monotonic()
        return at, text

    @property
    def all(self) -> str:
        """The text that left."""
        return "".join(self.pieces)

    @property
    def so_far(self) -> str:
        """The text that left, and what waits."""
        return "".join((*self.pieces, *self.waiting))

    @property
    def digest(self) -> str:
        """SHA-256 of the UTF-8 of the text that left."""
        return hashlib.sha256(self.all.encode()).hexdigest()


class Writer:
    """Appends one claim's updates. What `write` was given is in the log when it returns, after all before it."""

    def __init__(self, log: Log, claim: Claim, witness: Witness | None = None) -> None:
        self._log = log
        self._claim = claim
        self._witness = witness or Unwatched()
        self._texts: dict[str, PartText] = {}
        self._later: dict[str, Line] = {}
        self._flushing = asyncio.Lock()
        self._flushes = 0
        self._unsent: list[Line] = []
        self._gathered = asyncio.Event()

    def open_text(self, part: str) -> PartText:
        """A new text for the part, in place of any before."""
        self._texts[part] = PartText()
        return self._texts[part]

    async def write(self, *lines: Line) -> None:
        """Append the lines, after the text that waits."""
        async with self._flushing:
            await self._send()  # what a cancelled write left behind, under its old number
            if unsent := [*self._taken(), *lines]:
                self._unsent = unsent
                self._flushes += 1
                await self._send()

    async def write_text(self, part: str, text: str) -> None:
        """Append the words soon: the first at once, then at most every 40 ms or 1 KiB of each part."""
        waiting = self._texts[part]
        waiting.add(text)
        if waiting.waiting_bytes >= GATHER_BYTES or time.monotonic() - waiting.left_at >= GATHER_SECONDS:
            await self.write()
        else:
            self._gathered.set()

    def write_later(self, line: Line) -> None:
        """Append the line with the text that leaves next, in place of one of its name that still waits."""
        self._later[line.name] = line
        self._gathered.set()

    async def gather(self) -> None:
        """Append what waits when its time has come; to run beside the kind, until cancelled."""
        while True:
            await self._gathered.wait()
            self._gathered.clear()
            await asyncio.sleep(GATHER_SECONDS)
            await self.write()

    def _taken(self) -> list[Line]:
        deltas = [_delta(part, *text.take()) for part, text in self._texts.items() if text.waiting]
        later = [*self._later.values()]
        self._later.clear()
        return deltas + later

    async def _send(self) -> None:
        if self._unsent:
            await patiently(self._append)
            self._witness.appended(len(self._unsent))
            self._unsent = []

    async def _append(self) -> None:
        job_id, token, subject = self._claim.job_id, self._claim.token, self._claim.subject
        await self._log.append(job_id, self._unsent, token=token, flush=self._flushes, subject=subject)


async def patiently(act: Callable[[], Awaitable[Result]]) -> Result:
    """What the act returns once the store has room and is there for it; LeaseLost when it was away for too long."""
    pause = _FIRST_PAUSE_SECONDS
    give_up = time.monotonic() + STORE_PATIENCE_SECONDS
    while True:
        try:
            return await act()
        except StorageFull:
            give_up = time.monotonic() + STORE_PATIENCE_SECONDS  # it answers, so the lease is kept
        except StoreUnavailable as error:
            if time.monotonic() > give_up:
                raise LeaseLost("The store was away for longer than any lease.") from error
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


def _delta(part: str, at: int, text: str) -> Line:
    body = encode(Wrote(part=part, text=text, at=at))
    return Line("delta", body, name=part, write="+", text=text.encode())
