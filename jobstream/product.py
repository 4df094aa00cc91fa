"""The whole product on loopback, with a folder of its own, for as long as a block lasts."""

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2

from jobstream.errors import NotReady
from jobstream.processes import Processes, open_processes
from jobstream.run import PROVIDER_KEYS

SANDBOX = "JOBSTREAM_SANDBOX_URL"
SECRET = "BACKGROUND_FUNCTION_AUTH_TOKEN"  # noqa: S105  # its name, not its value
START_SECONDS = 60.0
PAUSE_SECONDS = 0.05
CALL_SECONDS = 2.0


@dataclass(frozen=True)
class Product:
    """Where it is reached, and with which secret; `data` is where its store keeps the jobs."""

    url: str
    secret: str
    sandboxed: bool
    data: Path
    processes: Processes


@asynccontextmanager
async def running_product(environment: Mapping[str, str]) -> AsyncIterator[Product]:
    """A product that is ready for jobs; it and all that it kept are gone when the block ends.

    The providers are real if the environment brings a key of theirs and names no sandbox."""
    secret = secrets.token_urlsafe(24)
    api, sandbox = _free_addresses(2)
    with TemporaryDirectory(prefix="jobstream-") as folder:
        settings = _settings(environment, api=api, sandbox=sandbox, secret=secret, folder=folder)
        sandboxed = SANDBOX in settings
        with open_processes(Path(folder), settings) as processes:
            processes.start("store", "-m", "jobs.store")
            processes.start("API", "-m", "service")
            processes.start("worker", "-m", "arq", "workers.main.WorkerSettings")
            awaited = [f"http://{api}/readyz?worker=1"]
            if sandboxed:
                processes.start("sandbox", "-m", "sandbox")
                awaited.append(f"http://{sandbox}/sandbox/requests")
            await processes.beside(_until_ready(awaited, processes))
            yield Product(f"http://{api}", secret, sandboxed, Path(folder), processes)


def _settings(environment: Mapping[str, str], *, api: str, sandbox: str, secret: str, folder: str) -> dict[str, str]:
    """The environment, but pointing at nothing except this product."""
    host, _, port = api.rpartition(":")
    kept = {name: value for name, value in environment.items() if name not in {"REDIS_URL", SANDBOX}}
    own = {"HOST": host, "PORT": port, "JOBSTREAM_DATA": folder, "JOBSTREAM_DEMO": "1", SECRET: secret}
    has_key = any(environment.get(key) for key in PROVIDER_KEYS)
    if environment.get(SANDBOX) or not has_key:
        own[SANDBOX] = f"http://{sandbox}"
    return kept | own


async def _until_ready(urls: list[str], processes: Processes) -> None:
    try:
        async with asyncio.timeout(START_SECONDS), httpx2.AsyncClient(trust_env=False) as http:
            for url in urls:
                while not await _answers(http, url):  # noqa: ASYNC110  # another process gets ready
                    await asyncio.sleep(PAUSE_SECONDS)
    except TimeoutError:
        error = NotReady(f"The processes were not ready within {START_SECONDS:.0f} s.")
        error.add_note(processes.last_words())
        raise error from None


async def _answers(http: httpx2.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(url, timeout=CALL_SECONDS)).is_success
    except httpx2.TransportError:
        return False


def _free_addresses(count: int) -> list[str]:
    """Addresses of loopback at which nobody listens just now."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return ["{}:{}".format(*probe.getsockname()) for probe in probes]
