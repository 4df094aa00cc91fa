"""The product as it stands behind a proxy: two APIs and two workers, each a process of its own, around one store."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2

from tests.system import READY_SECONDS, SECRET, Process, free_port, wait_until

HOP = "127.0.0.1"
"""Where the proxy is, as the APIs see it."""


class Site:
    """The processes, not yet started."""

    def __init__(self, folder: Path, store_url: str, settings: Mapping[str, str]) -> None:
        self._folder = folder
        self.store_url = store_url
        self.sandbox_url = f"http://127.0.0.1:{free_port()}"
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "REDIS_URL": store_url,
            "HOST": "127.0.0.1",
            "BACKGROUND_FUNCTION_AUTH_TOKEN": SECRET,
            "JOBSTREAM_DATA": str(folder / "data"),
            "JOBSTREAM_SANDBOX_URL": self.sandbox_url,
            "JOBSTREAM_TRUSTED_HOPS": HOP,
            **settings,
        }
        self.ports = free_port(), free_port()
        self.apis = [self._process(f"api-{port}", "-m", "service", PORT=str(port)) for port in self.ports]
        self.workers = [self._process(f"worker-{at}", "-m", "arq", "workers.main.WorkerSettings") for at in (1, 2)]
        self.sandbox = self._process("sandbox", "-m", "sandbox")

    @property
    def urls(self) -> list[str]:
        """Where each API answers, without a proxy."""
        return [f"http://127.0.0.1:{port}" for port in self.ports]

    def wait_for_apis(self) -> None:
        """Return when both APIs can serve."""
        wait_until(lambda: all(ready(url) for url in self.urls), READY_SECONDS, self._outputs)

    def wait_for_workers(self) -> None:
        """Return when both workers are known, and the sandbox answers."""
        wait_until(lambda: _told(self.urls[0]).get("workers") == len(self.workers), READY_SECONDS, self._outputs)
        wait_until(lambda: bool(_answer(f"{self.sandbox_url}/sandbox/requests")), READY_SECONDS, self._outputs)

    def _process(self, name: str, *arguments: str, **settings: str) -> Process:
        return Process(name, self._folder, [sys.executable, *arguments], {**self._environment, **settings})

    def _outputs(self) -> str:
        processes = [*self.apis, *self.workers, self.sandbox]
        return "\n".join(each.output.read_text()[-2000:] for each in processes if each.output.exists())


@contextmanager
def running_site(
    folder: Path, store_url: str, *, staffed: bool = True, settings: Mapping[str, str] | None = None
) -> Iterator[Site]:
    """A site that serves, with workers if it is `staffed`; every process of it is gone when the block ends."""
    folder.mkdir()
    site = Site(folder, store_url, settings or {})
    with ExitStack() as stack:
        for process in [*site.apis, *([*site.workers, site.sandbox] if staffed else [])]:
            stack.callback(process.kill)
            process.start()
        site.wait_for_apis()
        if staffed:
            site.wait_for_workers()
        yield site


def ready(url: str) -> bool:
    """Whether the API can serve."""
    return bool(_told(url))


def _told(url: str) -> Mapping[str, object]:
    return _answer(f"{url}/readyz")


def _answer(url: str) -> Mapping[str, object]:
    """What is there; nothing unless it is 200."""
    try:
        response = httpx2.get(url, timeout=2, trust_env=False)
    except httpx2.HTTPError:
        return {}
    answer: Mapping[str, object] = response.json()
    return answer if response.status_code == 200 else {}
