"""Schedules: what the clock starts, and the same by hand."""

from jobs.model import JsonObject
from service.api import ApiOf, RequestId
from service.routes.operator.acting import ClerkOf, own_router

router = own_router("/schedules")


@router.get("")
async def listed(api: ApiOf) -> JsonObject:
    """Every schedule, when it ran last, and when it runs next."""
    return {"items": await api.desk.cron.listed()}


@router.post("/{name}/run", status_code=202)
async def run(name: str, api: ApiOf, clerk: ClerkOf, request_id: RequestId) -> JsonObject:
    """Submit the schedule's job now, beside those that the clock submits."""
    api.desk.cron.schedule(name)
    await clerk.note("run schedule", name)
    return {"job_id": await api.desk.cron.run(name, request_id=request_id)}
