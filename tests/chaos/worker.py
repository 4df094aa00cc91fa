"""A worker of the chaos kinds, made as workers.main makes one: `arq tests.chaos.worker.WorkerSettings` runs it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import arq.worker
import orjson
from arq.worker import func
from pydantic_settings import BaseSettings, SettingsConfigDict

from jobs import keys
from jobs.connection import Client
from jobs.conversations import Conversations
from jobs.cron import Cron
from jobs.endpoints import UNSIGNED
from jobs.enqueuing import ARQ_FUNCTION
from jobs.events import Events
from jobs.kind import AnyKind
from jobs.leases import Leases
from jobs.log import Log
from jobs.logs import configure_logs
from jobs.queue import Queue
from jobs.rejects import Rejects
from jobs.sessions import Sessions
from tests.chaos.kinds import SPEAKER, Speaker, chaos_kinds
from tests.chaos.witness import Witness
from workers.courier import Courier
from workers.run import Tools
from workers.runner import Runner
from workers.worker import JobWorker

arq.worker.Worker = JobWorker  # type: ignore[misc]  # as workers.main does, and for the same reason


class Settings(BaseSettings):
    """What a test tells its worker."""

    model_config = SettingsConfigDict(env_prefix="chaos_", frozen=True)

    redis_url: str
    witness: Path
    unknown: frozenset[str] = frozenset()
    slots: int
    lease: float


async def run_job(ctx: dict[str, Any], job_id: str) -> None:
    """arq wants a function; our worker runs the job by its record."""


@asynccontextmanager
async def open_url(settings: Settings) -> AsyncIterator[str]:
    """The store's URL."""
    configure_logs()
    yield settings.redis_url


@asynccontextmanager
async def open_runner(settings: Settings, kinds: Mapping[str, AnyKind], client: Client) -> AsyncIterator[Runner]:
    """What runs the jobs of this worker; without a provider's SDK, it starts in half a second."""
    tools = Tools(
        Log(client),
        Queue(client),
        kinds,
        {SPEAKER: Speaker()},
        lambda *_: None,
        Conversations(client),
        Sessions(client),
        Rejects(client),
    )
    yield Runner(kinds, tools, Leases(client, lease_seconds=settings.lease))


def _known(settings: Settings) -> Mapping[str, AnyKind]:
    kinds = chaos_kinds(Witness(settings.witness))
    return {name: kind for name, kind in kinds.items() if name not in settings.unknown}


class WorkerSettings:
    """What arq reads of a worker."""

    _own = Settings()
    _kinds = _known(_own)
    functions = (func(run_job, name=ARQ_FUNCTION),)
    queue_name = keys.QUEUE
    max_jobs = _own.slots
    job_serializer = orjson.dumps
    job_deserializer = orjson.loads
    ctx: ClassVar[dict[str, Any]] = {
        "open_url": partial(open_url, _own),
        "open_runner": partial(open_runner, _own, _kinds),
        "cron": partial(Cron, schedules=()),
        "events": partial(Events, kinds=_kinds),
        "courier": partial(Courier, endpoints=UNSIGNED),
        "lease_seconds": _own.lease,
    }
    log_results = False
