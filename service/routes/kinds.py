"""The kinds of job, as a client needs them to submit one."""

from fastapi import APIRouter

from jobs.model import JsonObject
from service.api import AccessOf, ApiOf
from service.shapes import Kinds

router = APIRouter(prefix="/v1/kinds", tags=["kinds"])


@router.get("", responses={200: {"model": Kinds}})
async def kinds(api: ApiOf, _access: AccessOf) -> JsonObject:
    """Every kind with the JSON Schema of its input, its limits, and how long its jobs are kept (seconds)."""
    return {
        "items": [
            {
                "name": kind.name,
                "summary": kind.summary,
                "input": kind.input.model_json_schema(),
                "body_limit": kind.body_limit,
                "timeout": kind.timeout_seconds,
                "max_attempts": kind.max_attempts,
                "retention": kind.retention_seconds,
                "failed_retention": kind.failed_retention_seconds,
            }
            for kind in api.kinds.values()
        ]
    }
