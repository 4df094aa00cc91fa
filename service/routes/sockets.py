"""WebSockets: one job, or many that change as it goes."""

from collections.abc import Awaitable, Callable
from typing import cast

from fastapi import APIRouter
from starlette.websockets import WebSocket, WebSocketDisconnect

from jobs.errors import JobError
from jobs.updates import Cursor
from service.api import Api
from service.auth import Access
from service.errors import NoCredential
from service.limits import guest_of
from service.transports.websocket.closing import ENDED, Closing, refused
from service.transports.websocket.connection import SUBPROTOCOL, Connection
from service.transports.websocket.session import Session
from service.transports.websocket.single import follow_one

router = APIRouter(prefix="/v1")


@router.websocket("/jobs/{job_id}/ws")
async def one(socket: WebSocket, job_id: str) -> None:
    """The updates of one job, from `?after=` on, until its run ends."""
    await _serve(socket, lambda connection: _one(socket, connection, job_id))


@router.websocket("/ws")
async def many(socket: WebSocket) -> None:
    """The updates of the jobs that the client subscribes to."""
    await _serve(socket, lambda connection: _many(socket, connection))


async def _one(socket: WebSocket, connection: Connection, job_id: str) -> None:
    api = _api(socket)
    access = api.auth.access(socket, in_url=True)
    place = socket.query_params.get("after")
    after = Cursor.parse(place) if place else None
    known_id, head = await api.readable(job_id, access)
    if head.ended_at(after):
        api.witness.began("ended")
        raise Closing(ENDED)
    with await api.limits.stream(guest_of(access, socket), "websocket"):
        await follow_one(connection, api.delivery, known_id, after, api.bounds([access]))


async def _many(socket: WebSocket, connection: Connection) -> None:
    api = _api(socket)
    access = _access_if_any(api, socket)
    with await api.limits.stream(guest_of(access, socket), "websocket"):
        await Session(connection, api, access).run()


def _access_if_any(api: Api, socket: WebSocket) -> Access | None:
    """The connection's own credential, if it has one."""
    try:
        return api.auth.access(socket, in_url=True)
    except NoCredential:
        return None


async def _serve(socket: WebSocket, serve: Callable[[Connection], Awaitable[None]]) -> None:
    """Accept, serve and close: a refusal is told after it is accepted, since browsers hide the status."""
    request_id = str(socket.scope["state"]["request_id"])
    subprotocol = SUBPROTOCOL if SUBPROTOCOL in socket.scope.get("subprotocols", []) else None
    await socket.accept(subprotocol=subprotocol)
    connection = Connection(socket, request_id, ping_seconds=_api(socket).feed.ping_seconds)
    try:
        await serve(connection)
    except WebSocketDisconnect:
        return
    except Closing as closing:
        await connection.close(closing)
    except JobError as error:
        await connection.close(refused(error))


def _api(socket: WebSocket) -> Api:
    return cast(Api, socket.app.state.api)
