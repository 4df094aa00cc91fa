"""A proxy in front of the product, with the documented configuration: only its places are the test's own."""

import os
import signal
import ssl
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx2

from tests.chaos.machine import program
from tests.system import READY_SECONDS, ROOT, Process, free_port, wait_until
from tests.transports.certificate import Certificate, write_certificate

DEPLOY = ROOT / "deploy"
API_PLACES = "127.0.0.1:8881", "127.0.0.1:8882"
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


class Front(ABC):
    """One proxy, which runs while its block does."""

    name: str

    def __init__(self, folder: Path, apis: Sequence[int]) -> None:
        self.folder = folder
        self.certificate: Certificate = write_certificate(folder)
        self.trusts = ssl.create_default_context(cafile=self.certificate.file)
        self.port, self.plain_port = free_port(), free_port()
        self._apis = dict(zip(API_PLACES, (f"127.0.0.1:{port}" for port in apis), strict=True))
        self.process = Process(self.name, folder, self.command(), {"PATH": os.environ["PATH"], "HOME": str(folder)})

    @property
    def url(self) -> str:
        """Where clients find it, over TLS."""
        return f"https://127.0.0.1:{self.port}"

    @abstractmethod
    def command(self) -> list[str]:
        """What runs it in the foreground."""

    @abstractmethod
    def reload(self) -> None:
        """Have it read its configuration again, as an operator does."""

    def logs(self) -> str:
        """All that it has written down."""
        return "".join(file.read_text() for file in sorted(self.folder.rglob("*.log")))

    def own(self, file: str, places: Mapping[str, str]) -> Path:
        """A documented file, copied with these places instead of its own; each of them is in it."""
        text = (DEPLOY / file).read_text()
        for documented, ours in places.items():
            assert documented in text, f"{file} has no {documented!r}"
            text = text.replace(documented, ours)
        copy = self.folder / Path(file).name
        copy.write_text(text)
        return copy


class Nginx(Front):
    """Debian's nginx."""

    name = "nginx"
    shutdown_timeout = "60s"
    """How long its old processes keep their streams after a reload."""

    def command(self) -> list[str]:
        temporary = "".join(f"{each}_temp_path {self.folder}/{each};" for each in TEMPORARY)
        site = self.own("nginx/jobstream.conf", {
            **self._apis,
            "listen 80;": f"listen 127.0.0.1:{self.plain_port};",
            "listen 443 ssl": f"listen 127.0.0.1:{self.port} ssl",
            "/etc/ssl/jobstream": str(self.folder),
            "/var/log/nginx": str(self.folder),
        })  # fmt: skip
        main = self.own("nginx/nginx.conf", {
            "user www-data;": f"user {'root' if os.geteuid() == 0 else 'www-data'};",
            "/run/nginx.pid": f"{self.folder}/nginx.pid",
            "/var/log/nginx": str(self.folder),
            "http {": f"http {{ {temporary}",
            "/etc/nginx/jobstream.conf": str(site),
            "worker_shutdown_timeout 60s": f"worker_shutdown_timeout {self.shutdown_timeout}",
        })  # fmt: skip
        executable = str(program("nginx", "nginx"))
        self._nginx = [executable, "-c", str(main), "-e", str(self.folder / "error.log")]
        return [*self._nginx, "-g", "daemon off;"]

    def reload(self) -> None:
        before = self._workers()
        subprocess.run([*self._nginx, "-s", "reload"], check=True, timeout=READY_SECONDS)
        wait_until(lambda: bool(self._workers() - before), READY_SECONDS)

    def _workers(self) -> set[str]:
        pid = self.process.pid
        return set(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())


class Caddy(Front):
    """Debian's Caddy."""

    name = "caddy"

    def command(self) -> list[str]:
        (self.folder / "log").mkdir()
        self._file = self.own("Caddyfile", {
            **self._apis,
            "http_port 80": f"http_port {self.plain_port}",
            "https_port 443": f"https_port {self.port}",
            "jobs.example.com {": "127.0.0.1 {",
            "/etc/ssl/jobstream": str(self.folder),
            "/var/log/caddy": str(self.folder / "log"),
            "/run/caddy/admin.sock": f"{self.folder}/admin.sock",
        })  # fmt: skip
        self._caddy = str(program("caddy", "caddy"))
        return [self._caddy, "run", "--config", str(self._file), "--adapter", "caddyfile"]

    def reload(self) -> None:
        how = ["--config", str(self._file), "--adapter", "caddyfile", "--address", f"unix/{self.folder}/admin.sock"]
        subprocess.run(
            [self._caddy, "reload", "--force", *how], check=True, timeout=READY_SECONDS, capture_output=True
        )


FRONTS: dict[str, type[Front]] = {front.name: front for front in (Nginx, Caddy)}


@contextmanager
def running_front(kind: type[Front], folder: Path, apis: Sequence[int]) -> Iterator[Front]:
    """A proxy that answers, before the APIs on these ports; it is gone when the block ends."""
    folder.mkdir()
    front = kind(folder, apis)
    front.process.start()
    try:
        wait_until(lambda: _answers(front), READY_SECONDS, lambda: front.logs()[-2000:])
        yield front
    finally:
        front.process.end(signal.SIGTERM)


def _answers(front: Front) -> bool:
    try:
        httpx2.get(f"{front.url}/healthz", verify=front.trusts, timeout=10, trust_env=False)
    except httpx2.HTTPError:
        return False
    return True
