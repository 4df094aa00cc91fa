"""OpenAI's Responses API: a job as a response, and its updates as numbered events."""

from collections.abc import AsyncGenerator, Iterator
from typing import assert_never

from jobs.errors import JobNotFound
from jobs.model import JsonObject
from jobs.updates import json_line
from service import frames
from service.feed import Bye, Gone, Item
from service.transports.dialects.openai_object import Asked, item_id, message, response, shell, text_part
from service.transports.dialects.reading import aloud, before_the_first
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

NUMBERS_OF_AN_UPDATE = 100
"""An event's `sequence_number` is its update's number times this, and its place among the update's events."""

UPDATES_BEFORE_ANY_TEXT = 2
"""A job is queued and picked up before a part of it can begin."""

ENDINGS = {"completed": "response.completed", "failed": "response.failed", "cancelled": "response.incomplete"}


def stream_response(
    items: AsyncGenerator[Item, None], job: JsonObject, asked: Asked, *, after: int | None
) -> frames.Stream:
    """The response that tells the items, which are the log from its start, from the event after that number on."""
    teller = Teller(before_the_first(job), run=job["run"])
    return frames.Stream(aloud(items, teller, Events(asked, after=after)))


class Events:
    """Frames chapters as events; those up to the number `after` are taken as heard."""

    def __init__(self, asked: Asked, *, after: int | None = None) -> None:
        self._asked = asked
        self._after = -1 if after is None else after
        self._number = 0

    def frames(self, chapter: Chapter) -> bytes:
        """The chapter's events, as far as they weren't heard."""
        events = [event for act in chapter.acts for event in _events(act, chapter.job, self._asked)]
        lost = self._number == 0 and self._lost_before(chapter)
        frames = b""
        for number, event in enumerate(events, start=chapter.seq * NUMBERS_OF_AN_UPDATE):
            self._number = number
            if number > self._after and not (lost and _may_repeat(event)):
                frames += _frame(event, number)
        return frames

    def farewell(self, item: Bye | Gone) -> bytes:
        """Nothing before a mere pause: a stream without a terminal event is to be resumed."""
        if isinstance(item, Bye):
            return b""
        error = {"type": "error", "code": JobNotFound.code, "message": JobNotFound.title, "param": None}
        return _frame(error, self._number + 1)

    def _lost_before(self, chapter: Chapter) -> bool:
        """Whether the log has lost updates of which the reader may have heard some, and not all."""
        heard_text = self._after >= NUMBERS_OF_AN_UPDATE * (UPDATES_BEFORE_ANY_TEXT + 1)
        return chapter.whole and heard_text and self._after < chapter.seq * NUMBERS_OF_AN_UPDATE


def _may_repeat(event: JsonObject) -> bool:
    """Whether the event may hold again what was heard; what ends an item holds all of it, and is told."""
    return not event["type"].endswith(".done")


def _events(act: Act, job: JsonObject, asked: Asked) -> Iterator[JsonObject]:
    match act:
        case Began():
            yield {"type": "response.created", "response": shell(job, asked, "queued")}
        case Started():
            yield {"type": "response.in_progress", "response": shell(job, asked, "in_progress")}
        case Opened(draft=draft):
            added = {**message(_draft_id(job, draft), "", "in_progress"), "content": []}
            yield {"type": "response.output_item.added", "output_index": draft.place, "item": added}
            yield {"type": "response.content_part.added", **_place(job, draft), "part": text_part("")}
        case Wrote(draft=draft, text=text):
            yield {"type": "response.output_text.delta", **_place(job, draft), "delta": text, "logprobs": []}
        case Dropped(draft=draft, text=text):
            yield from _done(job, draft, text, "incomplete")
        case Closed(draft=draft, text=text, whole=whole):
            yield from _done(job, draft, text, "completed" if whole else "incomplete")
        case Ended():
            yield {"type": ENDINGS[job["state"]], "response": response(job, asked)}
        case StepBegan() | StepEnded():
            return
        case _:
            assert_never(act)


def _done(job: JsonObject, draft: Draft, text: str, status: str) -> Iterator[JsonObject]:
    yield {"type": "response.output_text.done", **_place(job, draft), "text": text, "logprobs": []}
    yield {"type": "response.content_part.done", **_place(job, draft), "part": text_part(text)}
    whole = message(_draft_id(job, draft), text, status)
    yield {"type": "response.output_item.done", "output_index": draft.place, "item": whole}


def _place(job: JsonObject, draft: Draft) -> JsonObject:
    return {"item_id": _draft_id(job, draft), "output_index": draft.place, "content_index": 0}


def _draft_id(job: JsonObject, draft: Draft) -> str:
    return item_id(job, draft.part, draft.attempt)


def _frame(event: JsonObject, number: int) -> bytes:
    body = json_line({**event, "sequence_number": number})
    return b"event: %s\ndata: %s\n\n" % (event["type"].encode(), body)
