"""Events: send one by its name, and ask what became of it."""

from typing import Annotated

from fastapi import APIRouter, Header
from starlette.requests import Request

from jobs.errors import EventNotFound, JobNotFound
from jobs.events import EventId
from jobs.kind import MEBIBYTE
from jobs.model import JsonObject
from service import intake
from service.api import AccessOf, ApiOf, GuestOf, RequestId, checked_id
from service.auth import READ
from service.body import described, read_json
from service.shapes import EventTaken, EventTold
from service.submission import EventBody, idempotency_key, read_event

router = APIRouter(prefix="/v1/events", tags=["events"])


@router.post("", status_code=202, responses={202: {"model": EventTaken}}, openapi_extra=described(EventBody))
async def send(
    request: Request,
    api: ApiOf,
    access: AccessOf,
    guest: GuestOf,
    request_id: RequestId,
    key: Annotated[str | None, Header(alias="Idempotency-Key")] = None,
) -> JsonObject:
    """Send an event; the jobs that it started, none where no kind takes its data."""
    room = await api.limits.submission(guest)
    body = read_event(await read_json(request, limit=MEBIBYTE))
    known = idempotency_key(key, body.idempotency_key)
    sent = await intake.send(api, access, body, key=known, request_id=request_id, room=room)
    return {"event_id": sent.event_id, "job_ids": sent.job_ids}


@router.get("/{event_id}", responses={200: {"model": EventTold}})
async def find(event_id: str, api: ApiOf, access: AccessOf) -> JsonObject:
    """What became of an event, for a week."""
    owner = access.own_subject(READ)
    event = await api.events.find(_checked(event_id))
    subject = event.pop("subject")
    if owner is not None and subject != owner:
        raise EventNotFound("No event has this id, or it is older than a week.")
    return event


def _checked(event_id: str) -> EventId:
    try:
        return EventId(checked_id(event_id))
    except JobNotFound:
        raise EventNotFound("No event has this id, or it is older than a week.") from None
