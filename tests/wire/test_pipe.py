"""What is pushed into a WebSocket: whole messages, as the protocol has them."""

import asyncio

import pytest
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from service.pipe import Pipe, message

SIZES = [0, 1, 125, 126, 127, 65_535, 65_536, 300_000]


@pytest.mark.parametrize("size", SIZES)
def test_a_message_of_any_size_is_read_as_it_was_written(size: int) -> None:
    """The length of a frame is written in one of three ways."""
    text = b"x" * size
    client = ClientProtocol(parse_uri("ws://localhost/"), max_size=None)
    client.state = State.OPEN

    client.parser = client.parse()  # past the handshake, which is not what is tested
    next(client.parser)
    client.receive_data(message(text) + message(b"behind"))

    heard = client.events_received()
    assert heard == [Frame(Opcode.TEXT, text), Frame(Opcode.TEXT, b"behind")]


async def test_nothing_is_pushed_behind_the_last_word() -> None:
    """A frame after the closing one would be a fault of the protocol (RFC 6455, section 5.5.1)."""
    written: list[bytes] = []
    is_open = True
    pipe = Pipe(written.append, is_open=lambda: is_open, give_up=lambda: None, send_seconds=1)

    pipe.send(b"before")
    is_open = False
    pipe.send(b"behind")

    assert written == [b"before"]
    assert pipe.ended


async def test_a_client_that_takes_nothing_for_too_long_is_given_up() -> None:
    """Whoever waited to write to it is let go."""
    given_up = asyncio.Event()
    pipe = Pipe(lambda _: None, is_open=lambda: True, give_up=given_up.set, send_seconds=0.01)
    pipe.pause_writing()
    waiting = asyncio.ensure_future(pipe.drained())

    async with asyncio.timeout(60):
        await given_up.wait()
        pipe.lose()
        await waiting


async def test_those_who_wait_for_a_client_go_on_one_by_one() -> None:
    """Each message may be large: when the client takes more, the first one may be all that it takes."""

    unread: list[bytes] = []

    def write(data: bytes) -> None:
        unread.append(data)
        pipe.pause_writing()

    async def tell() -> None:
        await pipe.drained()
        pipe.send(b"large")

    pipe = Pipe(write, is_open=lambda: True, give_up=lambda: None, send_seconds=60)
    pipe.pause_writing()
    async with asyncio.timeout(60), asyncio.TaskGroup() as tellers:
        for _ in range(100):
            tellers.create_task(tell())
        for told in range(100):
            await asyncio.sleep(0)
            assert len(unread) == told
            pipe.resume_writing()
            while len(unread) == told:
                await asyncio.sleep(0)
        pipe.lose()
