"""One accepted WebSocket: what is heard of jobs as JSON messages, one at a time, and its last words."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress

import orjson
from starlette.websockets import WebSocket, WebSocketDisconnect

from jobs.errors import JobError, JobNotFound
from jobs.model import JobId, JsonObject
from service import frames
from service.errors import InvalidRequest
from service.feed import Bye, Gone, Item, Quiet, Told
from service.flow import Holder
from service.pipe import Pipe
from service.problems import problem
from service.transports.websocket.closing import MALFORMED, TOO_SLOW, Closing
from service.view import shown_with_reason
from service.wire import wire_of
from service.witness import refused

SUBPROTOCOL = "jobs.v1"


class Connection:
    """One accepted socket: what its own task sends goes through here, one message at a time."""

    def __init__(self, socket: WebSocket, request_id: str, *, ping_seconds: float) -> None:
        self._socket = socket
        self._request_id = request_id
        self._ping_seconds = ping_seconds
        self._wire = wire_of(socket.scope)
        self._sending = asyncio.Lock()
        self.said_at = asyncio.get_running_loop().time()
        self.ears: set[Holder] = set()
        """Who is pushed to."""

    @property
    def pipe(self) -> Pipe | None:
        """Where messages may be pushed, beside those that are sent here."""
        return self._wire.pipe

    def resume(self) -> None:
        """Let those go on who had to wait."""
        for ear in tuple(self.ears):
            ear.resume()

    def leave(self) -> None:
        """Push nothing any more."""
        for ear in tuple(self.ears):
            ear.leave()

    @property
    def silence_left(self) -> float:
        """How many seconds the connection may still say nothing."""
        return self.said_at + self._ping_seconds - asyncio.get_running_loop().time()

    async def answer(self, op: str, **more: object) -> None:
        """The answer to an op."""
        await self._say(orjson.dumps({"op": op, **more}))

    async def refuse(self, error: JobError, job_id: str | None = None) -> None:
        """Tell that an op was refused; the rest goes on."""
        refused(self._socket.scope, error)
        about = {} if job_id is None else {"job": job_id}
        await self.answer("error", **about, problem=problem(error, self._request_id))

    async def tell(self, job_id: JobId, item: Item) -> None:
        """What was heard of a job."""
        for text in self.words(job_id, item):
            await self._say(text)

    def words(self, job_id: JobId, item: Item) -> Iterator[bytes]:
        """What was heard of a job, in messages; nothing of a silence that another job has broken, nor of a farewell,
        which may be the connection's."""
        match item:
            case list():
                for entry in item:
                    yield _message(job_id, entry.event, entry.body, entry.place.decode())
            case Told(story=story, reason=reason):
                data = shown_with_reason(story, reason)
                yield _message(job_id, "snapshot", data, str(story.cursor_before_end))
            case Quiet(cursor=cursor):
                if self.silence_left <= 1:
                    self.said_at = asyncio.get_running_loop().time()
                    yield _ping(job_id, str(cursor))
            case Gone():
                gone = problem(JobNotFound("The job was deleted or has expired."), self._request_id)
                yield _message(job_id, "problem", orjson.dumps(gone))

    async def ping(self) -> None:
        """Say that the connection lives, if it was silent."""
        if self.silence_left <= 1:
            await self._say(_ping(None, None))

    async def bye(self, farewell: Bye, job_id: JobId | None = None) -> None:
        """Say farewell, for a job or for all."""
        await self._say(_message(job_id, "bye", orjson.dumps({"reason": farewell.reason})))

    async def receive(self) -> str:
        """The next message of the client; Closing for one that is not text."""
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        if message.get("text") is None:
            raise Closing(MALFORMED, refusal=InvalidRequest("Messages are text."))
        text: str = message["text"]
        return text

    async def close(self, closing: Closing) -> None:
        """Say the last words, and close; a client that was quicker does not hear them."""
        with suppress(WebSocketDisconnect, RuntimeError):
            if closing.refusal is not None:
                await self.refuse(closing.refusal)
            if closing.farewell is not None:
                await self.bye(closing.farewell)
            await self._send({"type": "websocket.close", "code": closing.code})

    async def _say(self, message: bytes) -> None:
        async with self._sending:
            await self._send({"type": "websocket.send", "text": message.decode()})
        self.said_at = asyncio.get_running_loop().time()

    async def _send(self, message: JsonObject) -> None:
        """WebSocketDisconnect where the reader takes nothing for so long that its connection is given up."""
        try:
            async with asyncio.timeout(self._wire.send_seconds):
                await self._socket.send(message)
        except TimeoutError:
            self._wire.give_up()
            raise WebSocketDisconnect(TOO_SLOW) from None


def _ping(job_id: JobId | None, cursor: str | None) -> bytes:
    return _message(job_id, "ping", orjson.dumps(frames.ping_data(cursor)))


def _message(job_id: JobId | None, event: str, data: bytes, cursor: str | None = None) -> bytes:
    head: JsonObject = {} if cursor is None else {"id": cursor}
    if job_id is not None:
        head["job"] = job_id
    head["event"] = event
    return orjson.dumps(head)[:-1] + b',"data":' + data + b"}"
