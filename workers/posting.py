"""One call of a webhook: to a public address that was looked at, over TLS for its name, and to nowhere else."""

import ssl
from collections.abc import Callable, Mapping

import anyio
import httpx2

from jobs.addresses import is_public
from jobs.endpoints import Endpoint
from workers.lookup import Lookup, look_up

MOST_ADDRESSES = 3
CONNECT_SECONDS = 4.0
"""How many of a host's addresses are tried, and for how long each: one that says nothing is not to take it all."""

_NOT_CONNECTED = (httpx2.ConnectError, httpx2.ConnectTimeout, anyio.BrokenResourceError, anyio.EndOfStream, OSError)
"""Faults before anything was sent; those of TLS leave httpx2 as they are."""


class NotPosted(Exception):
    """There was no answer; the message says why."""


class Postman:
    """Whoever makes the calls: never by a proxy, never to where an answer redirects, and without a memory for cookies
    or connections."""

    def __init__(
        self,
        *,
        lookup: Lookup = look_up,
        allowed: Callable[[str], bool] = is_public,
        trusts: ssl.SSLContext | None = None,
    ) -> None:
        self._lookup = lookup
        self._allowed = allowed
        self._trusts = trusts or httpx2.create_ssl_context()

    async def post(self, endpoint: Endpoint, headers: Mapping[str, str], body: bytes) -> httpx2.Response:
        """The head of the answer; NotPosted where there is none. How long it may take is for the caller to say."""
        fault: Exception = NotPosted("The host has no address.")
        for address in (await self._addresses(endpoint))[:MOST_ADDRESSES]:
            try:
                return await self._post_to(address, endpoint, headers, body)
            except _NOT_CONNECTED as error:
                fault = error
            except httpx2.HTTPError as error:
                raise NotPosted("The endpoint broke off, or gave no HTTP answer.") from error
        raise NotPosted(_sentence(fault)) from fault

    async def _addresses(self, endpoint: Endpoint) -> list[str]:
        """Where the host is; NotPosted if but one of its addresses is not public, since a name that mixes them is a
        mistake or an attack."""
        try:
            found = await self._lookup(endpoint.host, endpoint.port)
        except (OSError, UnicodeError) as error:
            raise NotPosted("The host's name leads nowhere.") from error
        if not endpoint.trusted and not all(map(self._allowed, found)):
            raise NotPosted("The host's name does not lead to the public internet.")
        return found

    async def _post_to(
        self, address: str, endpoint: Endpoint, headers: Mapping[str, str], body: bytes
    ) -> httpx2.Response:
        url = httpx2.URL(endpoint.url).copy_with(host=address, port=endpoint.port)
        head = {"Host": endpoint.authority, "Accept-Encoding": "identity", "Connection": "close", **headers}
        name = {"sni_hostname": endpoint.host}  # whose certificate it must be
        timeout = httpx2.Timeout(None, connect=CONNECT_SECONDS)
        async with httpx2.AsyncClient(verify=self._trusts, trust_env=False, timeout=timeout) as http:
            request = http.build_request("POST", url, headers=head, content=body, extensions=name)
            response = await http.send(request, stream=True, follow_redirects=False)
            await response.aclose()  # its body is of no interest, and may have no end
            return response


def _sentence(fault: BaseException) -> str:
    """Why the endpoint was not reached; a fault of TLS is below others."""
    if isinstance(fault, NotPosted):
        return str(fault)
    if isinstance(fault, ssl.SSLCertVerificationError):
        return "The endpoint's certificate is not for its name, or not trusted."
    below = fault.__cause__ or fault.__context__
    return _sentence(below) if below else "The endpoint cannot be reached."
