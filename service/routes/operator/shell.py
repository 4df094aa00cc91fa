"""The page of the operator's view: an empty shell for anybody, its modules, and the libraries that they use."""

from pathlib import Path

from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

from service.routes.page import library_router, page_policy


def shell_router(web: Path) -> APIRouter:
    """The routes that serve the shell in `web`; nothing of it holds any data."""
    router = APIRouter()
    page = (web / "operator" / "index.html").read_text()
    policy = page_policy(page)

    @router.get("/operator")
    async def shell() -> Response:
        return HTMLResponse(page, headers={"Content-Security-Policy": policy, "Cache-Control": "no-store"})

    router.include_router(library_router(web, "/operator/vendor"))
    return router
