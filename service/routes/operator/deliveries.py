"""Deliveries of webhooks: how each goes, and one made once more by hand."""

from typing import Annotated

from fastapi import Query

from jobs.model import JsonObject
from service.api import ApiOf, checked_id
from service.routes.operator.acting import ClerkOf, own_router

router = own_router("/deliveries")


@router.get("")
async def listed(
    api: ApiOf,
    job: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(max_length=128)] = None,
) -> JsonObject:
    """The newest deliveries, or all of one job, which may be gone by now."""
    if job is not None:
        return {"items": [each.shown for each in await api.desk.webhooks.of_job(checked_id(job))], "next": None}
    stories, following = await api.desk.webhooks.newest(limit=limit, after=cursor)
    return {"items": [each.shown for each in stories], "next": following}


@router.post("/{delivery_id}/retry", status_code=202)
async def retry(delivery_id: str, api: ApiOf, clerk: ClerkOf) -> JsonObject:
    """Make a delivery once more, whatever became of it."""
    await clerk.note("retry delivery", delivery_id)
    return (await api.desk.webhooks.again(delivery_id)).shown
