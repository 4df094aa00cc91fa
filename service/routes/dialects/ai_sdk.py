"""The AI SDK's chat: `useChat` sends, streams and resumes here, as its default transport has it."""

from contextlib import ExitStack
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from jobs.errors import JobError
from jobs.model import JobId
from service.auth import CANCEL, READ
from service.body import read_optional_json
from service.problems import sentence, status_of
from service.routes.dialects.asking import KIND, Caller, CallerOf, answered_by, conversation, not_taken
from service.routes.dialects.envelopes import telling
from service.seats import Seated
from service.transports.dialects import ai_sdk

DIALECT = "ai-sdk"
SAYS_NOTHING = ("step-start", "reasoning", "source-url", "source-document")
LONGEST_NAME = 256


def _sentence(error: JobError) -> Response:
    """The client shows the whole body of a refusal as its error's message."""
    return PlainTextResponse(sentence(error), status_of(error))


router = APIRouter(prefix="/api/chat", include_in_schema=False, route_class=telling(_sentence))

Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]


class Part(BaseModel):
    """One part of a message; text is all that is read of it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    type: str
    text: str = ""
    providerMetadata: dict[str, Any] | None = None  # noqa: N815  # the client's name

    @property
    def counts(self) -> bool:
        """Whether it is text that the assistant has not taken back."""
        ours = (self.providerMetadata or {}).get("jobstream")
        return self.type == "text" and not (isinstance(ours, dict) and ours.get("superseded"))


class Message(BaseModel):
    """A message of the conversation."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    role: Literal["system", "user", "assistant"]
    parts: list[Part]

    @property
    def text(self) -> str:
        """What it says."""
        return "\n\n".join(part.text for part in self.parts if part.counts and part.text)


class ChatBody(BaseModel):
    """What `DefaultChatTransport` sends, and the provider and model that its `body` option may add."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: Name
    messages: Annotated[list[Message], Field(min_length=1)]
    provider: str | None = None
    model: str | None = None


@router.post("")
async def chat(request: Request, caller: CallerOf) -> Response:
    """Ask, and stream the answer; it goes on when the stream is cut."""
    body = await caller.body(request, ChatBody)
    _check_parts(body.messages)
    said = [(message.role, message.text) for message in body.messages]
    asked = "/".join(word for word in (body.provider, body.model) if word) or None
    with ExitStack() as until_sent:
        seat = until_sent.enter_context(await caller.api.limits.stream(caller.guest, "dialect"))
        job_id = await caller.ask({**conversation(said), **answered_by(asked)}, thread=(DIALECT, body.id))
        until_sent.pop_all()
    return Seated(ai_sdk.stream_response(caller.api.stream(job_id, None, caller.access)), seat)


@router.get("/{chat_id}/stream")
async def resume(chat_id: str, caller: CallerOf) -> Response:
    """The whole answer that is being written, from its beginning; 204 where none is."""
    job_id = await _running(caller, chat_id, READ)
    if job_id is None:
        return Response(status_code=204)
    seat = await caller.api.limits.stream(caller.guest, "dialect")
    return Seated(ai_sdk.stream_response(caller.api.stream(job_id, None, caller.access)), seat)


@router.post("/{chat_id}/stop")
async def stop(request: Request, chat_id: str, caller: CallerOf) -> Response:
    """Cancel the answer that is being written; none, where the body's `activeStreamId` names an earlier one."""
    sent = await read_optional_json(request, limit=caller.api.kinds[KIND].body_limit)
    job_id = await _running(caller, chat_id, CANCEL)
    if job_id is not None and sent.get("activeStreamId") in (None, job_id):
        await caller.api.queue.cancel(job_id)
    return JSONResponse({"success": True})


async def _running(caller: Caller, chat_id: str, scope: str) -> JobId | None:
    """The chat's newest job, while it goes on."""
    found = await caller.newest(DIALECT, chat_id, scope)
    return found[0] if found and not found[1].state.terminal else None


def _check_parts(messages: list[Message]) -> None:
    for place, message in enumerate(messages):
        for part in message.parts:
            if part.type != "text" and part.type not in SAYS_NOTHING and not part.type.startswith("data-"):
                raise not_taken(f"/messages/{place}/parts", f"{part.type} is not taken, text alone is")
