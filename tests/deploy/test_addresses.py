"""Behind a proxy the quotas count the client that it saw, and nothing that a client says of itself."""

from contextlib import AsyncExitStack

import httpx2

from service.limits import ALLOWANCE
from tests.api import Api
from tests.deploy.front import Front
from tests.deploy.site import Site
from tests.deploy.test_streams import stalling
from tests.system import SECRET

ONE, OTHER = "127.0.0.2", "127.0.0.3"
FORGED = {"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9", "X-Real-IP": "203.0.113.9"}


def caller(front: Front, address: str, token: str, url: str = "") -> httpx2.AsyncClient:
    """Who calls from that address of loopback."""
    return httpx2.AsyncClient(
        base_url=url or front.url,
        headers={"Authorization": f"Bearer {token}", "Prefer": "status"},
        transport=httpx2.AsyncHTTPTransport(local_address=address, verify=front.trusts),
        timeout=30,
    )


async def status(client: httpx2.AsyncClient, path: str, **headers: str) -> int:
    """How one more stream is answered, which is left at once."""
    async with client.stream("GET", path, headers=headers) as answer:
        return answer.status_code


async def test_a_quota_counts_the_client_that_the_proxy_saw(front: Front, site: Site) -> None:
    """Who has as many streams as it may gets no more by naming another address; another client has its own."""
    async with Api(front.url, SECRET, trusts=front.trusts) as api, stalling(api) as job_id, AsyncExitStack() as open_:
        token = (await api.http.post(f"/v1/jobs/{job_id}/token")).json()["token"]
        path = f"/v1/jobs/{job_id}/stream"
        one = await open_.enter_async_context(caller(front, ONE, token))
        other = await open_.enter_async_context(caller(front, OTHER, token))
        direct = await open_.enter_async_context(caller(front, ONE, token, site.urls[0]))
        for _ in range(ALLOWANCE.streams):
            assert (await open_.enter_async_context(one.stream("GET", path))).status_code == 200

        assert await status(one, path) == 429
        assert await status(one, path, **FORGED) == 429
        assert await status(direct, path, **FORGED) == 429  # it is no hop to be trusted
        assert await status(other, path) == 200


async def test_the_api_knows_that_the_client_came_over_tls(front: Front) -> None:
    """It has browsers remember that, whatever the client says; and without TLS nothing is served."""
    async with httpx2.AsyncClient(verify=front.trusts, trust_env=False) as http:
        encrypted = await http.get(f"{front.url}/healthz", headers={"X-Forwarded-Proto": "http"})
        plain = await http.get(f"http://127.0.0.1:{front.plain_port}/healthz")

    assert encrypted.status_code == 200
    assert "max-age" in encrypted.headers["strict-transport-security"]
    assert plain.status_code == 308
    assert plain.headers["location"].startswith("https://127.0.0.1")
