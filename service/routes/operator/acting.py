"""Who acts on the operator's paths, and the note that is kept of each act."""

from dataclasses import dataclass
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends
from starlette.requests import Request

from jobs.audit import Act, Audit
from jobs.errors import StorageFull
from service.api import AccessOf, ApiOf, RequestId

log = structlog.get_logger(__name__)


async def operating(access: AccessOf) -> None:
    """Forbidden unless the caller is the operator."""
    access.check_operator()


def own_router(path: str) -> APIRouter:
    """A router for paths of the operator's, on which nobody else gets as far as a route."""
    return APIRouter(prefix=f"/v1/operator{path}", dependencies=[Depends(operating)])


@dataclass(frozen=True)
class Clerk:
    """Keeps note of what one request does."""

    audit: Audit
    request_id: str
    address: str

    async def note(self, act: str, on: str) -> None:
        """To be called before the act: a note of one that failed is better than an act without a note."""
        log.info("the operator acts", act=act, on=on, address=self.address)
        try:
            await self.audit.note(Act(act, on, self.request_id, self.address))
        except StorageFull:  # what the operator does then may be what makes room
            log.warning("the store is full, and keeps no note of this act", act=act)


async def clerk_of(request: Request, api: ApiOf, request_id: RequestId) -> Clerk:
    """The clerk of this request."""
    return Clerk(api.desk.audit, request_id, request.client.host if request.client else "")


ClerkOf = Annotated[Clerk, Depends(clerk_of)]
