"""The calls of the service that a client makes, and what their refusals mean."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2

from jobstream.errors import RequestRefused, Unreachable
from jobstream.fold import JsonObject
from jobstream.job import Job

CALL_SECONDS = 10.0


@asynccontextmanager
async def open_api(url: str, credential: str) -> AsyncIterator[httpx2.AsyncClient]:
    """Connections to the service at `url`, every request with the credential."""
    headers = {"Authorization": f"Bearer {credential}"}
    async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=CALL_SECONDS, trust_env=False) as http:
        yield http


async def submit(http: httpx2.AsyncClient, kind: str, job_input: JsonObject) -> Job:
    """The job, accepted; RequestRefused if it was not, Unreachable if nobody knows whether it was."""
    try:
        response = await http.post("/v1/jobs", json={"kind": kind, "input": job_input})
    except httpx2.TransportError as error:
        raise Unreachable(f"The service does not answer: {error or type(error).__name__}") from error
    if response.is_error:
        raise refusal(response)
    return Job.model_validate_json(response.content)


def refusal(response: httpx2.Response) -> RequestRefused:
    """What the service says in its answer, as an error."""
    try:
        problem = response.json()
        return RequestRefused(f"{problem['title']}: {problem['detail']}")
    except (ValueError, KeyError, TypeError):  # somebody else's answer: a proxy's, say
        return RequestRefused(f"The service answers {response.status_code}.")


def is_transient(status: int) -> bool:
    """Whether the same request may be answered well a moment later."""
    return status in {408, 429} or status >= 500
