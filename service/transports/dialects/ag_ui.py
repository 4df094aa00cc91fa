"""AG-UI, protocol 1.0: a job's run as a run of an agent, each draft as a message."""

from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass, field
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

PROTOCOL_VERSION = "1.0"


def stream_response(items: AsyncGenerator[Item, None], run: "Run") -> frames.Stream:
    """The response that tells the items, which start with a snapshot, as the run."""
    return frames.Stream(aloud(items, Teller(), run))


@dataclass
class Run:
    """Frames chapters as the events of one run. `history` is the conversation as its client has it; `resumed`: the
    client may hold some of the answer already."""

    thread_id: str
    run_id: str
    history: Sequence[JsonObject]
    resumed: bool = False
    _said: dict[str, JsonObject] = field(default_factory=dict)

    def frames(self, chapter: Chapter) -> bytes:
        """The chapter's events."""
        events = (event for act in chapter.acts for event in self._events(act, chapter.job))
        return b"".join(b"data: %s\n\n" % json_line(event) for event in events)

    def farewell(self, item: Bye | Gone) -> bytes:
        """An error, since this stream of the run ends; `code` says whether to connect again."""
        if isinstance(item, Bye):
            event = _error("The server has closed the stream, and the run goes on: connect again.", code=item.reason)
        else:
            event = _error(JobNotFound.title, code=JobNotFound.code)
        return b"data: %s\n\n" % json_line(event)

    def _events(self, act: Act, job: JsonObject) -> Iterator[JsonObject]:
        match act:
            case Began():
                yield self._of_run("RUN_STARTED", protocolVersion=PROTOCOL_VERSION, metadata={"job": job["id"]})
                if self.resumed:
                    yield self._conversation(job["id"])
            case Opened(draft=draft):
                message = {"id": _id(job, draft), "role": "assistant", "name": draft.part, "content": ""}
                self._said[message["id"]] = message
                yield _of_message("TEXT_MESSAGE_START", message["id"], role="assistant", name=draft.part)
            case Wrote(draft=draft, text=text):
                self._said[_id(job, draft)]["content"] += text
                yield _of_message("TEXT_MESSAGE_CONTENT", _id(job, draft), delta=text)
            case Dropped(draft=draft):
                del self._said[_id(job, draft)]
                yield _of_message("TEXT_MESSAGE_END", _id(job, draft))
                yield self._conversation(job["id"])
            case Closed(draft=draft):
                error = job["parts"][draft.part]["error"]
                more = {"metadata": {"error": error}} if error else {}
                yield _of_message("TEXT_MESSAGE_END", _id(job, draft), **more)
            case StepBegan(name=name) | StepEnded(name=name):
                yield {"type": "STEP_STARTED" if isinstance(act, StepBegan) else "STEP_FINISHED", "stepName": name}
            case Ended():
                yield self._end(job)
            case Started():
                return
            case _:
                assert_never(act)

    def _conversation(self, job_id: str) -> JsonObject:
        """All messages as they are now, without any draft of this run that counts no more."""
        before = [message for message in self.history if not str(message.get("id")).startswith(f"{job_id}-")]
        return {"type": "MESSAGES_SNAPSHOT", "messages": [*before, *self._said.values()]}

    def _end(self, job: JsonObject) -> JsonObject:
        usage = [_usage(name, part) for name, part in job["parts"].items() if part["usage"]]
        if job["state"] == "failed":
            return {**_error(job["error"]["detail"], code=job["error"]["type"]), "usage": usage}
        outcome = "success" if job["state"] == "completed" else "cancelled"
        return self._of_run("RUN_FINISHED", outcome={"type": outcome}, usage=usage)

    def _of_run(self, kind: str, **more: object) -> JsonObject:
        return {"type": kind, "threadId": self.thread_id, "runId": self.run_id, **more}


def _of_message(kind: str, message_id: str, **more: object) -> JsonObject:
    return {"type": kind, "messageId": message_id, **more}


def _error(message: str, *, code: str) -> JsonObject:
    return {"type": "RUN_ERROR", "message": message, "code": code}


def _usage(provider: str, part: JsonObject) -> JsonObject:
    read, written = part["usage"]["input_tokens"], part["usage"]["output_tokens"]
    counts = {"inputTokens": read, "outputTokens": written, "totalTokens": read + written}
    return {"provider": provider, "model": part["model"], **counts}


def _id(job: JsonObject, draft: Draft) -> str:
    return f"{job['id']}-{draft.part}-{draft.attempt}"
