"""Who asks: a secret or token, or a function that yields a fresh token where the one before has ended."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator

import httpx2

Source = str | Callable[[], str]
AsyncSource = Source | Callable[[], Awaitable[str]]


class Credential(httpx2.Auth):
    """Signs requests; where a function yields tokens, a 401 is answered with a fresh one, once."""

    def __init__(self, source: AsyncSource | None) -> None:
        self._held = source if isinstance(source, str) else None
        self._renew = source if callable(source) else None

    def sync_auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        if self._renew is None:
            yield self._signed(request)
            return
        if self._held is None:
            self._held = _at_once(self._renew())
        used = self._held
        response = yield self._signed(request)
        if response.status_code == 401:
            if self._held == used:  # nobody else has fetched a fresh one meanwhile
                self._held = _at_once(self._renew())
            yield self._signed(request)

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        if self._renew is None:
            yield self._signed(request)
            return
        if self._held is None:
            self._held = await _awaited(self._renew())
        used = self._held
        response = yield self._signed(request)
        if response.status_code == 401:
            if self._held == used:
                self._held = await _awaited(self._renew())
            yield self._signed(request)

    def _signed(self, request: httpx2.Request) -> httpx2.Request:
        if self._held is not None:
            request.headers["Authorization"] = f"Bearer {self._held}"
        return request


def _at_once(token: str | Awaitable[str]) -> str:
    if not isinstance(token, str):
        raise TypeError("Only AsyncClient takes an async function for its token.")
    return token


async def _awaited(token: str | Awaitable[str]) -> str:
    return token if isinstance(token, str) else await token
