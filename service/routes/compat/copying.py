"""The old copy: one path runs the job that the settings describe, another tells its counters."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from jobs.model import JsonObject, State
from service.errors import NotFound
from service.routes.compat.caller import CallerOf
from service.routes.compat.refusals import OldRoute
from service.routes.compat.telling import Words, error_of

KIND = "copy-records"
OPERATION = "copy-taskdetail"
WORDS = Words("pending", "in_progress")

COUNTERS = {
    "totalRecords": "total",
    "processedRecords": "processed",
    "insertedRecords": "inserted",
    "updatedRecords": "updated",
    "errorRecords": "errors",
}


def copy_router(copy: JsonObject | None) -> APIRouter:
    """The paths of the copy that this input describes; None: there is nothing to copy, and only to be asked about."""
    router = APIRouter(prefix="/.netlify/functions", route_class=OldRoute)

    @router.post(f"/{OPERATION}")
    async def start(request: Request, caller: CallerOf) -> Response:
        """Start the copy; nothing of the body counts but the job's name."""
        kind = caller.kind(KIND)
        if copy is None:
            raise NotFound("JOBSTREAM_COMPAT_COPY names nothing to copy.")
        sent, room = await caller.read(request, limit=kind.body_limit)
        job, story = await caller.submit(kind, copy, alias=sent.get("jobId"), room=room)
        return JSONResponse({"success": True, "jobId": job, "status": WORDS.of(story.state)}, 202)

    router.add_api_route("/simple-status", _status, methods=["GET"])
    return router


async def _status(caller: CallerOf, job_id: Annotated[str | None, Query(alias="jobId")] = None) -> Response:
    """How far the copy is."""
    snapshot = (await caller.find(job_id, [KIND])).snapshot
    return JSONResponse(
        {
            "jobId": job_id,
            "status": WORDS.of(snapshot["state"]),
            "operation": OPERATION,
            **_counters(snapshot),
            "startTime": snapshot["started_at"],
            "endTime": snapshot["finished_at"],
            "message": snapshot["progress"].get("message"),
            "error": error_of(snapshot),
        }
    )


def _counters(snapshot: JsonObject) -> JsonObject:
    """What is known; files that do not say how many records they hold are known whole when all is copied."""
    done = snapshot["progress"]
    if snapshot["state"] == State.COMPLETED:
        done = {"total": done.get("processed", 0), **done}
    counted = {old: done.get(name, 0) for old, name in COUNTERS.items()}
    return {**counted, "percentComplete": done.get("percent", 0)}
