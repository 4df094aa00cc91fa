"""Server-sent events of the operator's figures: frames what the lookout says, and nothing else."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from service import frames
from service.feed import Bye
from service.lookout import Figures, Silence

Items = AsyncGenerator[Figures | Silence | Bye, None]


def stream_response(items: Items) -> frames.Stream:
    """The response that tells the figures, at first and whenever they have changed."""
    return frames.Stream(_aloud(items))


async def _aloud(items: Items) -> AsyncGenerator[bytes, None]:
    yield frames.RETRY
    async with aclosing(items):
        async for item in items:
            yield _frame(item)


def _frame(item: Figures | Silence | Bye) -> bytes:
    match item:
        case Figures(told=told):
            return frames.remark("figures", told)
        case Bye(reason=reason):
            return frames.farewell(reason)
    return frames.remark("ping", frames.ping_data(None))
