"""The audit log: what the operator did."""

from typing import Annotated

from fastapi import Query

from jobs.model import JsonObject
from service.api import ApiOf
from service.routes.operator.acting import own_router

router = own_router("/audit")


@router.get("")
async def listed(
    api: ApiOf,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(max_length=128)] = None,
) -> JsonObject:
    """The newest acts, with the request and the address that each came from."""
    acts = await api.desk.audit.page(limit=limit, after=cursor)
    return {"items": acts, "next": acts[-1]["cursor"] if len(acts) == limit else None}
