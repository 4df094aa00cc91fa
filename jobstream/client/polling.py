"""The requests of a watch that are answered as a whole: a poll that is held, and a fresh token."""

from collections.abc import Iterator

from jobstream.client.answer import Answer
from jobstream.client.calls import path_of, stream_token
from jobstream.client.exchange import CONNECT_SECONDS, Exchange, bounded
from jobstream.client.job import Job
from jobstream.client.talk import Request

HOLD_SECONDS = 25
UNHELD_SECONDS = 2.0


class Polling(Exchange):
    """The job as it is, once it is another than the one that is held."""

    def request(self, left: float | None) -> Request:
        hold = int(bounded(HOLD_SECONDS, left))
        cursor = self._standing.held.cursor
        tag = {"If-None-Match": f'W/"{cursor}"'} if cursor else {}
        return Request(
            "GET",
            path_of(self._standing.job_id),
            headers={"Prefer": f"wait={hold}", **tag},
            token=self._standing.token,
            connect_seconds=bounded(CONNECT_SECONDS, left),
            read_seconds=bounded(hold + CONNECT_SECONDS, left),
            seconds=left,
        )

    def read(self, answer: Answer) -> Iterator[Job]:
        held, patience = self._standing.held, self._standing.patience
        patience.got_on()
        self._standing.way.poll_got_through()
        if "preference-applied" not in answer.headers:
            patience.pause(answer.retry_after_seconds or UNHELD_SECONDS)
        if answer.status == 304:
            held.confirm()
        elif held.replace(answer.json()):
            yield held.job

    def broke(self, error: Exception) -> None:
        self._standing.way.poll_broke()
        super().broke(error)


class Renewing(Exchange):
    """A token that reads this one job, for the rest of the watch."""

    def request(self, left: float | None) -> Request:
        call = stream_token(self._standing.job_id)
        return Request(
            call.method,
            call.path,
            token=self._standing.token,
            connect_seconds=bounded(CONNECT_SECONDS, left),
            read_seconds=bounded(CONNECT_SECONDS, left),
            seconds=left,
        )

    def read(self, answer: Answer) -> Iterator[Job]:
        self._standing.token = stream_token(self._standing.job_id).read(bytes(answer.body)).token
        self._standing.renews = False
        yield from ()
