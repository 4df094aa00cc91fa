"""The client for code that waits."""

import ssl
from collections.abc import Callable, Generator
from contextlib import closing
from functools import wraps
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Protocol, Self, TypeVar

import httpx2

from jobstream.client.call import Call
from jobstream.client.calling import CALL_SECONDS, Calling
from jobstream.client.calls import dead_letters, events, jobs, tokens
from jobstream.client.credential import Source
from jobstream.client.driving import held
from jobstream.client.job import Job
from jobstream.client.listener import NOBODY, Listener
from jobstream.client.pace import PACE, Pace
from jobstream.client.watching import Watch, result_of
from jobstream.client.wire import connection

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class Asks(Protocol):
    """Whoever sends calls."""

    def ask(self, call: Call[Result]) -> Result:
        """What the call comes to."""


def asking(call: Callable[Parameters, Call[Result]]) -> Callable[Concatenate[Any, Parameters], Result]:
    """The method that makes this call and sends it."""

    @wraps(call)
    def ask(self: Asks, /, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        return self.ask(call(*args, **kwargs))

    return ask


class Group:
    """Calls that belong together."""

    def __init__(self, client: Asks) -> None:
        self._client = client

    def ask(self, call: Call[Result]) -> Result:
        """What the call comes to."""
        return self._client.ask(call)


class Jobs(Group):
    """All jobs that the credential reads."""

    list = asking(jobs.page)


class Events(Group):
    """Events that start jobs."""

    send = asking(events.send)
    send_urgent = asking(events.send_urgent)
    send_delayed = asking(events.send_delayed)
    send_scheduled = asking(events.send_scheduled)
    find = asking(events.find)


class DeadLetters(Group):
    """Jobs that failed for good."""

    list = asking(dead_letters.page)
    groups = asking(dead_letters.groups)
    inspect = asking(dead_letters.inspect)
    retry = asking(dead_letters.retry)
    delete = asking(dead_letters.delete)


class Tokens(Group):
    """Short-lived credentials."""

    mint = asking(tokens.mint)
    stream = asking(tokens.stream)


class Client:
    """A service, asked by code that waits; several threads may share it.

    Without `base_url` it is at JOBSTREAM_URL, else on this machine; without `token` (a secret, a token, or a
    function that yields a fresh one) the credential is JOBSTREAM_TOKEN, else BACKGROUND_FUNCTION_AUTH_TOKEN. One
    call may take `timeout` seconds; `pace` says how long a watch waits.
    `trusts` is for a certificate that no authority of the system signed."""

    def __init__(
        self,
        base_url: str | None = None,
        token: Source | None = None,
        *,
        timeout: float = CALL_SECONDS,
        proxy: str | None = None,
        trusts: ssl.SSLContext | None = None,
        pace: Pace = PACE,
    ) -> None:
        self._http = httpx2.Client(**connection(base_url, token, proxy, trusts))
        self._call_seconds = timeout
        self._pace = pace
        self.jobs = Jobs(self)
        self.events = Events(self)
        self.dead_letters = DeadLetters(self)
        self.tokens = Tokens(self)

    submit = asking(jobs.submit)
    get = asking(jobs.get)
    cancel = asking(jobs.cancel)
    retry = asking(jobs.retry)
    delete = asking(jobs.delete)
    updates = asking(jobs.updates)
    kinds = asking(jobs.kinds)

    def watch(
        self, job: Job | str, *, timeout: float | None = None, listener: Listener = NOBODY
    ) -> Generator[Job, None, None]:
        """The job after each update, until its run has ended; through cuts and restarts none is lost or doubled.

        It goes on from what a `Job` holds; an id begins with the whole job. TimedOut after `timeout` seconds. The
        `listener` hears of each update, and of the service coming and going."""
        return held(Watch(job, timeout=timeout, listener=listener, pace=self._pace), self._http)

    def result(self, job: Job | str, *, timeout: float | None = None) -> Any:
        """The job's result, once it has one; JobFailed if it ends without, TimedOut after `timeout` seconds."""
        last = None if isinstance(job, str) else job
        with closing(self.watch(job, timeout=timeout)) as states:
            for state in states:
                last = state
        return result_of(last)

    def ask(self, call: Call[Result]) -> Result:
        """What one call comes to."""
        (result,) = held(Calling(call, seconds=self._call_seconds), self._http)
        return result

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
