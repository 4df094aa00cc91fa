"""Keeping leases: a thread of its own renews them, so that a busy event loop does not lose its jobs."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import redis
import structlog

from jobs.connection import open_thread_client, script_text
from jobs.model import JobId
from workers.runner import Stop

WATCHDOG_SECONDS = 60.0
"""An event loop that gave no sign for so long is taken for dead: its jobs belong to somebody else."""

CALL_SECONDS = 1.0

log = structlog.get_logger(__name__)


class LeaseKeeper:
    """Renews the leases of `holdings` every third of their length, until closed.

    `tell` is called from the thread with the jobs whose lease is gone or cannot be renewed in time, and with
    those that somebody asked to cancel."""

    def __init__(
        self,
        url: str,
        *,
        lease_seconds: float,
        tell: Callable[[list[JobId], Stop], object],
    ) -> None:
        self._url = url
        self._lease_seconds = lease_seconds
        self._tell = tell
        self._holdings: dict[JobId, tuple[str, float]] = {}
        self._guard = threading.Lock()
        self._closed = threading.Event()
        self._sign_of_life = time.monotonic()

    def hold(self, job_id: JobId, token: str) -> None:
        """Renew this job's lease from now on."""
        with self._guard:
            self._holdings[job_id] = (token, time.monotonic() + self._lease_seconds)

    def drop(self, job_id: JobId) -> None:
        """Stop renewing this job's lease."""
        with self._guard:
            self._holdings.pop(job_id, None)

    def loop_is_alive(self) -> None:
        """To be called by the event loop, often."""
        self._sign_of_life = time.monotonic()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Renew while the body runs."""
        thread = threading.Thread(target=self._run, name="lease-keeper", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._closed.set()
            thread.join(timeout=2 * CALL_SECONDS)

    def _run(self) -> None:
        client = open_thread_client(self._url, call_seconds=CALL_SECONDS)
        renew = client.register_script(script_text("renew"))
        pause = self._lease_seconds / 3
        with client:
            while not self._closed.wait(pause):
                pause = self._lease_seconds / 3
                try:
                    self._renew(renew)
                except (redis.RedisError, OSError):
                    pause = min(0.2, pause)
                self._tell_overdue()

    def _renew(self, renew: Callable[..., list[list[bytes]]]) -> None:
        if time.monotonic() - self._sign_of_life > WATCHDOG_SECONDS:
            log.error("event loop blocked; leases are let go", seconds=WATCHDOG_SECONDS)
            return
        with self._guard:
            tokens = {job_id: token for job_id, (token, _) in self._holdings.items()}
        if not tokens:
            return
        began = time.monotonic()
        pairs = [argument for pair in tokens.items() for argument in pair]
        lost, cancelling = renew(args=[round(self._lease_seconds * 1000), *pairs])
        gone = {JobId(job_id.decode()) for job_id in lost}
        self._extend(tokens.keys() - gone, began + self._lease_seconds)
        self._tell_holders(gone, tokens, Stop.LOST)
        self._tell_holders({JobId(job_id.decode()) for job_id in cancelling}, tokens, Stop.CANCELLED)

    def _tell_holders(self, job_ids: set[JobId], tokens: Mapping[JobId, str], why: Stop) -> None:
        """Tell of the jobs that are still held by the token that was asked about: one may have been handed back
        meanwhile, and claimed again."""
        with self._guard:
            held = sorted(each for each in job_ids if self._holdings.get(each, ("",))[0] == tokens[each])
        if held:
            self._tell(held, why)

    def _extend(self, job_ids: set[JobId], until: float) -> None:
        with self._guard:
            for job_id in job_ids & self._holdings.keys():
                self._holdings[job_id] = (self._holdings[job_id][0], until)

    def _tell_overdue(self) -> None:
        """A lease that could not be renewed in time may be another's by now: its job must have no more effects."""
        now = time.monotonic()
        with self._guard:
            overdue = [job_id for job_id, (_, until) in self._holdings.items() if until < now]
        if overdue:
            self._tell(overdue, Stop.LOST)
