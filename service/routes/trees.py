"""Trees: sessions that are summarised together."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, field_validator
from starlette.requests import Request
from starlette.responses import Response

from jobs.errors import TreeNotFound
from jobs.kind import MEBIBYTE
from jobs.kinds.summarize_tree import SUMMARIZE_TREE
from jobs.model import JsonObject, is_client_id
from jobs.summaries import Order
from jobs.summarized import MOST_SESSIONS, Tree
from service.api import AccessOf, ApiOf, GuestOf, RequestId
from service.auth import CANCEL, READ, submit
from service.body import described, read_json
from service.routes.conversations import SubjectOf
from service.routes.sessions import ClientId
from service.shapes import Preflight, TreeTold
from service.submission import valid

WRITES = submit(SUMMARIZE_TREE.name)

router = APIRouter(prefix="/v1/trees", tags=["trees"])


class TreeBody(BaseModel):
    """The body of `PUT /v1/trees/{id}`: the tree's sessions in their order, which need not be there yet."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    session_ids: Annotated[list[ClientId], Field(max_length=MOST_SESSIONS)]

    @field_validator("session_ids")
    @classmethod
    def _each_once(cls, session_ids: list[str]) -> list[str]:
        if len(set(session_ids)) < len(session_ids):
            raise ValueError("a session is in a tree once")
        return session_ids


@router.put("/{tree_id}", status_code=204, openapi_extra=described(TreeBody))
async def put(
    request: Request, tree_id: str, api: ApiOf, access: AccessOf, guest: GuestOf, subject: SubjectOf = None
) -> Response:
    """Begin a tree, or replace its sessions; its summary stays, and is stale if it is of others."""
    owner, known = access.owner(WRITES, subject), checked_tree(tree_id)
    await api.limits.submission(guest)
    body = valid(TreeBody, await read_json(request, limit=MEBIBYTE), "The tree is not valid.")
    await api.sessions.put_tree(owner, known, body.session_ids)
    return Response(status_code=204)


@router.get("/{tree_id}", responses={200: {"model": TreeTold}})
async def read(tree_id: str, api: ApiOf, access: AccessOf, subject: SubjectOf = None) -> JsonObject:
    """A tree with its summary, and whether that is stale."""
    owner, known = access.owner(READ, subject), checked_tree(tree_id)
    return _told(await api.sessions.tree(owner, known))


@router.delete("/{tree_id}", status_code=204)
async def forget(tree_id: str, api: ApiOf, access: AccessOf, subject: SubjectOf = None) -> Response:
    """Delete a tree with its summary; its sessions stay."""
    owner, known = access.owner(CANCEL, subject), checked_tree(tree_id)
    await api.sessions.delete_tree(owner, known)
    return Response(status_code=204)


@router.post("/{tree_id}/preflight", status_code=202, responses={202: {"model": Preflight}})
async def preflight(
    tree_id: str, api: ApiOf, access: AccessOf, guest: GuestOf, request_id: RequestId, subject: SubjectOf = None
) -> JsonObject:
    """What of the tree is stale, and the job that summarises just that; no job where nothing is."""
    owner, known = access.owner(WRITES, subject), checked_tree(tree_id)
    room = await api.limits.submission(guest)
    tree = await api.sessions.tree(owner, known)
    job_id = await api.summaries.of_tree(tree, Order(owner, request_id, room))
    return {"stale": tree.stale, "stale_session_ids": tree.stale_sessions, "job_id": job_id}


def checked_tree(tree_id: str) -> str:
    """The id, if a client may have chosen it; TreeNotFound as for one that never was."""
    if not is_client_id(tree_id):
        raise TreeNotFound("No tree has this id, or it has expired.")
    return tree_id


def _told(tree: Tree) -> JsonObject:
    summary = tree.summary
    return {
        "id": tree.id,
        "session_ids": [*tree.session_ids],
        "content_hash": tree.content_hash,
        "high_level_summary": summary.text if summary else None,
        "high_level_summary_hash": summary.content_hash if summary else None,
        "last_summarized_at": summary.made_at if summary else None,
        "stale": tree.stale,
        "stale_session_ids": tree.stale_sessions,
    }
