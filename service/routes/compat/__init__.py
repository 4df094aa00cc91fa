"""The paths of the programs that came before: their front ends ask here as they always did, and send a credential."""

from fastapi import APIRouter

from jobs.model import JsonObject
from service.routes.compat import background, chat, events
from service.routes.compat.copying import copy_router


def compat_router(copy: JsonObject | None) -> APIRouter:
    """Every old path; `copy` is the input of the job that the old copy path runs, None where it runs none."""
    router = APIRouter(include_in_schema=False)
    for routes in (chat.router, background.router, copy_router(copy), events.router):
        router.include_router(routes)
    return router
