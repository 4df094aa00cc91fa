"""A stream of server-sent events as one request of a watch."""

from collections.abc import Iterator, Mapping

import httpx2
from pydantic import ValidationError

from jobstream.client.answer import Answer, is_transient, refusal
from jobstream.client.call import place
from jobstream.client.errors import Problem
from jobstream.client.exchange import CONNECT_SECONDS, Exchange, Standing, bounded
from jobstream.client.fold import UpdateMissed
from jobstream.client.held import data_of
from jobstream.client.job import Job
from jobstream.client.replies import Update
from jobstream.client.sse import Event, EventParser
from jobstream.client.talk import Request

RETRY_MS = 1000
UNSENT = (httpx2.ConnectError, httpx2.ConnectTimeout)


class Streaming(Exchange):
    """What follows the cursor, update by update, until the stream ends one way or another."""

    def __init__(self, standing: Standing) -> None:
        super().__init__(standing)
        self._events: EventParser | None = None
        self._brought = False

    def request(self, left: float | None) -> Request:
        held, way = self._standing.held, self._standing.way
        since = {"Last-Event-ID": held.cursor} if held.cursor else {}
        return Request(
            "GET",
            place("jobs", self._standing.job_id, "stream"),
            headers={"Accept": "text/event-stream", "Prefer": "status", **since},
            token=self._standing.token,
            connect_seconds=bounded(CONNECT_SECONDS, left),
            read_seconds=bounded(way.silence_seconds, left),
            seconds=left,
        )

    def opened(self, status: int, headers: Mapping[str, str]) -> None:
        super().opened(status, headers)
        if self.answer.streams:
            self._events = EventParser(retry_ms=RETRY_MS)

    def take(self, chunk: bytes) -> Iterator[Job]:
        if self._events is None:
            yield from super().take(chunk)
            return
        try:
            for event in self._events.feed(chunk):
                self._got_through()
                yield from self._hear(event, self._events)
                if self.enough:
                    return
        except UpdateMissed as missed:
            self.enough = True
            self._standing.held.drop_place()
            self._standing.patience.come_back(missed)

    def closed(self) -> Iterator[Job]:
        if self._events is None:
            yield from super().closed()
        else:
            self.broke(EOFError("The stream ended before the job did."))

    def read(self, answer: Answer) -> Iterator[Job]:
        if answer.status == 204:
            self._standing.over = True  # the end was heard before
        else:
            self._find_barren(answer.not_understood("This is no stream."))
        yield from ()

    def broke(self, error: Exception) -> None:
        if self._brought and isinstance(error, httpx2.ReadTimeout):
            return  # silent for so long that there is nothing to wait for
        if self._brought or isinstance(error, UNSENT):
            self._standing.patience.come_back(error)
        else:
            self._find_barren(error)

    def heed(self, answer: Answer) -> None:
        if answer.problem is None:
            self._find_barren(answer.refusal())  # somebody on the way refuses streams; polling may get through
        else:
            super().heed(answer)

    def _got_through(self) -> None:
        """A whole event came; first bytes alone may be all that a proxy lets through before the end."""
        if not self._brought:
            self._brought = True
            self._standing.way.stream_got_through()
            self._standing.patience.was_heard()

    def _hear(self, event: Event, events: EventParser) -> Iterator[Job]:
        """What one event comes to."""
        match event.name:
            case "ping":
                self._standing.held.check_newest(event)
            case "bye":
                self._leave(event, events.retry_ms)
            case "problem":
                self._heed_problem(event, events.retry_ms)
            case _ if event.id is not None:
                data = self._standing.held.take(event)
                self._standing.patience.got_on()
                self.enough = self._standing.held.ended
                self._standing.listener.heard(Update(event.id, event.name, data))
                yield self._standing.held.job

    def _leave(self, bye: Event, retry_ms: int) -> None:
        """The service ends the stream: because the credential ends, or until it wants us back."""
        self.enough = True
        if data_of(bye).get("reason") == "unauthorized":
            self._standing.renews = True
        else:
            self._standing.patience.pause(retry_ms / 1000)

    def _heed_problem(self, event: Event, retry_ms: int) -> None:
        self.enough = True
        try:
            problem = Problem.model_validate(data_of(event))
        except ValidationError as wrong:
            raise UpdateMissed("This problem is none.") from wrong
        error = refusal(problem.status, problem, event.data)
        if not is_transient(problem.status):
            raise error
        self._standing.patience.come_back(error, asked_seconds=retry_ms / 1000)

    def _find_barren(self, why: Exception) -> None:
        self._standing.way.stream_was_barren()
        self._standing.patience.come_back(why)
