"""The old event sender: an event by its name and data, and what became of it."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from jobs.model import State
from service.intake import send
from service.routes import events
from service.routes.compat.caller import CallerOf
from service.routes.compat.refusals import OldRoute
from service.routes.compat.telling import Words
from service.submission import read_event

WORDS = Words("pending", "processing")

FIELDS = {"eventName": "name", "eventData": "data", "priority": "priority", "delay": "delay"}

router = APIRouter(prefix="/.netlify/functions/async-workloads", route_class=OldRoute)


@router.post("/send")
async def send_event(request: Request, caller: CallerOf) -> Response:
    """Send an event: 202 with its id, whether or not anything is started by it."""
    given, room = await caller.read(request)
    body = read_event({FIELDS[name]: value for name, value in given.items() if name in FIELDS})
    sent = await send(caller.api, caller.access, body, key=None, request_id=caller.request_id, room=room)
    told = {"success": True, "sendStatus": "succeeded", "eventId": sent.event_id, "jobIds": sent.job_ids}
    return JSONResponse(told, 202)


@router.get("/events/{event_id}")
async def find_event(event_id: str, caller: CallerOf) -> Response:
    """The event, and the jobs that it started."""
    event = await events.find(event_id, caller.api, caller.access)
    jobs = [{"jobId": job["id"], "kind": job["kind"], "status": WORDS.of(job["state"])} for job in event["jobs"]]
    return JSONResponse(
        {
            "success": True,
            "eventId": event["id"],
            "eventName": event["name"],
            "status": _status([State(job["state"]) for job in event["jobs"]]),
            "receivedAt": event["received_at"],
            "dropped": event["dropped"],
            "jobs": jobs,
        }
    )


def _status(states: list[State]) -> str:
    """That of all of its jobs: failed if one of them is, and completed only when all are."""
    words = {WORDS.of(state) for state in states}
    for word in ("failed", "processing"):
        if word in words:
            return word
    return "pending" if "pending" in words else "completed"
