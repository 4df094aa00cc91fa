"""The composition root of a worker: `arq workers.main.WorkerSettings` runs it."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, ClassVar

import arq.worker
import orjson
from arq.worker import func
from pydantic import ValidationError

from jobs import keys
from jobs.catalog import SCHEDULES, SUBSCRIPTIONS
from jobs.connection import Client, connect
from jobs.cron import Cron
from jobs.enqueuing import ARQ_FUNCTION
from jobs.events import Events
from jobs.kinds import KINDS
from jobs.leases import Leases
from jobs.log import Log
from jobs.logs import configure_logs
from jobs.queue import Queue
from jobs.store import check, open_store
from workers.providers import open_providers
from workers.providers.prices import cost
from workers.run import Tools
from workers.runner import Runner
from workers.settings import Settings
from workers.worker import JobWorker

EX_CONFIG = 78

# arq's command line makes an `arq.worker.Worker`, whatever the settings say: this is where ours takes its place.
arq.worker.Worker = JobWorker  # type: ignore[misc]


async def run_job(ctx: dict[str, Any], job_id: str) -> None:
    """What arq's own tools see in the queue; our worker runs the job by its record instead."""


@asynccontextmanager
async def open_runner(settings: Settings, client: Client) -> AsyncIterator[Runner]:
    """What runs the jobs of this worker, with everything that it lends them."""
    async with open_providers(settings.credentials) as providers:
        tools = Tools(Log(client), Queue(client), KINDS, providers, cost)
        yield Runner(KINDS, tools, Leases(client, lease_seconds=settings.jobstream_lease))


@asynccontextmanager
async def open_url(settings: Settings) -> AsyncIterator[str]:
    """The store's URL, once it answers and is fit to keep jobs."""
    configure_logs()
    async with open_store(settings.store_url, settings.jobstream_data) as url:
        async with connect(url) as client:
            await check(
                client,
                allow_volatile=settings.jobstream_allow_volatile,
                allow_plain=settings.jobstream_allow_plain_redis,
            )
        yield url


def _settings() -> Settings:
    try:
        return Settings()
    except ValidationError as error:
        wrong = "; ".join(f"{each['loc'][0]}: {each['msg']}" for each in error.errors(include_input=False))
        print(f"the worker cannot start: {wrong}", file=sys.stderr)  # noqa: T201
        sys.exit(EX_CONFIG)


class WorkerSettings:
    """What arq reads of a worker."""

    _own = _settings()
    functions = (func(run_job, name=ARQ_FUNCTION),)
    queue_name = keys.QUEUE
    max_jobs = _own.jobstream_slots
    job_serializer = orjson.dumps
    job_deserializer = orjson.loads
    ctx: ClassVar[dict[str, Any]] = {
        "open_url": partial(open_url, _own),
        "open_runner": partial(open_runner, _own),
        "cron": partial(Cron, schedules=SCHEDULES),
        "events": partial(Events, kinds=KINDS, more=SUBSCRIPTIONS),
        "lease_seconds": _own.jobstream_lease,
    }
    log_results = False
