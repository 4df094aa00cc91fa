"""OpenAI's Responses: create, retrieve, stream, cancel and delete, as its SDK asks for them in background mode."""

from contextlib import ExitStack
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from jobs.errors import InvalidInput, JobError
from jobs.model import JobId, JsonObject
from jobs.snapshot import Story
from service.credentials import Watcher
from service.problems import status_of
from service.routes.dialects.asking import Caller, CallerOf, answered_by, conversation, not_taken
from service.routes.dialects.envelopes import telling
from service.seats import Seat, Seated
from service.transports import polling
from service.transports.dialects import openai_responses
from service.transports.dialects.openai_object import Asked, response
from service.transports.dialects.reading import from_the_start

LONGEST_WAIT_SECONDS = 120
UNTOLD = Asked(model="unknown")
"""What a response repeats to who holds a job's stream token: that reads the job, and not what the job was given."""

CANCEL_SECONDS = 15
"""How long a cancel is held until the run has ended: a worker has 10 s, and a lease."""

HARMLESS = (
    "include",
    "parallel_tool_calls",
    "prompt_cache_key",
    "prompt_cache_retention",
    "safety_identifier",
    "stream_options",
    "user",
)
"""What may be left out without changing the answer."""

NEUTRAL: dict[str, tuple[object, ...]] = {
    "service_tier": ("auto", "default"),
    "store": (True,),
    "text": ({"format": {"type": "text"}}, {}),
    "tool_choice": ("auto", "none"),
    "tools": ([],),
    "truncation": ("disabled",),
}
"""Values that ask for nothing but what is served anyway."""


def _envelope(error: JobError) -> Response:
    status = 400 if isinstance(error, InvalidInput) else status_of(error)
    found = error.violations if isinstance(error, InvalidInput) else ()
    message = " ".join([error.detail, *(f"{each.pointer}: {each.detail}." for each in found)])
    param = found[0].pointer.removeprefix("/").replace("/", ".") if found else None
    kind = "invalid_request_error" if status < 429 else "rate_limit_error" if status == 429 else "server_error"
    return JSONResponse(
        {"error": {"message": message, "type": kind, "param": param, "code": error.code}}, status_code=status
    )


router = APIRouter(prefix="/openai/v1/responses", include_in_schema=False, route_class=telling(_envelope))


class Content(BaseModel):
    """One part of a message."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    type: Literal["input_text", "output_text", "text"]
    text: str


class Message(BaseModel):
    """An item of the input: a message of text."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    type: Literal["message"] = "message"
    role: Literal["user", "assistant", "system", "developer"]
    content: str | list[Content]

    @property
    def text(self) -> str:
        """What it says."""
        return self.content if isinstance(self.content, str) else "".join(part.text for part in self.content)


class ResponseBody(BaseModel):
    """The body of a create; what else is in it must not change the answer."""

    model_config = ConfigDict(extra="allow", frozen=True)

    model: str | None = None
    input: str | list[Message]
    instructions: str | None = None
    max_output_tokens: Annotated[int, Field(ge=1)] | None = None
    metadata: dict[str, str] | None = None
    background: bool | None = None
    stream: bool | None = None

    def chat(self) -> JsonObject:
        """The chat's input; InvalidInput for what a chat can't do."""
        for name, value in (self.model_extra or {}).items():
            if value is not None and name not in HARMLESS and value not in NEUTRAL.get(name, ()):
                raise not_taken(f"/{name}", "is not supported")
        messages = [Message(role="user", content=self.input)] if isinstance(self.input, str) else self.input
        said: list[tuple[str, str]] = [(message.role, message.text) for message in messages]
        if self.instructions:
            said.insert(0, ("system", self.instructions))
        limit = {} if self.max_output_tokens is None else {"max_output_tokens": self.max_output_tokens}
        return {**conversation(said), **answered_by(self.model), **limit}


@router.post("")
async def create(request: Request, caller: CallerOf) -> Response:
    """Ask: in the background at once, else with the answer, as a stream or whole."""
    body = await caller.body(request, ResponseBody)
    chat = body.chat()
    with ExitStack() as until_sent:
        seat = await caller.api.limits.stream(caller.guest, "dialect") if body.stream else Seat()
        until_sent.enter_context(seat)
        job_id = await caller.ask(chat, metadata=body.metadata)
        until_sent.pop_all()
    if body.stream:
        return await _stream(caller, job_id, seat, after=None)
    if not body.background:
        await polling.until_ended(caller.api.follow(job_id, None, caller.access), LONGEST_WAIT_SECONDS)
    return await _whole(caller, job_id)


@router.get("/{response_id}")
async def retrieve(
    response_id: str,
    caller: CallerOf,
    *,
    stream: Annotated[bool, Query()] = False,
    starting_after: Annotated[int | None, Query(ge=0)] = None,
) -> Response:
    """The response as it is now, or its events from a number on."""
    job_id, _ = await caller.chat(response_id)
    if stream:
        seat = await caller.api.limits.stream(caller.guest, "dialect")
        return await _stream(caller, job_id, seat, after=starting_after)
    await caller.api.limits.poll(caller.guest, job_id)
    return await _whole(caller, job_id)


@router.post("/{response_id}/cancel")
async def cancel(response_id: str, caller: CallerOf) -> Response:
    """Ask for the end of the response, and answer with it."""
    job_id, _ = await caller.chat(response_id)
    await caller.api.cancellable(job_id, caller.access)
    await caller.api.queue.cancel(job_id)
    await polling.until_ended(caller.api.follow(job_id, None, caller.access), CANCEL_SECONDS)
    return await _whole(caller, job_id)


@router.delete("/{response_id}")
async def delete(response_id: str, caller: CallerOf) -> Response:
    """Delete a response that has ended, and all its data."""
    job_id, _ = await caller.chat(response_id)
    await caller.api.cancellable(job_id, caller.access)
    await caller.api.queue.forget(job_id)
    return JSONResponse({"id": job_id, "object": "response", "deleted": True})


async def _stream(caller: Caller, job_id: JobId, seat: Seat, *, after: int | None) -> Response:
    with ExitStack() as until_sent:
        until_sent.enter_context(seat)
        story = await caller.api.log.story(job_id)
        asked = await _asked(caller, job_id)
        until_sent.pop_all()
    api = caller.api
    items = from_the_start(api.log, job_id, lambda place: api.stream(job_id, place, caller.access))
    return Seated(openai_responses.stream_response(items, story.before_end, asked, after=after), seat)


async def _whole(caller: Caller, job_id: JobId) -> Response:
    story: Story = await caller.api.log.story(job_id)
    return JSONResponse(response(story.snapshot, await _asked(caller, job_id)))


async def _asked(caller: Caller, job_id: JobId) -> Asked:
    """What the response repeats of its request, whoever submitted it, to who may know it."""
    if isinstance(caller.access.caller, Watcher):
        return UNTOLD
    given = (await caller.api.dead_letters.inspect(job_id))["input"]
    models: dict[str, str] = given.get("models") or {}
    named = ",".join(f"{provider}/{model}" for provider, model in models.items())
    return Asked(named or given.get("provider") or "all", given.get("system"), given.get("max_output_tokens"))
