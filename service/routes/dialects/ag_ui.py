"""AG-UI: an agent that answers by a chat job, and whose runs can be connected to again."""

from contextlib import ExitStack
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from jobs.model import JobId, JsonObject
from service.auth import READ
from service.routes.dialects.asking import Caller, CallerOf, answered_by, conversation, not_taken
from service.seats import Seat, Seated
from service.transports.dialects import ag_ui

DIALECT = "ag-ui"
LONGEST_NAME = 256

router = APIRouter(prefix="/ag-ui/agent", include_in_schema=False)

Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]


class Content(BaseModel):
    """One part of what a user says; it comes back whole with its message."""

    model_config = ConfigDict(extra="allow", frozen=True)

    type: str
    text: str = ""


class Message(BaseModel):
    """A message of the conversation; what else its client keeps in it comes back with it."""

    model_config = ConfigDict(extra="allow", frozen=True)

    id: str
    role: Literal["developer", "system", "assistant", "user", "tool", "activity", "reasoning"]
    content: str | list[Content] | JsonObject | None = None

    @property
    def text(self) -> str:
        """What it says."""
        if isinstance(self.content, list):
            return "\n\n".join(part.text for part in self.content if part.text)
        return self.content if isinstance(self.content, str) else ""


class Context(BaseModel):
    """Something that the application wants the agent to know."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    description: str
    value: str


class Wishes(BaseModel):
    """What is read of `forwardedProps`."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    model: str | None = None


class RunAgentInput(BaseModel):
    """What a client sends to run the agent. Its tools are not called, its state is left alone."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    threadId: Name  # noqa: N815  # the client's names
    runId: Name  # noqa: N815
    messages: list[Message]
    context: list[Context] = []
    forwardedProps: Wishes | None = None  # noqa: N815

    def run(self, *, resumed: bool) -> ag_ui.Run:
        """The run as its client is to be told of it."""
        history = [message.model_dump(exclude_unset=True) for message in self.messages]
        return ag_ui.Run(self.threadId, self.runId, history, resumed=resumed)


@router.post("")
async def run_agent(request: Request, caller: CallerOf) -> Response:
    """Ask, and stream the run; it goes on when the stream is cut."""
    body = await caller.body(request, RunAgentInput)
    chat = {**conversation(_said(body)), **answered_by(body.forwardedProps.model if body.forwardedProps else None)}
    with ExitStack() as until_sent:
        seat = until_sent.enter_context(await caller.api.limits.stream(caller.guest, "dialect"))
        job_id = await caller.ask(chat, thread=(DIALECT, body.threadId))
        until_sent.pop_all()
    return _told(caller, job_id, body.run(resumed=False), seat)


@router.post("/connect")
async def connect(request: Request, caller: CallerOf) -> Response:
    """The thread's newest run, whatever of it the client holds already; no event where there is none."""
    body = await caller.body(request, RunAgentInput)
    found = await caller.newest(DIALECT, body.threadId, READ)
    if found is None:
        return Response(media_type="text/event-stream")
    seat = await caller.api.limits.stream(caller.guest, "dialect")
    return _told(caller, found[0], body.run(resumed=True), seat)


def _told(caller: Caller, job_id: JobId, run: ag_ui.Run, seat: Seat) -> Response:
    return Seated(ag_ui.stream_response(caller.api.stream(job_id, None, caller.access), run), seat)


def _said(body: RunAgentInput) -> list[tuple[str, str]]:
    """Who said what; tools, activities and the agent's own reasoning are not the conversation."""
    said = [("system", f"{each.description}: {each.value}") for each in body.context]
    for place, message in enumerate(body.messages):
        if message.role in ("tool", "activity", "reasoning"):
            continue
        if isinstance(message.content, list) and any(part.type != "text" for part in message.content):
            raise not_taken(f"/messages/{place}/content", "only text is taken")
        said.append((message.role, message.text))
    return said
