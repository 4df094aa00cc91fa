"""Sends the frames of an answer at their pace, with the fault that was asked for."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from starlette.responses import StreamingResponse
from starlette.types import Send

from sandbox.faults import Break
from sandbox.wire import Frame, Wire

_PIECES_BEFORE_A_BREAK = 3
_SLICES = 6
_NOT_JSON = r"\x\x"  # an escape that JSON doesn't have, in a string or out of it


class CutError(Exception):
    """The connection is to be closed in the middle of a body."""


class Playback(StreamingResponse):
    """A response whose body may be cut: the server closes a connection whose body was not ended."""

    async def stream_response(self, send: Send) -> None:
        """Send the body as it comes."""
        try:
            await super().stream_response(send)
        except CutError:
            return


async def play(
    frames: Sequence[Frame], waits: Sequence[float], *, wire: Wire, breaks: Break | None
) -> AsyncIterator[bytes]:
    """The bytes of each frame; one that carries a piece waits, and a break comes after a few of them."""
    seconds = iter(waits)
    broken = _break_at(frames) if breaks else None
    for place, frame in enumerate(frames):
        if frame.piece:
            await asyncio.sleep(next(seconds))
        if place != broken:
            yield frame.encode()
            continue
        match breaks:
            case "malformed":
                yield replace(frame, data=frame.data[: len(frame.data) // 2] + _NOT_JSON).encode()
            case "stall":
                await asyncio.Event().wait()
            case "error":
                yield wire.failure(place).encode()
                return
            case "cut":
                raise CutError
            case _:
                return


def slices(body: str) -> list[Frame]:
    """A body that isn't a stream as frames, so that what breaks a stream breaks it too."""
    size = len(body) // _SLICES + 1
    parts = (body[start : start + size] for start in range(0, len(body), size))
    return [Frame(part, before="", after="", piece=part) for part in parts]


def _break_at(frames: Sequence[Frame]) -> int:
    carrying = [place for place, frame in enumerate(frames) if frame.piece]
    return carrying[min(_PIECES_BEFORE_A_BREAK, len(carrying) - 1)]
