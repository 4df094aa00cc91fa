"""Server-sent events of many jobs on one connection: the single stream's frames, each with its job and seq."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing

import orjson

from jobs.errors import JobError, JobNotFound
from jobs.model import JobId, JsonObject
from jobs.updates import Cursor
from service import frames
from service.audience import Batch
from service.compound import Word
from service.delivery import Delivery
from service.feed import Bounds, Bye, Gone, Item, Quiet, Told
from service.many import Of, follow_many
from service.outlet import Outlet, chunk
from service.problems import problem
from service.reader import Reader
from service.view import Telling


def stream_response(
    delivery: Delivery,
    places: Mapping[JobId, Cursor | None],
    ended: frozenset[JobId],
    bounds: Bounds,
    refused: Mapping[str, JobError],
    request_id: str,
    telling: Telling,
) -> frames.Stream:
    """The response that tells what follows each place; those of `ended` jobs are at their ends. The jobs that are
    `refused` are told first, and leave the rest alone."""
    known = {job_id: place for job_id, place in places.items() if place is not None}
    voice = _Voice(known, request_id, delivery.feed.ping_seconds, telling)
    heard = follow_many(lambda job_id, place: delivery.feed.stream(job_id, place, bounds), places, ended)

    def begin(outlet: Outlet) -> None:
        outlet.send(voice.opening(refused))
        _Connection(delivery, outlet, voice, bounds).begin(places, ended)

    return frames.Stream(voice.aloud(heard, refused), begin)


class _Connection:
    """An outlet with an ear for each job; it ends when every job has. What one job says stands in one piece: the
    others wait while it is being said."""

    def __init__(self, delivery: Delivery, outlet: Outlet, voice: "_Voice", bounds: Bounds) -> None:
        self.outlet = outlet
        self.voice = voice
        self.turn = asyncio.Lock()
        self._delivery = delivery
        self._bounds = bounds
        self._ears: list[_Ear] = []
        outlet.holder = self

    def begin(self, places: Mapping[JobId, Cursor | None], ended: frozenset[JobId]) -> None:
        """Listen to all the jobs."""
        self._ears = [_Ear(self, self._delivery, job_id, self._bounds, ended=job_id in ended) for job_id in places]
        for ear, place in zip(self._ears, places.values(), strict=True):
            self._delivery.begin(ear, place)

    def resume(self) -> None:
        """Let those go on who had to wait."""
        for ear in self._ears:
            ear.resume()

    def leave(self) -> None:
        """Listen to nothing any more."""
        for ear in self._ears:
            ear.leave()

    def finish_if_ended(self) -> None:
        """End the stream, if every job has."""
        if all(ear.ended for ear in self._ears):
            self.finish()

    def finish(self) -> None:
        """End the stream."""
        for ear in self._ears:
            ear.leave_audience()
        self.outlet.finish()


class _Ear(Reader):
    """Who listens to one of the jobs; `ended` once it was told the end of the newest run, or that the job is gone."""

    __slots__ = ("_connection", "_gone", "ended")

    def __init__(
        self, connection: _Connection, delivery: Delivery, job_id: JobId, bounds: Bounds, *, ended: bool
    ) -> None:
        super().__init__(delivery, connection.outlet, job_id, bounds)
        self.ended = ended
        self._connection = connection
        self._gone = False

    @property
    def ready(self) -> bool:
        return not self._outlet.paused and not self._connection.turn.locked()

    @property
    def over(self) -> bool:
        return self._gone or self._outlet.ended

    def said(self, batch: Batch) -> bytes:
        told = b"".join(self.pieces(list(batch.entries)))
        return chunk(told) if self._connection.outlet.chunked else told

    def pieces(self, item: Item) -> Iterator[bytes]:
        return self._connection.voice.pieces(Of(self.tail.job_id, item))

    async def tell(self, item: Item) -> None:
        async with self._connection.turn:
            if self.over:
                return
            self.ended = self.ended and not isinstance(item, Told)
            self._gone = isinstance(item, Gone)
            await super().tell(item)
        if not self._outlet.paused:
            self._connection.resume()

    def heard(self, *, last: bool) -> None:
        self.ended = last
        if last:
            self._connection.finish_if_ended()

    def finish(self) -> None:
        self._connection.finish()

    def dismiss(self, farewell: Bye) -> None:
        if not self._connection.turn.locked():  # else whoever has the turn is told to go, too
            super().dismiss(farewell)


class _Voice:
    """What one connection says: every id that it gives out resumes every job of it."""

    def __init__(
        self, places: Mapping[JobId, Cursor], request_id: str, ping_seconds: float, telling: Telling
    ) -> None:
        self._word = Word(places)
        self._request_id = request_id
        self._ping_seconds = ping_seconds
        self._telling = telling
        self._said_at = asyncio.get_running_loop().time()

    def opening(self, refused: Mapping[str, JobError]) -> bytes:
        """What is said first."""
        problems = [self._problem(job_id, error) for job_id, error in refused.items()]
        return b"".join([frames.RETRY, *problems])

    async def aloud(
        self, heard: AsyncGenerator[Of, None], refused: Mapping[str, JobError]
    ) -> AsyncGenerator[bytes, None]:
        """The stream's bytes."""
        yield self.opening(refused)
        async with aclosing(heard):
            async for said in heard:
                for piece in self.pieces(said):
                    yield piece

    def pieces(self, said: Of) -> Iterator[bytes]:
        """What was heard of a job, in pieces that belong together."""
        for piece in self._pieces(said):
            self._said_at = asyncio.get_running_loop().time()
            yield piece

    def _pieces(self, said: Of) -> Iterator[bytes]:
        match said.item:
            case list():
                yield b"".join(
                    self._update(
                        said.job_id,
                        entry.cursor,
                        entry.event,
                        _numbered(said.job_id, entry.seq, self._telling.body(entry)),
                    )
                    for entry in said.item
                )
            case Told(story=story, reason=reason):
                self._word.move(said.job_id, story.cursor_before_end)
                head = orjson.dumps({"job": said.job_id})[:-1] + b","
                yield from frames.told(str(self._word), head, *self._telling.story(story, reason))
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
            yield frames.remark("ping", frames.ping_data(str(self._word)))

    def _problem(self, job_id: str, error: JobError) -> bytes:
        return frames.remark("problem", {"job": job_id, **problem(error, self._request_id)})


def _numbered(job_id: JobId, seq: int, body: bytes) -> bytes:
    return _joined({"job": job_id, "seq": seq}, body)


def _joined(head: JsonObject, body: bytes) -> bytes:
    """The body with more in front; nobody opens it for that."""
    front = orjson.dumps(head)
    return front if body == b"{}" else front[:-1] + b"," + body[1:]
