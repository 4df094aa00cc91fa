"""Calls about dead letters: jobs that failed for good."""

from jobstream.client.call import Call, given, nothing, place
from jobstream.client.job import Job
from jobstream.client.replies import DeadLetter, ErrorCount, Page, read_jobs


def page(*, kind: str | None = None, limit: int | None = None, cursor: str | None = None) -> Call[Page[Job]]:
    """The newest jobs that failed for good."""
    return Call("GET", place("dead-letters"), read_jobs, params=given(kind=kind, limit=limit, cursor=cursor))


def groups(*, kind: str | None = None) -> Call[tuple[ErrorCount, ...]]:
    """How many dead letters there are of each kind and error type, most first."""
    return Call("GET", place("dead-letters"), _read_counts, params=given(kind=kind, group="error"))


def inspect(job_id: str) -> Call[DeadLetter]:
    """One dead letter whole: what it was given, and how each attempt failed."""
    return Call("GET", place("dead-letters", job_id), DeadLetter.read)


def retry(job_id: str) -> Call[Job]:
    """The job at the beginning of its next run, from its last kept step."""
    return Call("POST", place("dead-letters", job_id, "retry"), Job.read, repeatable=False)


def delete(job_id: str) -> Call[None]:
    """Nothing: the dead letter is gone, and with it the job."""
    return Call("DELETE", place("dead-letters", job_id), nothing, repeatable=False)


def _read_counts(body: bytes) -> tuple[ErrorCount, ...]:
    return Page[ErrorCount].model_validate_json(body).items
