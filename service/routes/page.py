"""The page of the demo mode: its files, the libraries that npm installed, and the visitor's cookie."""

import base64
import hashlib
import re
import secrets
from pathlib import Path

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.staticfiles import StaticFiles

from jobs.kind import DAY_SECONDS
from service.api import ApiOf
from service.auth import COOKIE
from service.credentials import Browser
from service.errors import NotFound, Unauthorized
from service.routes.tokens import set_cookie

LIBRARIES = re.compile(r"^(preact|htm|marked|uplot)/")
"""What the import map names: nothing else that npm installed is served."""

HIDDEN = frozenset({"node_modules", "tests", "package.json", "package-lock.json"})
"""What lies in the page's folder but is not part of the page."""

POLICY = (
    "default-src 'none'; script-src 'self'{hashes}; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; object-src 'none'; frame-ancestors 'none'; form-action 'self'"
)

_INLINE_SCRIPT = re.compile(r"<script type=\"importmap\">(.*?)</script>", re.DOTALL)


class PageFiles(StaticFiles):
    """The page's own modules and styles, always asked for anew if they changed."""

    def file_response(self, *arguments: object, **options: object) -> Response:
        response = super().file_response(*arguments, **options)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = "no-cache"
        return response

    def lookup_path(self, path: str) -> tuple[str, object]:  # type: ignore[override]
        first = Path(path).parts[:1]
        if not first or first[0] in HIDDEN or first[0].startswith("."):
            return "", None
        return super().lookup_path(path)


def page_router(web: Path) -> APIRouter:
    """The routes that serve the page in `web` to a visitor, who is signed in on the way."""
    router = APIRouter(include_in_schema=False)
    page = (web / "index.html").read_text()
    policy = page_policy(page)

    @router.get("/")
    async def index(request: Request, api: ApiOf) -> Response:
        response = HTMLResponse(page, headers={"Content-Security-Policy": policy, "Cache-Control": "no-store"})
        if not _signed_in(request, api):
            scopes = frozenset({"read", "cancel", *(f"submit:{name}" for name in api.kinds)})
            visitor = f"visitor:{secrets.token_urlsafe(12)}"
            token = api.keyring.browser_token(visitor, scopes, seconds=DAY_SECONDS)
            set_cookie(response, token.token, seconds=DAY_SECONDS)
        return response

    router.include_router(library_router(web, "/web/vendor"))
    return router


def library_router(web: Path, prefix: str) -> APIRouter:
    """The route that serves what npm has installed for the pages in `web`."""
    router = APIRouter(prefix=prefix)
    libraries = (web / "node_modules").resolve()

    @router.get("/{path:path}")
    async def library(path: str) -> Response:
        try:
            file = (libraries / path).resolve()
            served = bool(LIBRARIES.match(path)) and file.is_relative_to(libraries) and file.is_file()
        except (ValueError, OSError):  # a name that no file can have
            served = False
        if not served:
            raise NotFound("No library of the page has this file.")
        return FileResponse(file, headers={"Cache-Control": "no-cache"})

    return router


def page_policy(page: str) -> str:
    """The content security policy of the page; its import map is the one inline script, named by its hash."""
    digests = (hashlib.sha256(found.encode()).digest() for found in _INLINE_SCRIPT.findall(page))
    hashes = "".join(f" 'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return POLICY.format(hashes=hashes)


def _signed_in(request: Request, api: ApiOf) -> bool:
    """Whether the visitor's cookie is still good. Its own page's first request bears no mark of its origin."""
    try:
        return isinstance(api.keyring.identify(request.cookies.get(COOKIE, "")), Browser)
    except Unauthorized:
        return False
