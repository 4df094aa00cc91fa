"""Whoever calls an old path: what it asks for becomes a job by the way that all jobs come in, and is found again."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from jobs.errors import InvalidInput, JobNotFound, Violation
from jobs.kind import MEBIBYTE, AnyKind
from jobs.model import JobId, JsonObject
from jobs.queue import Room
from jobs.snapshot import Story
from service.api import AccessOf, Api, ApiOf, GuestOf, RequestId
from service.auth import NO_SUCH_JOB, READ, Access
from service.body import read_untyped_json
from service.credentials import Watcher
from service.errors import NotFound
from service.intake import take
from service.limits import Guest
from service.submission import read_submission

LONGEST_ALIAS = 256


@dataclass(frozen=True)
class Caller:
    """Who asks, and what of the service it asks."""

    api: Api
    access: Access
    guest: Guest | None
    request_id: str

    def kind(self, name: str) -> AnyKind:
        """The kind, or the answer that its old path gives while the service has none."""
        if (kind := self.api.kinds.get(name)) is None:
            raise NotFound("Nothing is served at this path.")
        return kind

    async def read(self, request: Request, *, limit: int = MEBIBYTE) -> tuple[JsonObject, Room]:
        """The body's fields that say anything, and the room for what they ask for: who is too fast is not read.

        Old pages say no type of the body, and send null for what they leave out."""
        room = await self.api.limits.submission(self.guest)
        sent = await read_untyped_json(request, limit=limit)
        return {name: value for name, value in sent.items() if value is not None}, room

    async def submit(
        self, kind: AnyKind, given: JsonObject, *, alias: object, room: Room, metadata: dict[str, str] | None = None
    ) -> tuple[str, Story]:
        """The job, by the name that the caller gave it or else its id. A name is its idempotency key too."""
        key = _alias(alias)
        body = read_submission({"kind": kind.name, "input": given, "metadata": metadata or {}})
        submitted = await take(self.api, self.access, body, key=key, request_id=self.request_id, room=room)
        return key or submitted.job_id, await self.api.log.story(submitted.job_id)

    async def find(self, name: str | None, kinds: Collection[str]) -> Story:
        """The job of one of these kinds that has this id, or that its subject has submitted under this name.

        Whoever may not read it is told what is told of a job that never was."""
        if not name:
            raise InvalidInput("Name the job.", violations=(Violation("/jobId", "is missing"),))
        job_id = await self._named(name, kinds) or name
        known_id, head = await self.api.readable(job_id, self.access)
        if head.kind not in kinds:
            raise JobNotFound(NO_SUCH_JOB)
        await self.api.limits.poll(self.guest, known_id)
        return await self.api.feed.library.newest(known_id)

    async def _named(self, name: str, kinds: Collection[str]) -> JobId | None:
        if len(name) > LONGEST_ALIAS or isinstance(self.access.caller, Watcher):
            return None
        subject = self.access.own_subject(READ)
        known = await self.api.queue.of_key(subject, name, kinds)
        return known[0] if known else None


async def caller_of(api: ApiOf, access: AccessOf, guest: GuestOf, request_id: RequestId) -> Caller:
    return Caller(api, access, guest, request_id)


CallerOf = Annotated[Caller, Depends(caller_of)]


def _alias(given: object) -> str | None:
    if given is None or given == "":
        return None
    if isinstance(given, str) and len(given) <= LONGEST_ALIAS:
        return given
    wrong = Violation("/jobId", f"must be a string of 1 to {LONGEST_ALIAS} characters")
    raise InvalidInput("The job's id is not valid.", violations=(wrong,))
