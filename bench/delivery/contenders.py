"""Who is measured: we and our peers, how each is started, and how its updates are published."""

import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from bench.delivery.building import compiled
from bench.environments import Absent

HERE = Path(__file__).parent
NCHAN = (Path("/usr/lib/nginx/modules/ngx_nchan_module.so"), Path("/usr/share/nginx/modules/ngx_nchan_module.so"))
INSTALL = ("npm", "ci", "--silent")
INSTALL_SECONDS = 120.0
ACCEPT = {"Accept": "text/event-stream"}
SECRET = secrets.token_urlsafe(24)

How = Literal["append", "announce", "publish", "post"]


@dataclass(frozen=True)
class Place:
    """Where a contender works: its port, the store, and a folder of its own."""

    port: int
    store: str
    data: Path
    folder: Path

    @property
    def socket(self) -> str:
        """The store's socket."""
        return urlsplit(self.store).path


@dataclass(frozen=True)
class Begin:
    """Rates, in updates a second, at which the search for the highest begins."""

    many: float
    fan: float


@dataclass(frozen=True)
class Contender:
    """A server: the command that runs it, and how it is spoken to. `command` raises Absent where it cannot run."""

    name: str
    what: str
    command: Callable[[Place], list[str]]
    begin: Begin
    how: How = "publish"
    headers: Mapping[str, str] = field(default_factory=lambda: ACCEPT)
    environment: Callable[[Place], dict[str, str]] = lambda _: {}

    def target(self, channel: str) -> str:
        """What a reader of the channel asks for."""
        return f"/v1/jobs/{channel}/stream" if self.ours else f"/sub?id={channel}"

    @property
    def ours(self) -> bool:
        """Whether it is the product."""
        return self.how == "append"


def _service(_: Place) -> list[str]:
    return [sys.executable, "-m", "service"]


def _settings(place: Place) -> dict[str, str]:
    """The product as its deployer starts it, beside a store that runs."""
    return {
        "HOST": "127.0.0.1",
        "PORT": str(place.port),
        "JOBSTREAM_DATA": str(place.data),
        "BACKGROUND_FUNCTION_AUTH_TOKEN": SECRET,
    }


def _python(module: str) -> Callable[[Place], list[str]]:
    return lambda place: [sys.executable, "-m", f"bench.delivery.peers.{module}", str(place.port), place.store]


def _raw(place: Place) -> list[str]:
    return [sys.executable, "-m", "bench.delivery.peers.raw", str(place.port), place.socket]


def _epoll(place: Place) -> list[str]:
    return [str(compiled(HERE / "peers" / "epoll.c")), str(place.port), place.socket]


def _nginx(place: Place) -> list[str]:
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    module = next((each for each in NCHAN if each.exists()), None)
    if program is None or module is None:
        raise Absent("Debian's packages nginx and libnginx-mod-nchan are not installed")
    text = (HERE / "peers" / "nginx.conf").read_text()
    for name, value in (("FOLDER", place.folder), ("MODULE", module), ("PORT", place.port)):
        text = text.replace(f"@{name}@", str(value))
    configuration = place.folder / "nginx.conf"
    configuration.write_text(text)
    return [program, "-c", str(configuration), "-p", str(place.folder)]


def _node(file: str) -> Callable[[Place], list[str]]:
    def command(place: Place) -> list[str]:
        program = shutil.which("node")
        if program is None:
            raise Absent("there is no node")
        _install_node_modules()
        return [program, str(HERE / "peers" / "node" / file), str(place.port), place.socket]

    return command


def _install_node_modules() -> None:
    folder = HERE / "peers" / "node"
    if (folder / "node_modules" / ".package-lock.json").exists():
        return
    try:
        subprocess.run(INSTALL, cwd=folder, check=True, capture_output=True, timeout=INSTALL_SECONDS)  # noqa: S603
    except (OSError, subprocess.SubprocessError) as error:
        raise Absent("the packages of peers/node cannot be installed") from error


CONTENDERS = {
    contender.name: contender
    for contender in (
        Contender(
            "ours", "Jobstream", _service, Begin(many=30_000, fan=1600), how="append",
            headers=ACCEPT | {"Authorization": f"Bearer {SECRET}"}, environment=_settings,
        ),
        Contender("tutorial", "a subscription per client", _python("tutorial"), Begin(many=6_000, fan=6)),
        Contender("shared", "sse-starlette, one subscription", _python("shared"), Begin(many=10_000, fan=20)),
        Contender("nchan", "nginx + nchan", _nginx, Begin(many=28_000, fan=80), how="post"),
        Contender("better", "better-sse on node", _node("better.mjs"), Begin(many=28_000, fan=120)),
        Contender("node", "node, bare http", _node("bare.mjs"), Begin(many=28_000, fan=250)),
        Contender("raw", "asyncio protocol, bare", _raw, Begin(many=40_000, fan=2_000)),
        Contender("c", "C on epoll", _epoll, Begin(many=60_000, fan=2_000)),
    )
}  # fmt: skip
"""By name. `fan` is for 1,000 readers."""
