"""Conversations: the list of one's own, what was said in one, and forgetting it."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from jobs import clock
from jobs.conversations import Conversation, Listed
from jobs.errors import ConversationNotFound
from jobs.kind import Turn
from jobs.model import JsonObject, is_client_id
from service.api import AccessOf, ApiOf
from service.auth import CANCEL, READ
from service.shapes import ConversationsTold, ConversationTold
from service.submission import Subject

router = APIRouter(prefix="/v1/conversations", tags=["conversations"])

SubjectOf = Annotated[Subject | None, Query()]


@router.get("", responses={200: {"model": ConversationsTold}})
async def listed(
    api: ApiOf,
    access: AccessOf,
    subject: SubjectOf = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(max_length=160)] = None,
) -> JsonObject:
    """The caller's own conversations, the latest first; a secret names the subject whose they are."""
    found = await api.conversations.page(access.owner(READ, subject), limit=limit, after=cursor)
    return {"items": [_item(each) for each in found], "next": found[-1].cursor if len(found) == limit else None}


@router.get("/{conversation_id}", responses={200: {"model": ConversationTold}})
async def read(conversation_id: str, api: ApiOf, access: AccessOf, subject: SubjectOf = None) -> JsonObject:
    """What each provider has heard and said, oldest first."""
    owner, name = access.owner(READ, subject), _checked(conversation_id)
    return {"id": name, **_told(await api.conversations.find(owner, name))}


@router.delete("/{conversation_id}", status_code=204)
async def forget(conversation_id: str, api: ApiOf, access: AccessOf, subject: SubjectOf = None) -> Response:
    """Delete the conversation; its jobs stay, and a chat that goes on begins it anew."""
    owner, name = access.owner(CANCEL, subject), _checked(conversation_id)
    await api.conversations.forget(owner, name)
    return Response(status_code=204)


def _checked(name: str) -> str:
    if not is_client_id(name):
        raise ConversationNotFound("No conversation has this id, or it has expired.")
    return name


def _item(listed: Listed) -> JsonObject:
    return {"id": listed.name, "updated_at": clock.from_microseconds(listed.at_ms * 1000)}


def _told(conversation: Conversation) -> JsonObject:
    providers = dict.fromkeys(name for said in conversation.said for name in said.round.answers)
    return {
        "expires_at": clock.in_seconds(conversation.seconds_left),
        "turns": {
            name: [
                _turn(turn) | {"job_id": said.job_id, "at": said.at}
                for said in conversation.said
                for turn in said.round.heard_by(name)
            ]
            for name in providers
        },
    }


def _turn(turn: Turn) -> JsonObject:
    return {"role": turn.role, "content": turn.content}
