"""Who is measured: we, arq as it comes, and each peer with as many slots as we have and on our event loop."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.engine.program import Program, running, told
from bench.environments import Absent, python_of

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Entrant:
    """An engine and how it is set up; `jobs` is how many it has to end to be measured."""

    name: str
    module: str
    jobs: int
    tuned: bool = False
    python: Path | None = None

    async def told(self, command: str, url: str, count: int, *options: str) -> Any:
        """What its program measured."""
        return await told(*self._command(command, url, count), *options, python=self.python)

    def running(self, command: str, url: str, count: int) -> AbstractAsyncContextManager[Program]:
        """Its program, under way."""
        return running(*self._command(command, url, count), python=self.python)

    def _command(self, command: str, url: str, count: int) -> list[str]:
        tuned = ["--tuned"] if self.tuned else []
        return [f"bench.engine.contenders.{self.module}", command, url, str(count), *tuned]


OURS = Entrant("Jobstream", "ours", 3000)

_PEERS: Mapping[str, tuple[tuple[str, int, bool], ...]] = {
    "arq": (("arq as it comes", 300, False), ("arq, poll of 5 ms", 2000, True)),
    "saq": (("SAQ", 2000, True),),
    "streaq": (("streaQ", 1000, True),),
}
"""By the module of each: what it is called, how many jobs it drains in a second or two, and whether it is tuned."""


def peers() -> tuple[list[Entrant], dict[str, str]]:
    """The peers that can be measured here, and why the others cannot."""
    present: list[Entrant] = []
    absent: dict[str, str] = {}
    for module, settings in _PEERS.items():
        try:
            python = python_of(module, locks=HERE)
        except Absent as reason:
            absent[module] = str(reason)
        else:
            present += [Entrant(name, module, jobs, tuned, python) for name, jobs, tuned in settings]
    return present, absent
