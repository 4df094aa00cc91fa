"""The old gateway's chat: asked with one request, then polled until every provider has answered."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from jobs.errors import InvalidInput
from jobs.model import JsonObject
from service.routes.compat.caller import CallerOf
from service.routes.compat.refusals import OldRoute
from service.routes.compat.telling import GOOGLE, Words, error_of, results_of
from service.routes.dialects.asking import conversation
from service.submission import violations

KIND = "chat"
WORDS = Words("pending", "processing")
GEMINI = "gemini"

router = APIRouter(prefix="/api/ai/chat", route_class=OldRoute)


class Message(BaseModel):
    """One message of the talk so far; whatever else it says of itself is left out."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    role: str
    content: str


def _named(*names: str) -> Any:
    return Field(default=None, validation_alias=AliasChoices(*names))


class ChatBody(BaseModel):
    """What the old page sends, as it was called over the years."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    message: str | None = _named("message", "prompt")
    messages: list[Message] = []
    models: dict[str, str | None] = {}
    provider: str | None = None
    system: str | None = _named("system", "systemPrompt")
    conversation_id: str | None = _named("conversationId", "conversation_id")
    max_output_tokens: int | None = _named("maxTokens", "max_output_tokens")

    def input(self) -> JsonObject:
        """The input of a chat; a message beside messages comes after them."""
        said = [(each.role, each.content) for each in self.messages]
        if self.message:
            said.append(("user", self.message))
        talk = conversation([("system", self.system or ""), *said])
        models = {_ours(name): model for name, model in self.models.items() if model is not None}
        chosen = {"models": models} if models else {}
        alone = {"provider": _ours(self.provider)} if self.provider else {}
        more = {"conversation_id": self.conversation_id or None, "max_output_tokens": self.max_output_tokens}
        return {**talk, **chosen, **alone, **{name: value for name, value in more.items() if value is not None}}

    @property
    def metadata(self) -> dict[str, str]:
        """What is remembered with the job: that its asker calls Google by the name of its model."""
        return {GOOGLE: GEMINI} if GEMINI in self.models or self.provider == GEMINI else {}


def read_chat(sent: JsonObject) -> ChatBody:
    """The body as its type; InvalidInput names every field that is wrong."""
    try:
        return ChatBody.model_validate(sent)
    except ValidationError as error:
        raise InvalidInput("The chat is not valid.", violations=violations(error)) from None


@router.post("")
async def ask(request: Request, caller: CallerOf) -> Response:
    """Ask: 202 with the chat's id, which is the caller's own where it sent one."""
    kind = caller.kind(KIND)
    sent, room = await caller.read(request, limit=kind.body_limit)
    body = read_chat(sent)
    alias = sent.get("chatId", sent.get("jobId"))
    name, story = await caller.submit(kind, body.input(), alias=alias, room=room, metadata=body.metadata)
    return JSONResponse({"success": True, "chatId": name, "status": WORDS.of(story.state)}, 202)


@router.get("/status")
async def status(caller: CallerOf, chat_id: Annotated[str | None, Query(alias="id")] = None) -> Response:
    """How far the chat is, with the answers that are complete."""
    snapshot = (await caller.find(chat_id, [KIND])).snapshot
    return JSONResponse(
        {
            "success": True,
            "chatId": chat_id,
            "status": WORDS.of(snapshot["state"]),
            "results": results_of(snapshot),
            "error": error_of(snapshot),
            "createdAt": snapshot["created_at"],
            "completedAt": snapshot["finished_at"],
        }
    )


def _ours(provider: str) -> str:
    return "google" if provider == GEMINI else provider
