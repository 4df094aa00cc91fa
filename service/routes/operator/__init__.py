"""The operator's view: its page, and what that asks and does. It is served only where it is switched on."""

from pathlib import Path

from fastapi import APIRouter

from service.routes.operator import audit, dead_letters, deliveries, figures, following, jobs, kinds, schedules
from service.routes.operator.shell import shell_router


def operator_router(web: Path) -> APIRouter:
    """Every path of the operator's; `web` is the folder of the pages."""
    router = APIRouter(include_in_schema=False)
    for routes in (figures, following, jobs, dead_letters, deliveries, kinds, schedules, audit):
        router.include_router(routes.router)
    router.include_router(shell_router(web))
    return router
