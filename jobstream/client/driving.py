"""The two that do what talks decide: one waits, one awaits. Whatever is decided is decided elsewhere, once."""

import asyncio
import socket
import threading
import time
from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import aclosing, contextmanager, suppress
from typing import TypeVar

import httpx2

from jobstream.client.talk import Pause, Request, Talk
from jobstream.client.wire import sent

Result = TypeVar("Result")


def held(talk: Talk[Result], http: httpx2.Client) -> Generator[Result, None, None]:
    """What the talk comes to, act by act."""
    while act := talk.next_act():
        if isinstance(act, Pause):
            time.sleep(act.seconds)
            continue
        try:
            yield from _exchanged(act, talk, http)
        except httpx2.RequestError as error:
            talk.broke(error)


async def held_awaited(talk: Talk[Result], http: httpx2.AsyncClient) -> AsyncGenerator[Result, None]:
    """What the talk comes to, act by act."""
    while act := talk.next_act():
        if isinstance(act, Pause):
            await asyncio.sleep(act.seconds)
            continue
        try:
            async with aclosing(_exchanged_awaited(act, talk, http)) as results:
                async for result in results:
                    yield result
        except (httpx2.RequestError, TimeoutError) as error:
            talk.broke(error)


def _exchanged(request: Request, talk: Talk[Result], http: httpx2.Client) -> Generator[Result, None, None]:
    deadline = None if request.seconds is None else time.monotonic() + request.seconds
    with http.stream(**sent(request)) as response, _broken_at(deadline, response):
        talk.opened(response.status_code, response.headers)
        for chunk in response.iter_bytes():
            yield from talk.take(chunk)
            if talk.enough:
                return
        yield from talk.closed()


async def _exchanged_awaited(
    request: Request, talk: Talk[Result], http: httpx2.AsyncClient
) -> AsyncGenerator[Result, None]:
    deadline = None if request.seconds is None else asyncio.get_running_loop().time() + request.seconds
    async with http.stream(**sent(request)) as response:
        talk.opened(response.status_code, response.headers)
        async with aclosing(_chunks(response, deadline)) as chunks:
            async for chunk in chunks:
                for result in talk.take(chunk):
                    yield result
                if talk.enough:
                    return
        for result in talk.closed():
            yield result


async def _chunks(response: httpx2.Response, deadline: float | None) -> AsyncGenerator[bytes, None]:
    """The pieces of the body; TimeoutError when the time is over."""
    async with aclosing(response.aiter_bytes()) as chunks:
        while True:
            async with asyncio.timeout_at(deadline):
                chunk = await anext(chunks, None)
            if chunk is None:
                return
            yield chunk


@contextmanager
def _broken_at(deadline: float | None, response: httpx2.Response) -> Iterator[None]:
    """Breaks the connection when the time is over: whoever waits for the service hears of nothing else."""
    if deadline is None:
        yield
        return
    stream = response.extensions["network_stream"]
    timer = threading.Timer(max(0.0, deadline - time.monotonic()), _break, [stream.get_extra_info("socket")])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _break(connection: socket.socket) -> None:
    with suppress(OSError):  # it is closed already
        socket.socket.shutdown(connection, socket.SHUT_RDWR)  # TLS would close in order, under its reader's feet
