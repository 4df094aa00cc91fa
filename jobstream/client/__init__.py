"""The Python client of a Jobstream service: submit a job and watch it, whatever happens to the connections.

    with Client() as client:
        submitted = client.submit("chat", {"message": "Why is the sky blue?"})
        for job in client.watch(submitted, timeout=60):
            print(job.state, {name: len(part.text) for name, part in job.parts.items()})

`AsyncClient` is the same for code that awaits.
"""

from jobstream.client.awaiting import AsyncClient
from jobstream.client.blocking import Client
from jobstream.client.errors import (
    JobFailed,
    JobstreamError,
    NotFound,
    NotUnderstood,
    Problem,
    RequestRefused,
    TimedOut,
    Unauthorized,
    Unavailable,
    Unreachable,
    Violation,
    WebhookRefused,
    WebhookRepeated,
)
from jobstream.client.job import Failure, Job, Part, Progress, Step, Usage
from jobstream.client.listener import Listener
from jobstream.client.pace import Pace
from jobstream.client.replies import (
    DeadLetter,
    ErrorCount,
    EventJob,
    EventStory,
    FailedAttempt,
    Kind,
    Page,
    Sent,
    Token,
    Update,
    Updates,
)
from jobstream.client.webhooks import verify_webhook

__all__ = [
    "AsyncClient",
    "Client",
    "DeadLetter",
    "ErrorCount",
    "EventJob",
    "EventStory",
    "FailedAttempt",
    "Failure",
    "Job",
    "JobFailed",
    "JobstreamError",
    "Kind",
    "Listener",
    "NotFound",
    "NotUnderstood",
    "Pace",
    "Page",
    "Part",
    "Problem",
    "Progress",
    "RequestRefused",
    "Sent",
    "Step",
    "TimedOut",
    "Token",
    "Unauthorized",
    "Unavailable",
    "Unreachable",
    "Update",
    "Updates",
    "Usage",
    "Violation",
    "WebhookRefused",
    "WebhookRepeated",
    "verify_webhook",
]
