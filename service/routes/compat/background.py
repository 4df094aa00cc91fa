"""The old background functions: each starts a job and answers 202; one path says how any of them is doing."""

import re
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from jobs.kind import AnyKind
from jobs.model import JsonObject
from service.routes.compat import chat
from service.routes.compat.caller import CallerOf
from service.routes.compat.refusals import OldRoute
from service.routes.compat.telling import Words, error_of, progress_of, result_of

KINDS = {
    "ai-chat": "chat",
    "transcript-to-journey": "transcript-to-journey",
    "diagram-to-journey": "diagram-to-journey",
    "summarize-session": "summarize-session",
    "summarize-tree": "summarize-tree",
    "generate-insights": "generate-insights",
}
"""The kind of job that each function has become; its path ends in `-background`."""

WORDS = Words("processing", "processing")

_RENAMED = {"image_data": "image"}
_CAPITAL = re.compile(r"(?<=[a-z0-9])([A-Z])")

router = APIRouter(prefix="/.netlify/functions", route_class=OldRoute)


def _function(name: str) -> Callable[[Request, CallerOf], Awaitable[Response]]:
    async def start(request: Request, caller: CallerOf) -> Response:
        kind = caller.kind(name)
        sent, room = await caller.read(request, limit=kind.body_limit)
        given, metadata = _input(kind, sent), _metadata(kind, sent)
        job, story = await caller.submit(kind, given, alias=sent.get("jobId"), room=room, metadata=metadata)
        return JSONResponse({"success": True, "jobId": job, "status": WORDS.of(story.state)}, 202)

    return start


for function, kind_name in KINDS.items():
    router.add_api_route(f"/{function}-background", _function(kind_name), methods=["POST"])


@router.get("/check-job-status")
async def check(caller: CallerOf, job_id: Annotated[str | None, Query(alias="jobId")] = None) -> Response:
    """How the job is doing: what it does just now, and then what came of it."""
    snapshot = (await caller.find(job_id, list(KINDS.values()))).snapshot
    return JSONResponse(
        {
            "success": True,
            "jobId": job_id,
            "status": WORDS.of(snapshot["state"]),
            "progress": progress_of(snapshot),
            "result": result_of(snapshot),
            "error": error_of(snapshot),
            "createdAt": snapshot["created_at"],
            "completedAt": snapshot["finished_at"],
        }
    )


def _input(kind: AnyKind, sent: JsonObject) -> JsonObject:
    """What of the body the kind takes, under its own names."""
    if kind.name == chat.KIND:
        return chat.read_chat(sent).input()
    named = {_ours(name): value for name, value in sent.items()}
    if named.get("provider") == chat.GEMINI:
        named["provider"] = "google"
    return {name: value for name, value in named.items() if name in kind.input.model_fields}


def _metadata(kind: AnyKind, sent: JsonObject) -> dict[str, str]:
    return chat.read_chat(sent).metadata if kind.name == chat.KIND else {}


def _ours(name: str) -> str:
    """`sessionId` is `session_id`; a caller's `jobId` names the new job, and no field of its input."""
    if name == "jobId":
        return name
    snake = _CAPITAL.sub(r"_\1", name).lower()
    return _RENAMED.get(snake, snake)
