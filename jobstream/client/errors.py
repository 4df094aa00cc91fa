"""What can go wrong for who asks a service: each error is a sentence, and its class says what to do about it.

JobstreamError
    RequestRefused      the service answers with an error
        NotFound        there is no such thing, or not for this caller
        Unauthorized    the credential is missing, wrong, or has ended
        Unavailable     the same request may be answered well a little later
    Unreachable         the service does not answer
    TimedOut            the time that the caller gave is over; a TimeoutError, too
    NotUnderstood       what came is no answer of such a service
    JobFailed           the job ended without a result
    WebhookRefused      a webhook that came is not to be believed
        WebhookRepeated it came before
"""

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from jobstream.client.job import Job


class Violation(BaseModel):
    """One thing that is wrong with a request; `pointer` says where (RFC 6901)."""

    model_config = ConfigDict(frozen=True)

    pointer: str
    detail: str


class Problem(BaseModel):
    """What the service says of an error (RFC 9457); `instance` is the id of the request."""

    model_config = ConfigDict(frozen=True)

    type: str
    title: str
    status: int
    detail: str
    instance: str = ""
    errors: tuple[Violation, ...] = ()


class JobstreamError(Exception):
    """The root of them all; `status`, `body` and `problem` are of the answer that it came with, if there was one."""

    def __init__(
        self, sentence: str, *, status: int | None = None, body: str = "", problem: Problem | None = None
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.body = body
        self.problem = problem


class RequestRefused(JobstreamError):
    """The service does not do what it was asked to; the sentence is its own and says why."""


class NotFound(RequestRefused):
    """Nothing has this id, or it has expired, or the credential does not reach it."""


class Unauthorized(RequestRefused):
    """The credential is missing, wrong or has ended; hand the client a function that yields a fresh one."""


class Unavailable(RequestRefused):
    """The service is busy or lacks something just now; ask again later."""


class Unreachable(JobstreamError):
    """The service cannot be reached; a job that it took goes on, ask again later."""


class TimedOut(JobstreamError, TimeoutError):
    """The time given is over; nothing is lost: the job goes on, and can be watched again."""


class NotUnderstood(JobstreamError):
    """What came is no answer of a Jobstream service; look at the URL, and at what is in between."""


class WebhookRefused(JobstreamError):
    """The webhook is not from the service, or not of now; answer with 400 and do nothing."""


class WebhookRepeated(WebhookRefused):
    """The webhook came before; answer with 200 and do nothing."""


class JobFailed(JobstreamError):
    """The job ended without a result; `job.error` says why, and `retry` runs it again."""

    def __init__(self, job: "Job") -> None:
        reason = f"{job.error.title}: {job.error.detail}" if job.error else f"It was {job.state}."
        super().__init__(f"The job has no result. {reason}")
        self.job = job
