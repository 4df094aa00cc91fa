"""Whether this process lives, and whether it can serve."""

import time
from typing import Annotated

from fastapi import APIRouter, Query, Response

from jobs import keys
from jobs.connection import store_faults
from jobs.errors import StoreUnavailable
from jobs.model import JsonObject
from service.api import ApiOf

WORKER_DEAD_SECONDS = 15.0

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def alive() -> JsonObject:
    """200 while the process answers at all."""
    return {"status": "ok"}


@router.get("/readyz")
async def ready(api: ApiOf, response: Response, worker: Annotated[bool, Query()] = False) -> JsonObject:  # noqa: FBT002
    """200 while the store answers; with `?worker=1` only while a worker does, too."""
    try:
        with store_faults():
            since = time.time() - WORKER_DEAD_SECONDS
            workers = int(await api.client.zcount(keys.WORKERS, since, "+inf"))
    except StoreUnavailable:
        response.status_code = 503
        return {"status": "unavailable", "store": "unreachable", "workers": None}
    if worker and not workers:
        response.status_code = 503
        return {"status": "unavailable", "store": "ok", "workers": 0}
    return {"status": "ok", "store": "ok", "workers": workers}
