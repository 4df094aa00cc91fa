"""The client for code that awaits."""

import ssl
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from functools import wraps
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Protocol, Self, TypeVar

import httpx2

from jobstream.client.call import Call
from jobstream.client.calling import CALL_SECONDS, Calling
from jobstream.client.calls import dead_letters, events, jobs, tokens
from jobstream.client.credential import AsyncSource
from jobstream.client.driving import held_awaited
from jobstream.client.job import Job
from jobstream.client.listener import NOBODY, Listener
from jobstream.client.pace import PACE, Pace
from jobstream.client.watching import Watch, result_of
from jobstream.client.wire import connection

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class Asks(Protocol):
    """Whoever sends calls."""

    async def ask(self, call: Call[Result]) -> Result:
        """What the call comes to."""


def asking(
    call: Callable[Parameters, Call[Result]],
) -> Callable[Concatenate[Any, Parameters], Coroutine[Any, Any, Result]]:
    """The method that makes this call and sends it."""

    @wraps(call)
    async def ask(self: Asks, /, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        return await self.ask(call(*args, **kwargs))

    return ask


class Group:
    """Calls that belong together."""

    def __init__(self, client: Asks) -> None:
        self._client = client

    async def ask(self, call: Call[Result]) -> Result:
        """What the call comes to."""
        return await self._client.ask(call)


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


class AsyncClient:
    """A service, asked by code that awaits.

    Without `base_url` it is at JOBSTREAM_URL, else on this machine; without `token` (a secret, a token, or a
    function, async or not, that yields a fresh one) the credential is JOBSTREAM_TOKEN, else
    BACKGROUND_FUNCTION_AUTH_TOKEN. One call may take `timeout` seconds; `pace` says how long a watch waits.
    `trusts` is for a certificate that no authority of the system signed."""

    def __init__(
        self,
        base_url: str | None = None,
        token: AsyncSource | None = None,
        *,
        timeout: float = CALL_SECONDS,
        proxy: str | None = None,
        trusts: ssl.SSLContext | None = None,
        pace: Pace = PACE,
    ) -> None:
        self._http = httpx2.AsyncClient(**connection(base_url, token, proxy, trusts))
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
    ) -> AsyncGenerator[Job, None]:
        """The job after each update, until its run has ended; through cuts and restarts none is lost or doubled.

        It goes on from what a `Job` holds; an id begins with the whole job. TimedOut after `timeout` seconds. The
        `listener` hears of each update, and of the service coming and going. Whoever leaves the watch before its end
        closes it (`contextlib.aclosing`)."""
        return held_awaited(Watch(job, timeout=timeout, listener=listener, pace=self._pace), self._http)

    async def result(self, job: Job | str, *, timeout: float | None = None) -> Any:  # noqa: ASYNC109  # as in `watch`
        """The job's result, once it has one; JobFailed if it ends without, TimedOut after `timeout` seconds."""
        last = None if isinstance(job, str) else job
        async with aclosing(self.watch(job, timeout=timeout)) as states:
            async for state in states:
                last = state
        return result_of(last)

    async def ask(self, call: Call[Result]) -> Result:
        """What one call comes to."""
        talk = Calling(call, seconds=self._call_seconds)
        (result,) = [result async for result in held_awaited(talk, self._http)]
        return result

    async def close(self) -> None:
        """Close its connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
