"""Nobody reads what the processes log, or the disk is full: they go on, and say how much was lost once they can."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest

from jobs.model import JsonObject
from jobs.stderr import MOST_LINES
from tests.api import Api
from tests.jobs.patience import until
from tests.secrecy.pipes import Piped, on_a_full_disk, piped
from tests.system import READY_SECONDS, SECRET, System, wait_until
from tests.valkey import ValkeyProcess

MORE = MOST_LINES + 600


@pytest.fixture
def product(tmp_path: Path, store: ValkeyProcess) -> System:
    """The product's processes, none of which runs yet."""
    return System(tmp_path, store, pace=0, settings={})


@pytest.fixture
def sandbox(product: System) -> Iterator[None]:
    """What answers for the providers."""
    product.sandbox.start()
    yield
    product.sandbox.kill()


async def test_an_api_whose_log_nobody_reads_goes_on_and_tells_how_much_was_lost(product: System) -> None:
    """Every request is answered; the count that is logged once somebody reads, and the lines that were read, are all
    that there were. It ends at once though nobody reads again."""
    with piped(product.api) as api:
        await answers(product)
        async with httpx2.AsyncClient(base_url=product.url) as http:
            answered = [(await http.get(f"/healthz?{number}")).status_code for number in range(MORE)]
            lines = await lines_with_the_loss(api)
            answered += [(await http.get("/healthz")).status_code for _ in range(100)]
        code = api.end()

    assert answered == [200] * (MORE + 100)
    lost = next(line["lines"] for line in lines if "dropped" in line["event"])
    logged = sum(line["event"] == "request" for line in lines)
    assert 0 < lost <= MORE
    assert logged >= MOST_LINES
    assert logged + lost >= MORE
    assert code == 0


async def test_a_worker_whose_log_nobody_reads_goes_on(product: System, sandbox: None) -> None:
    """Chats are answered long after its pipe is full, and it hands back what it holds when it is told to stop."""
    product.api.start()
    try:
        with piped(product.worker) as worker:
            wait_until(lambda: _status(product, "/readyz?worker=1") == 200, READY_SECONDS)
            async with Api(product.url, SECRET) as api:
                chats = [await api.submit(f"Chat {number}") for number in range(8)]
                ended = [await api.ended(chat["id"]) for chat in chats]
            code = worker.end()
            said = worker.read()
    finally:
        product.api.kill()

    assert [each["state"] for each in ended] == ["completed"] * 8
    assert code == 0
    assert len(said) <= 4096


@pytest.mark.parametrize("which", ["api", "worker"])
async def test_a_process_whose_disk_is_full_goes_on(which: str, product: System, sandbox: None) -> None:
    with ExitStack() as stack:
        stack.callback(product.api.kill)
        stack.callback(product.worker.kill)
        if which == "api":
            product.worker.start()
            its = stack.enter_context(on_a_full_disk(product.api))
        else:
            product.api.start()
            its = stack.enter_context(on_a_full_disk(product.worker))
        wait_until(lambda: _status(product, "/readyz?worker=1") == 200, READY_SECONDS)

        async with Api(product.url, SECRET) as api:
            ended = await api.ended((await api.submit("Hello"))["id"])

        assert ended["state"] == "completed"
        assert its.end() == 0


async def lines_with_the_loss(api: Piped) -> list[JsonObject]:
    """All that is read until the process says how much nobody has read."""
    read = bytearray()

    async def told() -> bool:
        read.extend(api.read())
        return b"log lines were dropped" in read and read.endswith(b"\n")

    await until(told)
    return [json.loads(line) for line in read.splitlines() if line.startswith(b"{")]


async def answers(product: System) -> None:
    """Return once the API does."""

    async def alive() -> bool:
        return _status(product, "/healthz") == 200

    await until(alive)


def _status(product: System, path: str) -> int:
    try:
        return httpx2.get(f"{product.url}{path}", timeout=5).status_code
    except httpx2.HTTPError:
        return 0
