"""An endpoint of loopback that is told of jobs: it keeps what came, and answers as it is bid."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from jobs.model import JsonObject
from jobs.signing import read_secrets
from jobstream.client import verify_webhook
from tests.jobs.patience import until

SECRET = "whsec_" + "c2VjcmV0" * 4
OTHER_SECRET = "whsec_" + "b3RoZXIu" * 4
SECRETS = read_secrets(SECRET)

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Came:
    """One request as it came."""

    line: str
    headers: dict[str, str]
    body: bytes

    def told(self, secret: str = SECRET) -> JsonObject:
        """What it tells, once its signature is checked."""
        return verify_webhook(secret, self.headers, self.body)

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


@dataclass
class Receiver:
    """What came, and the answers that are still to be given; with none left, 204."""

    port: int = 0
    came: list[Came] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    serving: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def place(self) -> str:
        """As JOBSTREAM_WEBHOOK_HOSTS has it."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.place}/hook"

    async def until(self, count: int) -> list[Came]:
        """What came, once it is so many."""

        async def enough() -> bool:
            return len(self.came) >= count

        await until(enough)
        return self.came

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one request, and answer it."""
        task = asyncio.current_task()
        assert task
        self.serving.add(task)
        task.add_done_callback(self.serving.discard)
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            line, *rest = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in rest)}
            body = await reader.readexactly(int(headers["content-length"]))
            self.came.append(Came(line, headers, body))
            await (self.answers.pop(0) if self.answers else status(204))(writer)
        with suppress(OSError, asyncio.CancelledError):
            writer.close()
            await writer.wait_closed()


def status(code: int, **headers: str) -> Answer:
    """An answer without a body."""
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {code} Told\r\n{head}Content-Length: 0\r\n\r\n".encode())
        await writer.drain()

    return answer


async def never(writer: asyncio.StreamWriter) -> None:
    """No answer, and no end."""
    await asyncio.Event().wait()


async def drop_by_drop(writer: asyncio.StreamWriter) -> None:
    """A head that never ends."""
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-More: more\r\n")
        await writer.drain()
        await asyncio.sleep(0.05)


async def endless(writer: asyncio.StreamWriter) -> None:
    """A body without an end."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


async def no_http(writer: asyncio.StreamWriter) -> None:
    """Something else than HTTP."""
    writer.write(b"220 mail.example.com ESMTP\r\n")
    await writer.drain()


@asynccontextmanager
async def receiving(tls: ssl.SSLContext | None = None, *, port: int = 0) -> AsyncIterator[Receiver]:
    """A receiver that listens; nothing of it is left when the block ends."""
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", port, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for task in receiver.serving:
            task.cancel()
