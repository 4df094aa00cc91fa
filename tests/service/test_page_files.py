"""The page's files: what a strange path is answered."""

from pathlib import Path

import pytest
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient
from starlette.requests import Request
from starlette.responses import Response

from service.errors import NotFound
from service.routes.page import page_router

PATHS = ("%00", "preact/%00", "preact/" + "a" * 300, "a" * 300, "preact/..%2f..%2fsecret", "other/x.js", "preact")


@pytest.mark.parametrize("path", PATHS)
async def test_a_path_that_no_file_can_have_is_not_found(tmp_path: Path, path: str) -> None:
    """404, and never a fault of ours."""
    (tmp_path / "index.html").write_text("<p>")
    (tmp_path / "node_modules" / "preact").mkdir(parents=True)
    (tmp_path / "secret").write_text("x")
    app = FastAPI()
    app.include_router(page_router(tmp_path))
    app.add_exception_handler(NotFound, _not_found)

    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://page") as visitor:
        assert (await visitor.get(f"/web/vendor/{path}")).status_code == 404


async def _not_found(_request: Request, _error: Exception) -> Response:
    return Response(status_code=404)
