"""Whether this process lives, and whether it can serve."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from jobs.errors import StoreUnavailable
from jobs.model import JsonObject
from jobs.roll import Roll
from jobs.store import takes_writes
from service.api import ApiOf
from service.shapes import Alive, Ready

router = APIRouter(tags=["health"])


@router.get("/healthz", responses={200: {"model": Alive}})
async def alive() -> JsonObject:
    """200 while the process answers at all."""
    return {"status": "ok"}


@router.get(
    "/readyz",
    responses={200: {"model": Ready}, 503: {"model": Ready, "description": "It cannot serve now"}},
)
async def ready(api: ApiOf, response: Response, worker: Annotated[bool, Query()] = False) -> JsonObject:  # noqa: FBT002
    """200 while the store answers, be it read-only just now; with `?worker=1` only while a worker does, too."""
    try:
        workers = await Roll(api.client).living()
        store = "ok" if await takes_writes(api.client) else "read-only"
    except StoreUnavailable:
        response.status_code = 503
        return {"status": "unavailable", "store": "unreachable", "workers": None}
    if worker and not workers:
        response.status_code = 503
        return {"status": "unavailable", "store": store, "workers": 0}
    return {"status": "ok", "store": store, "workers": workers}
