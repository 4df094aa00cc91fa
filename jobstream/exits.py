"""What an exit code of the command line says: the one list of them, and which error comes to which."""

from enum import IntEnum, unique

from jobstream.client import (
    Job,
    JobFailed,
    JobstreamError,
    NotUnderstood,
    RequestRefused,
    TimedOut,
    Unreachable,
)
from jobstream.errors import Misconfigured


@unique
class Exit(IntEnum):
    """How a command ended. A signal n comes to 128 + n."""

    meaning: str

    DONE = 0, "done; of a job that was watched: it has completed"
    FAILED = 1, "the job failed, or nobody reads on; of demo: no answers, or a process that ended"
    USAGE = 2, "the command line cannot be understood"
    UNREACHABLE = 3, "the service cannot be reached, or what answers is none"
    NOT_ALLOWED = 4, "the credential is missing, wrong or not enough"
    NOT_FOUND = 5, "there is no such thing, or not for this credential"
    REFUSED = 6, "the service refuses the request, and says why"
    IN_TROUBLE = 7, "the service is in trouble; the same may work later"
    CANCELLED = 8, "the job was cancelled"
    TIMED_OUT = 9, "the time is over; the job goes on"
    MISCONFIGURED = 78, "something is misconfigured; doctor says what"

    def __new__(cls, code: int, meaning: str) -> "Exit":
        """The code, which knows what it means."""
        made = int.__new__(cls, code)
        made._value_ = code
        made.meaning = meaning
        return made


def exit_of_job(job: Job) -> Exit:
    """What a job's end means to who watched it."""
    match job.state:
        case "failed":
            return Exit.FAILED
        case "cancelled":
            return Exit.CANCELLED
    return Exit.DONE


def exit_of_error(error: JobstreamError) -> Exit:
    """What an error means to whoever reads exit codes."""
    match error:
        case JobFailed():
            return exit_of_job(error.job)
        case TimedOut():
            return Exit.TIMED_OUT
        case Unreachable() | NotUnderstood():
            return Exit.UNREACHABLE
        case RequestRefused():
            return _exit_of_status(error.status or 500)
        case Misconfigured():
            return Exit.MISCONFIGURED
    return Exit.FAILED


def _exit_of_status(status: int) -> Exit:
    match status:
        case 401 | 403:
            return Exit.NOT_ALLOWED
        case 404:
            return Exit.NOT_FOUND
        case _ if status >= 500:
            return Exit.IN_TROUBLE
    return Exit.REFUSED
