"""The requests of a watch that are answered as a whole: a poll that is held, and a fresh token."""

from collections.abc import Iterator

from jobstream.client.answer import Answer
from jobstream.client.call import place
from jobstream.client.exchange import CONNECT_SECONDS, Exchange, bounded
from jobstream.client.job import Job
from jobstream.client.replies import Token, Update
from jobstream.client.talk import Request

HOLD_SECONDS = 25
UNHELD_SECONDS = 2.0
GAP_SECONDS = 0.5
"""Between polls: of a job that changes all the time each would be answered at once."""


class Polling(Exchange):
    """The job as it is, once it is another than the one that is held."""

    def request(self, left: float | None) -> Request:
        hold = int(bounded(HOLD_SECONDS, left))
        cursor = self._standing.held.cursor
        tag = {"If-None-Match": f'W/"{cursor}"'} if cursor else {}
        return Request(
            "GET",
            place("jobs", self._standing.job_id),
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
        held_back = "preference-applied" in answer.headers
        patience.pause(GAP_SECONDS if held_back else answer.retry_after_seconds or UNHELD_SECONDS)
        if answer.status == 304:
            held.confirm()
        elif held.replace(answer.read(Job.read)):
            polled = {**held.job.snapshot, "reason": "poll"}
            self._standing.listener.heard(Update(held.job.cursor, "snapshot", polled))
            yield held.job

    def broke(self, error: Exception) -> None:
        self._standing.way.poll_broke()
        super().broke(error)


class Renewing(Exchange):
    """A token that reads this one job, for the rest of the watch."""

    def request(self, left: float | None) -> Request:
        return Request(
            "POST",
            place("jobs", self._standing.job_id, "token"),
            token=self._standing.token,
            connect_seconds=bounded(CONNECT_SECONDS, left),
            read_seconds=bounded(CONNECT_SECONDS, left),
            seconds=left,
        )

    def read(self, answer: Answer) -> Iterator[Job]:
        self._standing.token = answer.read(Token.model_validate_json).token
        self._standing.renews = False
        yield from ()
