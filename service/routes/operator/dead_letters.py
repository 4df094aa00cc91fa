"""Dead letters, many at once: listed, counted by error, run again, deleted."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Literal, Self

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from starlette.requests import Request

from jobs.errors import JobError, JobNotFound, StorageFull, StoreUnavailable
from jobs.kind import MEBIBYTE
from jobs.model import JobId, JsonObject, State
from service.api import Api, ApiOf, checked_id
from service.auth import NO_SUCH_JOB
from service.body import read_json
from service.routes.operator.acting import ClerkOf, own_router
from service.submission import valid

MOST_AT_ONCE = 1000
EVERY_LETTER = 1_000_000

router = own_router("/dead-letters")

Name = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class LettersBody(BaseModel):
    """Which letters are meant: these, or the newest `most` of a kind and error type."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ids: Annotated[list[Name], Field(min_length=1, max_length=MOST_AT_ONCE)] | None = None
    kind: Name | None = None
    type: Name | None = None
    most: Annotated[int, Field(ge=1, le=MOST_AT_ONCE, strict=True)] = MOST_AT_ONCE

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.ids is None) == (self.kind is None) or (self.kind is None) != (self.type is None):
            raise ValueError("give either ids, or kind and type")
        return self

    @property
    def said(self) -> str:
        """What is meant, in a few words."""
        return f"{len(self.ids)}: {' '.join(self.ids)}" if self.ids else f"{self.kind} {self.type}"


@router.get("")
async def listed(
    api: ApiOf,
    kind: Annotated[str | None, Query(max_length=64)] = None,
    type: Annotated[str | None, Query(max_length=64)] = None,  # noqa: A002  # the parameter's name
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(max_length=128)] = None,
    group: Annotated[Literal["error"] | None, Query()] = None,
) -> JsonObject:
    """The newest dead letters, or how many there are of each kind and error type."""
    if group is not None:
        return {"items": await api.dead_letters.groups(kind=kind)}
    letters = await api.dead_letters.page(limit=limit, after=cursor, kind=kind, error_type=type)
    items = [
        item | {"error_type": letter.error_type or None}
        for letter in letters
        if (item := await api.summary(letter.job_id))
    ]
    return {"items": items, "next": letters[-1].cursor if len(letters) == limit else None}


@router.post("/retry")
async def retry(request: Request, api: ApiOf, clerk: ClerkOf) -> JsonObject:
    """Run many dead letters again, each from its last kept step."""
    wanted = await _read(request)
    await clerk.note("retry dead letters", wanted.said)

    async def again(job_id: JobId) -> None:
        await api.queue.retry(job_id, room=await api.limits.submission(None))

    return await _each(api, wanted, again)


@router.post("/delete")
async def delete(request: Request, api: ApiOf, clerk: ClerkOf) -> JsonObject:
    """Delete many dead letters, and with them their jobs."""
    wanted = await _read(request)
    await clerk.note("delete dead letters", wanted.said)
    return await _each(api, wanted, api.queue.forget)


async def _read(request: Request) -> LettersBody:
    return valid(LettersBody, await read_json(request, limit=MEBIBYTE), "The letters are not named.")


async def _each(api: Api, wanted: LettersBody, act: Callable[[JobId], Awaitable[None]]) -> JsonObject:
    """What became of the letters: how many are done, how many of those that were meant are left, and which of them
    refused, and why. A store that fails ends it at once."""
    names = await _meant(api, wanted, most=wanted.most)
    refused = [
        {"id": name, "detail": refusal.detail} for name in names if (refusal := await _refusal(api, name, act))
    ]
    left = len(refused) if wanted.ids else len(await _meant(api, wanted, most=EVERY_LETTER))
    return {"done": len(names) - len(refused), "left": left, "refused": refused}


async def _meant(api: Api, wanted: LettersBody, *, most: int) -> Sequence[str]:
    if wanted.ids is not None:
        return list(dict.fromkeys(wanted.ids))
    letters = await api.dead_letters.page(limit=most, kind=wanted.kind, error_type=wanted.type)
    return [letter.job_id for letter in letters]


async def _refusal(api: Api, name: str, act: Callable[[JobId], Awaitable[None]]) -> JobError | None:
    """Why nothing was done to this one, None where it was."""
    try:
        job_id = checked_id(name)
        if (await api.log.head(job_id)).state is not State.FAILED:
            raise JobNotFound(NO_SUCH_JOB)
        await act(job_id)
    except (StoreUnavailable, StorageFull):
        raise
    except JobError as error:
        return error
    return None
