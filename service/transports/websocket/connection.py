"""One accepted WebSocket: what is heard of jobs as JSON messages, and the codes that it is closed with."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

import orjson
from starlette.websockets import WebSocket, WebSocketDisconnect

from jobs.errors import JobError, JobNotFound
from jobs.model import JobId, JsonObject
from service import frames
from service.feed import PING_SECONDS, Bye, Gone, Item, Quiet, Told
from service.problems import problem
from service.view import shown_with_reason

SUBPROTOCOL = "jobs.v1"
ENDED, RESTARTING, TRY_LATER = 1000, 1012, 1013
MALFORMED, UNAUTHORIZED, NO_SUCH_JOB, TOO_SLOW = 4400, 4401, 4404, 4408

_CLOSE_CODES = {"unauthorized": UNAUTHORIZED, "forbidden": UNAUTHORIZED, "job-not-found": NO_SUCH_JOB}


class Closing(Exception):
    """The server ends the connection, with this code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def close_code(error: JobError) -> int:
    """The code that a refusal closes the connection with."""
    if error.code in _CLOSE_CODES:
        return _CLOSE_CODES[error.code]
    return MALFORMED if error.code.startswith("invalid") else TRY_LATER


class Connection:
    """One accepted socket: whatever is sent goes through here, one message at a time."""

    def __init__(self, socket: WebSocket, request_id: str) -> None:
        self._socket = socket
        self._request_id = request_id
        self._sending = asyncio.Lock()
        self.said_at = time.monotonic()

    async def say(self, message: bytes) -> None:
        """Send one message; Closing when the reader takes nothing for 30 s."""
        async with self._sending:
            try:
                async with asyncio.timeout(frames.SEND_SECONDS):
                    await self._socket.send({"type": "websocket.send", "text": message.decode()})
            except TimeoutError as error:
                raise Closing(TOO_SLOW) from error
        self.said_at = time.monotonic()

    async def answer(self, op: str, **more: object) -> None:
        """The answer to an op."""
        await self.say(orjson.dumps({"op": op, **more}))

    async def refuse(self, error: JobError, job_id: str | None = None) -> None:
        """Tell that an op was refused; the rest goes on."""
        about = {} if job_id is None else {"job": job_id}
        await self.answer("error", **about, problem=problem(error, self._request_id))

    async def tell(self, job_id: JobId, item: Item) -> None:
        """What was heard of a job."""
        match item:
            case list():
                for entry in item:
                    await self.say(_message(job_id, entry.event, entry.body, str(entry.cursor)))
            case Told(story=story, reason=reason):
                data = shown_with_reason(story.before_end, reason)
                await self.say(_message(job_id, "snapshot", data, str(story.cursor_before_end)))
            case Quiet(cursor=cursor):
                await self.ping(job_id, str(cursor))
            case Bye(reason=reason):
                await self.say(_message(job_id, "bye", orjson.dumps({"reason": reason})))
            case Gone():
                gone = problem(JobNotFound("The job was deleted or has expired."), self._request_id)
                await self.say(_message(job_id, "problem", orjson.dumps(gone)))

    async def ping(self, job_id: JobId | None, cursor: str | None) -> None:
        """Say that the connection lives, if it was silent."""
        if time.monotonic() - self.said_at >= PING_SECONDS - 1:
            data = orjson.dumps({**frames.ping(cursor or ""), "cursor": cursor})
            await self.say(_message(job_id, "ping", data))

    async def bye(self, reason: str) -> None:
        """Say that the server ends the connection by its own choice."""
        await self.say(_message(None, "bye", orjson.dumps({"reason": reason})))

    async def receive(self) -> str:
        """The next message of the client; Closing for one that is not text."""
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        if message.get("text") is None:
            raise Closing(MALFORMED)
        text: str = message["text"]
        return text


async def aloud(connection: Connection, job_id: JobId, items: AsyncGenerator[Item, None]) -> int:
    """Tell all that is heard of one job; the code to close the connection with afterwards."""
    last: Item | None = None
    async with aclosing(items):
        async for item in items:
            await connection.tell(job_id, item)
            last = item
    match last:
        case Bye(reason="unauthorized"):
            return UNAUTHORIZED
        case Bye():
            return RESTARTING
        case Gone():
            return NO_SUCH_JOB
    return ENDED


def _message(job_id: JobId | None, event: str, data: bytes, cursor: str | None = None) -> bytes:
    head: JsonObject = {} if cursor is None else {"id": cursor}
    if job_id is not None:
        head["job"] = job_id
    head["event"] = event
    return orjson.dumps(head)[:-1] + b',"data":' + data + b"}"
