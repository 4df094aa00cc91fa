"""Under which names the service may be called: a page that has its own name point here is none of ours."""

import re
from collections.abc import Collection
from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from service.errors import InvalidRequest
from service.problems import problem_response
from service.witness import refused

_WITH_PORT = re.compile(r"^(\[[^\]]*\]|[^:]*)(?::[0-9]*)?$")


class Hosts:
    """Wraps the application: requests to other hosts than loopback's and the allowed ones are refused.

    A browser takes a page of a name that now points here for one of this very origin (DNS rebinding), so that no
    rule about origins can tell them apart."""

    def __init__(self, app: ASGIApp, *, allowed: Collection[str]) -> None:
        self._app = app
        self._allowed = frozenset(name.lower() for name in allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or self._knows(Headers(scope=scope).get("host", "")):
            await self._app(scope, receive, send)
            return
        error = InvalidRequest("The service is not called by this name; JOBSTREAM_HOSTS lists those that it has.")
        refused(scope, error)
        await problem_response(error, str(scope["state"]["request_id"]))(scope, receive, send)

    def _knows(self, host: str) -> bool:
        found = _WITH_PORT.fullmatch(host.lower())
        return found is not None and (found[1] in self._allowed or _is_loopback(found[1]))


def _is_loopback(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):  # which resolvers keep at home (RFC 6761)
        return True
    try:
        return ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False
