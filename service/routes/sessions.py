"""Sessions: conversations that are put here to be summarised."""

from datetime import UTC, datetime
from typing import Annotated

import orjson
from fastapi import APIRouter
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints
from starlette.requests import Request
from starlette.responses import Response

from jobs import clock
from jobs.errors import SessionNotFound
from jobs.kinds.summarize_session import SUMMARIZE_SESSION
from jobs.model import CLIENT_ID_PATTERN, JsonObject, is_client_id
from jobs.sessions import MOST_BYTES, MOST_MESSAGES
from jobs.summarized import Session, spelled
from service.api import AccessOf, ApiOf, GuestOf
from service.auth import CANCEL, READ, submit
from service.body import described, read_json
from service.routes.conversations import SubjectOf
from service.shapes import SessionTold
from service.submission import valid

WRITES = submit(SUMMARIZE_SESSION.name)

router = APIRouter(prefix="/v1/sessions", tags=["sessions"])

ClientId = Annotated[str, StringConstraints(pattern=CLIENT_ID_PATTERN)]


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("must lie in the years 1 to 9999 of UTC") from None


class MessageBody(BaseModel):
    """What somebody said; whoever that was is the client's own word."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    content: Annotated[str, StringConstraints(min_length=1)]
    at: Annotated[AwareDatetime, AfterValidator(_in_utc)] | None = None

    def kept(self) -> dict[str, str]:
        """The message as it is kept, hashed and read."""
        said = {"role": self.role, "content": self.content}
        return said | {"at": clock.stamp(self.at)} if self.at else said


class MessagesBody(BaseModel):
    """The body of `POST /v1/sessions/{id}/messages`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    messages: Annotated[list[MessageBody], Field(min_length=1, max_length=MOST_MESSAGES)]

    @property
    def content(self) -> bytes:
        """What is kept and hashed."""
        return spelled([message.kept() for message in self.messages])


class SessionBody(MessagesBody):
    """The body of `PUT /v1/sessions/{id}`; with `tree_id` the session joins that tree, which is made if need be."""

    tree_id: ClientId | None = None


@router.put("/{session_id}", status_code=204, openapi_extra=described(SessionBody))
async def put(
    request: Request, session_id: str, api: ApiOf, access: AccessOf, guest: GuestOf, subject: SubjectOf = None
) -> Response:
    """Begin a session, or replace what it holds; its summary stays, and is stale if it is of something else."""
    owner, known = access.owner(WRITES, subject), checked_session(session_id)
    await api.limits.submission(guest)
    body = valid(SessionBody, await read_json(request, limit=MOST_BYTES), "The session is not valid.")
    await api.sessions.put(owner, known, body.content, tree_id=body.tree_id)
    return Response(status_code=204)


@router.post("/{session_id}/messages", status_code=204, openapi_extra=described(MessagesBody))
async def append(
    request: Request, session_id: str, api: ApiOf, access: AccessOf, guest: GuestOf, subject: SubjectOf = None
) -> Response:
    """Add messages to a session."""
    owner, known = access.owner(WRITES, subject), checked_session(session_id)
    await api.limits.submission(guest)
    body = valid(MessagesBody, await read_json(request, limit=MOST_BYTES), "The messages are not valid.")
    await api.sessions.append(owner, known, body.content)
    return Response(status_code=204)


@router.get("/{session_id}", responses={200: {"model": SessionTold}})
async def read(session_id: str, api: ApiOf, access: AccessOf, subject: SubjectOf = None) -> Response:
    """A session with its summary, and whether that is stale."""
    owner, known = access.owner(READ, subject), checked_session(session_id)
    told = _told(await api.sessions.session(owner, known))
    return Response(orjson.dumps(told), media_type="application/json")


@router.delete("/{session_id}", status_code=204)
async def forget(session_id: str, api: ApiOf, access: AccessOf, subject: SubjectOf = None) -> Response:
    """Delete a session with its summary; trees that list it go on without it."""
    owner, known = access.owner(CANCEL, subject), checked_session(session_id)
    await api.sessions.delete(owner, known)
    return Response(status_code=204)


def checked_session(session_id: str) -> str:
    """The id, if a client may have chosen it; SessionNotFound as for one that never was."""
    if not is_client_id(session_id):
        raise SessionNotFound("No session has this id, or it has expired.")
    return session_id


def _told(session: Session) -> JsonObject:
    summary = session.summary
    return {
        "id": session.id,
        "messages": orjson.Fragment(session.content),
        "tree_id": session.tree_id,
        "content_hash": session.content_hash,
        "summary": summary.text if summary else None,
        "summary_hash": summary.content_hash if summary else None,
        "last_summarized_at": summary.made_at if summary else None,
        "stale": session.stale,
    }
