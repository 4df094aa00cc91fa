"""The HTTP connections that all providers share, with limits that hold whatever an SDK asks for."""

import logging
from collections.abc import AsyncGenerator

import httpx2
import structlog

from workers.provider import ProviderError
from workers.providers.limits import Limits

MAX_CONNECTIONS = 200
MAX_IDLE_CONNECTIONS = 50

REQUEST_ID_HEADERS = ("X-Request-ID", "X-Client-Request-Id")
"""How providers and the gateways before them are told which request a question is for; the latter is OpenAI's."""

ITS_ID_HEADERS = ("x-request-id", "request-id", "x-goog-request-id")
LONGEST_ID = 128

log = structlog.get_logger(__name__)


def open_connections(limits: Limits, *, proxied: bool) -> httpx2.AsyncClient:
    """A client to be closed by its owner. `proxied`: HTTP_PROXY and its kin are followed, as many a network
    wants it, though not on the way to a sandbox on loopback. Redirects are not: a key goes nowhere else."""
    timeout = httpx2.Timeout(limits.first_byte_seconds, connect=limits.connect_seconds)

    async def limit_request(request: httpx2.Request) -> None:
        request.extensions["timeout"] = timeout.as_dict()  # google-genai turns the client's own time-outs off
        if request_id := structlog.contextvars.get_contextvars().get("request_id"):
            request.headers.update(dict.fromkeys(REQUEST_ID_HEADERS, request_id))

    async def limit_response(response: httpx2.Response) -> None:
        _note(response)
        response.request.extensions["timeout"]["read"] = limits.idle_seconds  # looked up when the body is read
        if isinstance(response.stream, httpx2.AsyncByteStream):
            response.stream = _Bounded(response.stream, limits.answer_bytes)

    return httpx2.AsyncClient(
        timeout=timeout,
        limits=httpx2.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_IDLE_CONNECTIONS),
        headers={"accept-encoding": "identity"},  # a compressor would hold words back
        event_hooks={"request": [limit_request], "response": [limit_response]},
        follow_redirects=False,
        trust_env=proxied,
    )


def _note(response: httpx2.Response) -> None:
    """Say with which status the provider began to answer, and by which name it knows the request."""
    its_id = next((response.headers[name] for name in ITS_ID_HEADERS if name in response.headers), "")
    level = logging.INFO if response.is_success else logging.WARNING
    log.log(level, "provider responded", status=response.status_code, provider_request_id=its_id[:LONGEST_ID] or None)


class _Bounded(httpx2.AsyncByteStream):
    """A response's body that may not grow past a size."""

    def __init__(self, body: httpx2.AsyncByteStream, size: int) -> None:
        self._body = body
        self._left = size

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        async for chunk in self._body:
            self._left -= len(chunk)
            if self._left < 0:
                raise ProviderError("The provider's answer is larger than we take.", retryable=False)
            yield chunk

    async def aclose(self) -> None:
        await self._body.aclose()
