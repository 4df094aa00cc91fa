"""Server-sent events of many jobs on one connection: the single stream's frames, each with its job and seq."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing

import orjson

from jobs.errors import JobError, JobNotFound
from jobs.model import JobId, JsonObject
from jobs.updates import Cursor
from service import frames
from service.compound import Word
from service.feed import Bye, Gone, Quiet, Told
from service.many import Of
from service.problems import problem
from service.view import shown_in_parts


def stream_response(
    heard: AsyncGenerator[Of, None],
    places: Mapping[JobId, Cursor],
    refused: Mapping[str, JobError],
    request_id: str,
    *,
    ping_seconds: float,
) -> frames.Stream:
    """The response that reads all the jobs aloud; `refused` are told first and leave the rest alone."""
    return frames.Stream(_Reader(places, request_id, ping_seconds).aloud(heard, refused))


class _Reader:
    """One connection: every id that it gives out resumes every job of it."""

    def __init__(self, places: Mapping[JobId, Cursor], request_id: str, ping_seconds: float) -> None:
        self._word = Word(places)
        self._request_id = request_id
        self._ping_seconds = ping_seconds
        self._said_at = asyncio.get_running_loop().time()

    async def aloud(
        self, heard: AsyncGenerator[Of, None], refused: Mapping[str, JobError]
    ) -> AsyncGenerator[bytes, None]:
        """The stream's bytes."""
        yield frames.RETRY
        for job_id, error in refused.items():
            yield self._problem(job_id, error)
        async with aclosing(heard):
            async for said in heard:
                for piece in self._pieces(said):
                    self._said_at = asyncio.get_running_loop().time()
                    yield piece

    def _pieces(self, said: Of) -> Iterator[bytes]:
        match said.item:
            case list():
                yield b"".join(
                    self._update(
                        said.job_id, entry.cursor, entry.event, _numbered(said.job_id, entry.seq, entry.body)
                    )
                    for entry in said.item
                )
            case Told(story=story, reason=reason):
                self._word.move(said.job_id, story.cursor_before_end)
                head = orjson.dumps({"job": said.job_id})[:-1] + b","
                yield from frames.told(str(self._word), head, *shown_in_parts(story, reason))
            case Quiet():
                yield from self._ping()
            case Bye(reason=reason):
                yield frames.farewell(reason)
            case Gone():
                yield self._problem(said.job_id, JobNotFound("The job was deleted or has expired."))

    def _update(self, job_id: JobId, cursor: Cursor, event: str, data: bytes) -> bytes:
        self._word.move(job_id, cursor)
        return frames.update(str(self._word), event, data)

    def _ping(self) -> Iterator[bytes]:
        """Each job's silence is its own; the connection's is what counts."""
        if asyncio.get_running_loop().time() - self._said_at >= self._ping_seconds - 1:
            yield frames.remark("ping", frames.ping(str(self._word)))

    def _problem(self, job_id: str, error: JobError) -> bytes:
        return frames.remark("problem", {"job": job_id, **problem(error, self._request_id)})


def _numbered(job_id: JobId, seq: int, body: bytes) -> bytes:
    return _joined({"job": job_id, "seq": seq}, body)


def _joined(head: JsonObject, body: bytes) -> bytes:
    """The body with more in front; nobody opens it for that."""
    front = orjson.dumps(head)
    return front if body == b"{}" else front[:-1] + b"," + body[1:]
