"""WebSockets: one job, or many that change as it goes."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import cast

from fastapi import APIRouter
from starlette.websockets import WebSocket, WebSocketDisconnect

from jobs.errors import JobError
from jobs.updates import Cursor
from service.api import Api
from service.auth import Access
from service.errors import NoCredential
from service.transports.websocket.connection import (
    MALFORMED,
    SUBPROTOCOL,
    Closing,
    Connection,
    aloud,
    close_code,
)
from service.transports.websocket.session import Session

router = APIRouter(prefix="/v1")


@router.websocket("/jobs/{job_id}/ws")
async def one(socket: WebSocket, job_id: str) -> None:
    """The updates of one job, from `?after=` on, until its run ends."""
    await _serve(socket, lambda connection: _one(socket, connection, job_id))


@router.websocket("/ws")
async def many(socket: WebSocket) -> None:
    """The updates of the jobs that the client subscribes to."""
    await _serve(socket, lambda connection: _many(socket, connection))


async def _one(socket: WebSocket, connection: Connection, job_id: str) -> int:
    api = _api(socket)
    access = api.auth.access(socket, in_url=True)
    place = socket.query_params.get("after")
    after = Cursor.parse(place) if place else None
    known_id, _ = await api.readable(job_id, access)
    return await _with_listener(connection, aloud(connection, known_id, api.follow(known_id, after, access)))


async def _many(socket: WebSocket, connection: Connection) -> int:
    api = _api(socket)
    return await Session(connection, api, _access_if_any(api, socket)).run()


def _access_if_any(api: Api, socket: WebSocket) -> Access | None:
    """The connection's own credential; without one, each subscription must bring a token."""
    try:
        return api.auth.access(socket, in_url=True)
    except NoCredential:
        return None


async def _with_listener(connection: Connection, telling: Coroutine[None, None, int]) -> int:
    """Tell, until it is told or the client leaves or says something: on one job's socket there is nothing to say."""
    task = asyncio.create_task(telling)
    listening = asyncio.create_task(connection.receive())
    try:
        await asyncio.wait({task, listening}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        listening.result()
        return MALFORMED
    finally:
        for each in (task, listening):
            each.cancel()
        await asyncio.gather(task, listening, return_exceptions=True)


async def _serve(socket: WebSocket, serve: Callable[[Connection], Awaitable[int]]) -> None:
    """Accept, serve and close: a refusal is told after it is accepted, since browsers hide the status."""
    request_id = str(socket.scope["state"]["request_id"])
    subprotocol = SUBPROTOCOL if SUBPROTOCOL in socket.scope.get("subprotocols", []) else None
    await socket.accept(subprotocol=subprotocol)
    connection = Connection(socket, request_id)
    try:
        code = await serve(connection)
    except WebSocketDisconnect:
        return
    except Closing as closing:
        code = closing.code
    except JobError as error:
        await connection.refuse(error)
        code = close_code(error)
    with suppress(RuntimeError, OSError):  # the client was quicker
        await socket.close(code)


def _api(socket: WebSocket) -> Api:
    return cast(Api, socket.app.state.api)
