"""Conversations: what the chats of one name and one subject have said, kept for a while after the newest of them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import orjson

from jobs import keys
from jobs.clock import from_microseconds
from jobs.connection import Client, Script, store_faults
from jobs.errors import ConversationNotFound, Corrupt, InvalidCursor, LeaseLost
from jobs.kind import DAY_SECONDS, Round, Turn
from jobs.leases import Claim
from jobs.model import JobId

MOST_ROUNDS = 100
MOST_BYTES = 512 * 1024
"""What is kept of one conversation; the oldest rounds make room for new ones, and the newest always stays."""

PAGE = 200


@dataclass(frozen=True)
class Said:
    """One round of a conversation: the job that it was, and when that was submitted."""

    job_id: JobId
    at: str
    round: Round


@dataclass(frozen=True)
class Conversation:
    """A whole conversation, its oldest round first; unless something is added, it is kept for `seconds_left`."""

    said: list[Said]
    seconds_left: float


@dataclass(frozen=True)
class Listed:
    """A conversation at a glance; `at_ms` is the store's clock in milliseconds when it was last added to."""

    name: str
    at_ms: int

    @property
    def cursor(self) -> str:
        """Its place in the list."""
        return f"{self.at_ms}-{self.name}"


class Conversations:
    """Every conversation of one store; a name belongs to its subject, or to nobody's chats."""

    def __init__(
        self,
        client: Client,
        *,
        kept_seconds: float = DAY_SECONDS,
        most_rounds: int = MOST_ROUNDS,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._client = client
        self._sealer = client.sealer
        self._kept_ms = round(kept_seconds * 1000)
        self._bounds = most_rounds, most_bytes
        self._add = Script(client, "add_round")

    async def add(self, claim: Claim, name: str, said: Round) -> None:
        """Keep what the job has said, in the place that its submission gave it; again, it replaces what was kept.

        LeaseLost where another worker holds the job. What a subject says while it is being forgotten is not kept."""
        answer = await self._add(
            *(claim.job_id, claim.token, keys.conversations(claim.subject), name),
            *(keys.conversation(claim.subject, name), self._kept_ms),
            *(self._sealed(claim, name, said), *self._bounds),
        )
        if answer == b"FENCED":
            raise LeaseLost("Another worker holds the job, or nobody does any more.")

    async def earlier(self, claim: Claim, name: str) -> list[Round]:
        """What was said in jobs that were submitted before this one, as far as they have ended; oldest first."""
        with store_faults():
            submitted: Any = await self._client.hget(keys.job(claim.job_id), "created_us")  # type: ignore[misc]
            held = await self._client.hgetall(keys.conversation(claim.subject, name))  # type: ignore[misc]
        before = {place: sealed for place, sealed in held.items() if place.partition(b"-")[0] < submitted}
        return [each.round for each in self._opened(claim.subject, name, before)]

    async def find(self, subject: str | None, name: str) -> Conversation:
        """The conversation; ConversationNotFound where the subject has none of that name."""
        key = keys.conversation(subject, name)
        with store_faults():
            async with self._client.pipeline(transaction=True) as pipe:
                pipe.hgetall(key)
                pipe.pttl(key)
                held, left_ms = await pipe.execute()
        if not held:
            raise _not_found()
        return Conversation(self._opened(subject, name, held), left_ms / 1000)

    async def page(self, subject: str | None, *, limit: int, after: str | None = None) -> list[Listed]:
        """Up to `limit` of the subject's conversations that come after the cursor, the latest first."""
        found: list[Listed] = []
        async for listed in self._latest(subject, after):
            found.append(listed)
            if len(found) == limit:
                break
        return found

    async def forget(self, subject: str | None, name: str) -> None:
        """Delete the conversation; a chat of it that goes on begins it anew. ConversationNotFound as in `find`."""
        if not await self._delete(subject, [name]):
            raise _not_found()

    async def forget_subject(self, subject: str) -> None:
        """Delete every conversation of the subject."""
        with store_faults():
            held = await self._client.zrange(keys.conversations(subject), 0, -1)
        await self._delete(subject, [name.decode() for name in held])

    async def _delete(self, subject: str | None, names: list[str]) -> int:
        """How many of them there were."""
        if not names:
            return 0
        with store_faults():
            async with self._client.pipeline(transaction=True) as pipe:
                pipe.delete(*(keys.conversation(subject, name) for name in names))
                pipe.zrem(keys.conversations(subject), *names)
                deleted, _ = await pipe.execute()
        return int(deleted)

    async def _latest(self, subject: str | None, after: str | None) -> AsyncIterator[Listed]:
        """Those that have not expired, one by one; of the same millisecond, the later name first."""
        place = _place(after)
        top, behind = str(place[0]) if place else "+inf", 0
        while True:
            with store_faults():
                held: Any = await self._client.zrevrangebyscore(
                    keys.conversations(subject), top, "-inf", start=behind, num=PAGE, withscores=True
                )
            rows = [(int(at_ms), name.decode()) for name, at_ms in held]
            for row in await self._there(subject, [row for row in rows if place is None or row < place]):
                yield Listed(row[1], row[0])
            if len(rows) < PAGE:
                return
            behind += len(rows)

    async def _there(self, subject: str | None, rows: list[tuple[int, str]]) -> list[tuple[int, str]]:
        with store_faults():
            async with self._client.pipeline(transaction=False) as pipe:
                for _, name in rows:
                    pipe.exists(keys.conversation(subject, name))
                there = await pipe.execute()
        return [row for row, exists in zip(rows, there, strict=True) if exists]

    def _sealed(self, claim: Claim, name: str, said: Round) -> bytes:
        turns = [{"role": turn.role, "content": turn.content} for turn in said.turns]
        value = orjson.dumps({"turns": turns, "answers": said.answers})
        return self._sealer.seal(_field(claim.job_id), value, subject=claim.subject, job_id=name)

    def _opened(self, subject: str | None, name: str, held: dict[bytes, bytes]) -> list[Said]:
        return [self._said(subject, name, place.decode(), sealed) for place, sealed in sorted(held.items())]

    def _said(self, subject: str | None, name: str, place: str, sealed: bytes) -> Said:
        us, _, job_id = place.partition("-")
        value = self._sealer.open(_field(job_id), sealed, subject=subject, job_id=name)
        try:
            held = orjson.loads(value)
            turns = tuple(Turn(turn["role"], turn["content"]) for turn in held["turns"])
            said = Round(turns, dict(held["answers"]))
        except (ValueError, KeyError, TypeError) as error:
            raise Corrupt("What is stored of the conversation cannot be read.") from error
        return Said(JobId(job_id), from_microseconds(int(us)), said)


def _field(job_id: str) -> str:
    return f"round {job_id}"


def _not_found() -> ConversationNotFound:
    return ConversationNotFound("No conversation has this id, or it has expired.")


def _place(cursor: str | None) -> tuple[int, str] | None:
    if cursor is None:
        return None
    at_ms, _, name = cursor.partition("-")
    if not (at_ms.isascii() and at_ms.isdigit() and len(at_ms) <= 16):
        raise InvalidCursor("This is no cursor of this list.")
    return int(at_ms), name
