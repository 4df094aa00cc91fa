"""The AI SDK's UI message stream, version 1: one assistant message, a text part for each draft."""

from collections.abc import AsyncGenerator, Iterator
from typing import assert_never

from jobs.errors import JobNotFound
from jobs.model import JsonObject
from jobs.updates import json_line
from service import frames
from service.feed import Bye, Gone, Item
from service.transports.dialects.reading import aloud
from service.transports.dialects.telling import (
    Act,
    Began,
    Chapter,
    Closed,
    Draft,
    Dropped,
    Ended,
    Opened,
    Started,
    StepBegan,
    StepEnded,
    Teller,
    Wrote,
)

HEADERS = {"x-vercel-ai-ui-message-stream": "v1"}
DONE = b"data: [DONE]\n\n"
COME_BACK = "The server has closed the stream, and the answer goes on: resume it."


def stream_response(items: AsyncGenerator[Item, None]) -> frames.Stream:
    """The response that tells the items, which start with a snapshot, as one message."""
    response = frames.Stream(aloud(items, Teller(), Message()))
    response.headers.update(HEADERS)
    return response


class Message:
    """Frames chapters as the chunks of one assistant message, whose id is the job's."""

    def frames(self, chapter: Chapter) -> bytes:
        """The chapter's chunks."""
        return b"".join(frame for act in chapter.acts for frame in _frames(act, chapter.job))

    def farewell(self, item: Bye | Gone) -> bytes:
        """An error, since a stream that merely ended would pass for a whole answer."""
        text = COME_BACK if isinstance(item, Bye) else JobNotFound.title
        return _frame({"type": "error", "errorText": text}) + DONE


def _frames(act: Act, job: JsonObject) -> Iterator[bytes]:
    match act:
        case Began():
            yield _frame({"type": "start", "messageId": job["id"]})
        case Opened(draft=draft):
            yield _frame({"type": "text-start", "id": _id(draft), "providerMetadata": _about(draft, job)})
        case Wrote(draft=draft, text=text):
            yield _frame({"type": "text-delta", "id": _id(draft), "delta": text})
        case Dropped(draft=draft):
            about = _about(draft, job, superseded=True)
            yield _frame({"type": "text-end", "id": _id(draft), "providerMetadata": about})
        case Closed(draft=draft):
            error = job["parts"][draft.part]["error"]
            about = _about(draft, job, **({"error": error} if error else {}))
            yield _frame({"type": "text-end", "id": _id(draft), "providerMetadata": about})
        case Ended():
            yield _frame(_end(job))
            yield DONE
        case Started() | StepBegan() | StepEnded():
            return
        case _:
            assert_never(act)


def _end(job: JsonObject) -> JsonObject:
    match job["state"]:
        case "completed":
            return {"type": "finish", "finishReason": "stop"}
        case "cancelled":
            return {"type": "abort", "reason": "cancelled"}
    return {"type": "error", "errorText": job["error"]["detail"]}


def _id(draft: Draft) -> str:
    return f"{draft.part}-{draft.attempt}"


def _about(draft: Draft, job: JsonObject, **more: object) -> JsonObject:
    """Whose text it is; a text part keeps what came last."""
    return {"jobstream": {"provider": draft.part, "model": job["parts"][draft.part]["model"], **more}}


def _frame(chunk: JsonObject) -> bytes:
    return b"data: %s\n\n" % json_line(chunk)
