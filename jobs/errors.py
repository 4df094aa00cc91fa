"""One class per error: a stable code, a title, and a sentence that tells the reader what to do; nothing of HTTP."""

from dataclasses import dataclass
from typing import ClassVar


class JobError(Exception):
    """The product refuses or cannot do something; the message says what to do about it."""

    code: ClassVar[str] = "internal-error"
    title: ClassVar[str] = "Something went wrong inside the service"
    wait_seconds: float = 2.0
    """When to ask again, where waiting helps at all."""

    @property
    def detail(self) -> str:
        """The sentence for the reader: what was raised, else what the class says."""
        return str(self) or self.title


# What a client asked for


@dataclass(frozen=True)
class Violation:
    """One thing wrong with an input; `pointer` is a JSON Pointer (RFC 6901) into it."""

    pointer: str
    detail: str


class InvalidInput(JobError):
    """The input does not fit its kind; mend what `violations` names and submit again."""

    code = "invalid-input"
    title = "The input does not fit its kind"

    def __init__(self, detail: str = "", *, violations: tuple[Violation, ...] = ()) -> None:
        super().__init__(detail)
        self.violations = violations


class ImageRejected(JobError):
    """The image is not a PNG, JPEG, WebP or GIF that can be read within the bounds; save it anew, or smaller."""

    code = "image-rejected"
    title = "The image is not one that can be read"


class ImageTooLarge(JobError):
    """The image's file is too large; save it with fewer pixels, or as JPEG."""

    code = "payload-too-large"
    title = "The image is too large"


class UrlNotAllowed(JobError):
    """Webhooks don't go to this URL; name a public one that begins with https://."""

    code = "url-not-allowed"
    title = "Webhooks don't go to this URL"


class UnknownKind(JobError):
    """No kind has this name; GET /v1/kinds lists them."""

    code = "unknown-kind"
    title = "No kind has this name"


class InvalidCursor(JobError):
    """The cursor is not of the form that this endpoint gives out; start without one."""

    code = "invalid-cursor"
    title = "Not a cursor of this endpoint"


class JobNotFound(JobError):
    """No job that you may see has this id, or it expired; submit it again."""

    code = "job-not-found"
    title = "No such job"


class IdempotencyKeyReused(JobError):
    """The key already belongs to a job with another input; choose a new key."""

    code = "idempotency-key-reused"
    title = "The idempotency key belongs to another input"


class NotTerminal(JobError):
    """The job has not ended; cancel it first or wait for its end."""

    code = "not-terminal"
    title = "The job has not ended"


class AlreadyCompleted(JobError):
    """The job completed; only some of its parts can be run again, by name."""

    code = "already-completed"
    title = "The job has completed"


class TooManyJobs(JobError):
    """The subject has as many jobs that go on as it may; wait for one to end, or cancel one."""

    code = "too-many-jobs"
    title = "Too many jobs at once"
    wait_seconds = 5.0


class QueueFull(JobError):
    """So many jobs wait that no more are taken; try again in a while."""

    code = "queue-full"
    title = "The queue is full"
    wait_seconds = 10.0


class EventNotFound(JobError):
    """No event that you may see has this id, or it is older than a week."""

    code = "not-found"
    title = "No such event"


class DeliveryNotFound(JobError):
    """No delivery of a webhook has this id, or it is older than a week."""

    code = "not-found"
    title = "No such delivery"


class ScheduleNotFound(JobError):
    """No schedule has this name; they are declared in code."""

    code = "not-found"
    title = "No such schedule"


class ConversationNotFound(JobError):
    """No conversation that you may see has this id, or it has expired."""

    code = "not-found"
    title = "No such conversation"


class SessionNotFound(JobError):
    """No session that you may see has this id, or it has expired; put it again."""

    code = "not-found"
    title = "No such session"


class TreeNotFound(JobError):
    """No tree that you may see has this id, or it has expired; put it again."""

    code = "not-found"
    title = "No such tree"


class SessionTooLarge(JobError):
    """A session holds 20,000 messages and 8 MiB of them at most; begin another one."""

    code = "payload-too-large"
    title = "The session is full"


# What the store says


class StoreUnavailable(JobError):
    """The store does not answer; nothing was lost, try again soon."""

    code = "store-unavailable"
    title = "The store does not answer"


class StorageFull(JobError):
    """The store takes no more writes (memory or disk); free some or raise its limit."""

    code = "storage-full"
    title = "The store is full"


class StoreUnsuitable(JobError):
    """The store would lose jobs or cannot run them; the message says what to set."""

    code = "store-unsuitable"
    title = "The store is not set up to keep jobs"


class Corrupt(JobError):
    """What the store holds of this job cannot be read."""

    code = "corrupt"
    title = "The stored job cannot be read"


class IntegrityError(JobError):
    """The store answered about another job, or with contents that cannot be opened; the answer was thrown away."""

    code = "integrity-error"
    title = "The store's answer did not fit the question"


# What happens to a running job


class LeaseLost(JobError):
    """Another worker holds the job now; stop at once and write nothing."""

    code = "lease-lost"
    title = "Another worker holds the job"


class JobEnded(JobError):
    """The job's last update is written; nothing can follow it."""

    code = "job-ended"
    title = "The job has ended"


class DoNotRetry(JobError):
    """The job cannot succeed however often it is tried; it fails now."""

    code = "do-not-retry"
    title = "The job cannot succeed"


class ProviderNotConfigured(DoNotRetry):
    """No provider is configured; set the key of at least one."""

    code = "provider-not-configured"
    title = "The provider is not configured"


class InvalidOutput(DoNotRetry):
    """The provider's answer does not have the form that was asked for, and did not when it was told so either."""

    code = "invalid-output"
    title = "The answer does not have the form that was asked for"


class RetryAfter(JobError):
    """The job should be tried again, but not before `delay` seconds have passed."""

    code = "retries-exhausted"
    title = "The job was to be tried again later"

    def __init__(self, detail: str = "", *, delay: float) -> None:
        super().__init__(detail)
        self.delay = delay


class StepTimedOut(JobError):
    """A step took longer than it may; it is tried again with its job."""

    code = "timeout"
    title = "A step took too long"


class ResultTooLarge(JobError):
    """The result is over the size that the store keeps; return less, or a link to it."""

    code = "result-too-large"
    title = "The result is too large to keep"


class ConnectionInvalid(JobError):
    """A variable names no connection; the message says which, and what it must be."""

    code = "server-misconfigured"
    title = "A connection cannot stand"


class ConnectionAway(JobError):
    """What a connection names does not answer, or broke off; the job is tried again and goes on where it was."""

    code = "connection-away"
    title = "A connection does not answer"


class OutsideRoot(DoNotRetry):
    """The path leads out of its connection's root; name one that is below it, without `..`."""

    title = "The path leads out of the connection's root"


class ExtraMissing(DoNotRetry):
    """A library of an extra is not installed; the message says which."""

    title = "A library is missing"


class StepRepeated(JobError):
    """Two steps of one run have the same name; a kept result must belong to one of them."""

    code = "do-not-retry"
    title = "Two steps of one run have the same name"


class AnswerFailed(JobError):
    """A provider gave no complete answer; its part says so and the other parts go on. It asked not to be asked again
    for `wait_seconds`."""

    title = "The provider gave no complete answer"

    def __init__(self, code: str, detail: str, *, retryable: bool, wait_seconds: float = 0.0) -> None:
        super().__init__(detail)
        self.code = code  # type: ignore[misc]  # each failure brings the code of its cause
        self.retryable = retryable
        self.wait_seconds = wait_seconds
