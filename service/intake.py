"""The one way in, whichever route it comes by: for a job, and for an event that starts jobs."""

from dataclasses import replace

from jobs.endpoints import Endpoint
from jobs.events import Event, Sent
from jobs.queue import Room, Submitted
from service.api import Api
from service.auth import Access
from service.checks import check
from service.errors import NothingSigns
from service.submission import EventBody, SubmissionBody, WebhookBody, kind_of, submission_of


async def take(
    api: Api, access: Access, body: SubmissionBody, *, key: str | None, request_id: str, room: Room
) -> Submitted:
    """The job that the body asks for; `room` is what the caller's limits leave, asked for before the body is read.

    Forbidden where the caller may not submit it; all else that is refused is as submission and queue have it."""
    kind = kind_of(body, api.kinds)
    subject = access.subject_for(kind.name, body.subject)
    submission = submission_of(body, kind, subject=subject, key=key, request_id=request_id, room=room)
    submission = replace(submission, webhook=_endpoint(api, access, body.webhook))
    await check(kind.name, submission.input, api.connections)
    return await api.queue.submit(submission)


def _endpoint(api: Api, access: Access, webhook: WebhookBody | None) -> Endpoint | None:
    """Whom to tell of the end. Where its name leads is looked up when it is called: here that could take long, and by
    then it may lead elsewhere.

    Forbidden for a page, which could have the service call whom it likes; UrlNotAllowed, NothingSigns."""
    if webhook is None:
        return None
    access.check_service()
    endpoint = api.endpoints.read(webhook.url)
    if not api.endpoints.keys_for(endpoint):
        raise NothingSigns("Nothing signs webhooks for this host: set JOBSTREAM_WEBHOOK_SECRET and start again.")
    return endpoint


async def send(api: Api, access: Access, body: EventBody, *, key: str | None, request_id: str, room: Room) -> Sent:
    """The event, and the jobs that it starts; Forbidden where the caller may not submit one of them."""
    event = Event(
        name=body.name,
        data=body.data,
        subject=access.sender(body.subject),
        priority=body.priority,
        run_at=body.run_at,
        delay=body.delay or 0.0,
        request_id=request_id,
    )
    for kind, _ in api.events.started_by(event):
        access.subject_for(kind.name, body.subject)
    return await api.events.send(event, idempotency_key=key, room=room)
