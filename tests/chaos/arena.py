"""Where chaos happens: a store, workers as processes on it, and a view of the jobs that no fault blinds for good."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

from jobs import keys
from jobs.connection import Client, connect, store_faults
from jobs.errors import EventNotFound, StoreUnavailable
from jobs.events import EventId, Events
from jobs.log import Log
from jobs.model import JobId, JsonObject
from jobs.queue import Queue, Submission
from tests.chaos.kinds import chaos_kinds
from tests.chaos.witness import Witness
from tests.jobs.patience import PATIENCE_SECONDS, until
from tests.system import Process, free_port
from tests.valkey import running_valkey

Result = TypeVar("Result")

LEASE_SECONDS = 1.5
WORKER = ("-m", "arq", "tests.chaos.worker.WorkerSettings")
SERVICE = ("-m", "tests.chaos.service")
NOTHING: Mapping[str, str] = MappingProxyType({})
ENDED = ("completed", "failed", "cancelled")


class Workers:
    """The workers of one arena, and its APIs where they are processes of their own; none outlives it."""

    def __init__(self, folder: Path, url: str, stack: ExitStack) -> None:
        self._folder = folder
        self._url = url
        self._stack = stack
        self._made = 0

    def through(self, url: str) -> "Workers":
        """More of them, who reach the store by another way."""
        return Workers(self._folder, url, self._stack)

    def start(
        self,
        *,
        slots: int = 20,
        lease_seconds: float = LEASE_SECONDS,
        unknown: Collection[str] = (),
        environment: Mapping[str, str] = NOTHING,
    ) -> Process:
        """One more worker, on its way; `unknown` are the kinds that it has not heard of."""
        return self._start(
            "worker",
            WORKER,
            {
                **environment,
                "CHAOS_UNKNOWN": json.dumps([*unknown]),
                "CHAOS_SLOTS": str(slots),
                "CHAOS_LEASE": str(lease_seconds),
            },
        )

    def serve(self, *, environment: Mapping[str, str] = NOTHING) -> str:
        """Where one more API will answer, which is a process of its own and on its way."""
        port = free_port()
        self._start("api", SERVICE, {**environment, "CHAOS_PORT": str(port)})
        return f"http://127.0.0.1:{port}"

    def _start(self, role: str, command: Sequence[str], settings: Mapping[str, str]) -> Process:
        environment = {
            "PATH": os.environ["PATH"],
            **settings,
            "CHAOS_REDIS_URL": self._url,
            "CHAOS_WITNESS": str(self._folder / "witness"),
        }
        self._made += 1
        process = Process(f"{role}-{self._made}", self._folder, [sys.executable, *command], environment)
        self._stack.callback(process.kill)
        process.start()
        return process


class Store(Protocol):
    """A store that a test may kill and start again; what it acknowledged is there at `url` all the time."""

    @property
    def url(self) -> str: ...

    def start(self) -> None: ...

    def kill(self) -> None: ...


@dataclass
class Arena:
    """One store with workers, and what a test asks of them."""

    store: Store
    client: Client
    workers: Workers
    witness: Witness
    folder: Path

    def __post_init__(self) -> None:
        self.queue = Queue(self.client)
        self.log = Log(self.client)
        self.kinds = chaos_kinds(self.witness)

    async def submit(self, kind: str, *, n: int = 0, pause: float = 0.0, **more: Any) -> JobId:
        """A job that the store acknowledged."""
        given: JsonObject = {"n": n, "pause": pause}
        return (await self.queue.submit(Submission(kind=self.kinds[kind], input=given, **more))).job_id

    async def snapshot(self, job_id: JobId) -> JsonObject:
        return (await self.log.story(job_id)).snapshot

    async def reached(self, job_id: JobId, *states: str) -> JsonObject:
        """The snapshot once the job is in one of the states."""
        await until(lambda: self.is_in(job_id, *states))
        return await self.snapshot(job_id)

    async def ended(self, job_id: JobId) -> JsonObject:
        return await self.reached(job_id, *ENDED)

    async def acted(self, job_id: JobId, *, times: int = 1) -> None:
        """Return when the witness has seen the job act so often."""

        async def seen() -> bool:
            return len(self.witness.acts(job_id)) >= times

        await until(seen)

    async def logged(self, job_id: JobId, event: str, *, times: int = 1) -> None:
        """Return when the job's log holds so many updates of the type."""

        async def enough() -> bool:
            rows = await self.client.xrange(f"{keys.PREFIX}{job_id}:log")
            return [held[b"event"] for _, held in rows].count(event.encode()) >= times

        await until(enough)

    async def heard(self, event_id: str) -> JobId:
        """The job that the event started, once it has."""
        events = Events(self.client, self.kinds)

        async def started() -> bool:
            with suppress(EventNotFound):
                return bool((await events.find(EventId(event_id)))["jobs"])
            return False

        await until(started)
        return JobId((await events.find(EventId(event_id)))["jobs"][0]["id"])

    async def everyone(self) -> list[JobId]:
        """Every job that the store knows."""
        names = [name.decode() async for name in self.client.scan_iter(f"{keys.PREFIX}*:job", count=1000)]
        return [JobId(name.removeprefix(keys.PREFIX).removesuffix(":job")) for name in names]

    async def held_by(self, pid: int) -> list[JobId]:
        """The jobs whose lease says that this process has them."""
        held = []
        with store_faults():
            for name in await self.client.keys(f"{keys.ARQ_IN_PROGRESS}*"):
                token = await self.client.get(name) or b""
                if f"-{pid}-".encode() in token:
                    held.append(JobId(name.decode().removeprefix(keys.ARQ_IN_PROGRESS)))
        return held

    async def is_in(self, job_id: JobId, *states: str) -> bool:
        """Whether the job is in one of the states; nobody knows while the store is away."""
        with suppress(StoreUnavailable):
            return (await self.log.head(job_id)).state in states
        return False

    async def now(self) -> tuple[int, int]:
        """The store's clock, in seconds and microseconds."""
        with store_faults():
            seconds, microseconds = await self.client.time()
        return seconds, microseconds

    async def passed(self, seconds: float) -> None:
        """Return when the store's clock is so much further."""
        began, _ = await self.now()

        async def further() -> bool:
            return (await self.now())[0] > began + seconds

        await until(further)


async def patiently(act: Callable[[], Awaitable[Result]]) -> Result:
    """What the act returns once the store answers."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            with suppress(StoreUnavailable):
                return await act()
            await asyncio.sleep(0.05)


@contextmanager
def frozen(process: Process) -> Iterator[None]:
    """The process stands still while the block runs, and then goes on as if no time had passed."""
    os.kill(process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process.pid, signal.SIGCONT)


@asynccontextmanager
async def restarted(*processes: Process) -> AsyncIterator[None]:
    """Whichever of the processes dies while the block runs is started again, as a supervisor would."""

    async def watch() -> None:
        while True:
            for process in filter(has_ended, processes):
                process.end()
                process.start()
            await asyncio.sleep(0.02)

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.wait({watching})


def has_ended(process: Process) -> bool:
    """Whether the process is gone, for whatever reason."""
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


@asynccontextmanager
async def open_arena(folder: Path, *options: str) -> AsyncIterator[Arena]:
    """An arena with an empty store and no worker yet; every process of it is gone when the block ends."""
    with running_valkey(folder, *options) as store:
        async with open_arena_on(store, folder) as arena:
            yield arena


@asynccontextmanager
async def open_arena_on(store: Store, folder: Path) -> AsyncIterator[Arena]:
    """An arena on a store that runs already."""
    witness = Witness(folder / "witness")
    witness.folder.mkdir()
    with ExitStack() as stack:
        async with connect(store.url) as client:
            yield Arena(store, client, Workers(folder, store.url, stack), witness, folder)


async def says(process: Process, words: str) -> None:
    """Return when the process has said these words in its log."""

    async def said() -> bool:
        return words in process.output.read_text()

    await until(said)


async def ended_by(process: Process, how: signal.Signals) -> int:
    """The exit code of a process that was sent the signal, once it has ended."""
    return await asyncio.to_thread(process.end, how)
