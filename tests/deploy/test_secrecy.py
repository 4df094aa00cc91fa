"""A proxy writes down what was asked, and never with what right."""

import socketserver
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

import httpx2
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.deploy.front import FRONTS, Front, running_front
from tests.jobs.patience import until
from tests.system import free_port

CANARY = "canary-9d41f0c7"
PATH = "/v1/jobs/AAAAAAAAAAAAAAAAAAAAAAAA"
CREDENTIALS = {
    "Authorization": f"Bearer {CANARY}",
    "X-Background-Function-Auth-Token": CANARY,
    "Cookie": f"__Host-jobstream={CANARY}",
    "Referer": f"https://app.example.com/?token={CANARY}",
}


async def test_a_token_stands_in_no_log(front: Front) -> None:
    """Neither one in a query nor one in a header, where the API answers."""
    await _ask(front)

    await until(lambda: _noted(front))
    assert CANARY not in front.logs()


@pytest.mark.parametrize("kind", FRONTS.values(), ids=FRONTS)
async def test_a_token_stands_in_no_log_where_the_api_fails(kind: type[Front], tmp_path: Path) -> None:
    """One API hangs up on every request, and the other is not there: much is said of that elsewhere."""
    with _hanging_up() as rude, running_front(kind, tmp_path / "front", (rude, free_port())) as front:
        await _ask(front)

        await until(lambda: _noted(front))
        assert CANARY not in front.logs()


async def _ask(front: Front) -> None:
    """One request of each form that may bear a credential, to either port."""
    async with httpx2.AsyncClient(verify=front.trusts, timeout=30, trust_env=False) as http:
        await http.get(f"{front.url}{PATH}/stream?token={CANARY}", headers=CREDENTIALS)
        await http.post(f"{front.url}/v1/jobs?token={CANARY}", headers=CREDENTIALS, content=b"{}")
        await http.get(f"http://127.0.0.1:{front.plain_port}{PATH}/stream?token={CANARY}")
    address = f"{front.url.replace('http', 'ws', 1)}{PATH}/ws?token={CANARY}"
    with suppress(InvalidStatus):
        async with connect(address, ssl=front.trusts, proxy=None, additional_headers=CREDENTIALS):
            pass


async def _noted(front: Front) -> bool:
    """Whether all of them have been written down that come over TLS."""
    written = front.logs()
    return all(path in written for path in (f"{PATH}/stream", f"{PATH}/ws", "/v1/jobs"))


class _Rude(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.request.recv(1)


@contextmanager
def _hanging_up() -> Iterator[int]:
    """The port of a server that begins to read a request, answers nothing, and hangs up."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Rude) as server:
        Thread(target=server.serve_forever).start()
        yield server.server_address[1]
        server.shutdown()
