"""What the operator asks and does, as its page does it."""

from typing import Any

from jobs.kind import AnyKind
from jobs.kinds import KINDS
from jobs.model import Failure, JobId, JsonObject, new_job_id
from tests.api import Api
from tests.jobs import lines
from tests.jobs.doors import Doors

CHAT = KINDS["chat"]


async def told(operator: Api, path: str, **query: Any) -> JsonObject:
    """What the operator is answered."""
    answer = await operator.http.get(f"/v1/operator/{path}", params=query)
    assert answer.status_code == 200, answer.text
    found: JsonObject = answer.json()
    return found


async def done(operator: Api, path: str, body: JsonObject | None = None) -> JsonObject:
    """What came of an act of the operator's."""
    answer = await operator.http.post(f"/v1/operator/{path}", json=body)
    assert answer.status_code in (200, 202), answer.text
    found: JsonObject = answer.json()
    return found


async def ids(operator: Api, path: str, **query: Any) -> list[str]:
    """Which jobs a list shows."""
    return [item["id"] for item in (await told(operator, path, **query))["items"]]


async def failed(doors: Doors, *, kind: AnyKind = CHAT, code: str = "timeout", **more: Any) -> JobId:
    """A job that has just failed."""
    claim = await doors.running(kind, token=f"{new_job_id()}-1", **more)
    failure = Failure(type=code, title="It failed", detail="as it must", retryable=False)
    await doors.append(claim, lines.end("failed", failure=failure))
    return claim.job_id
