"""The composition root of a worker: `arq workers.main.WorkerSettings` runs it."""

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from functools import partial
from typing import Any, ClassVar, NoReturn

import arq.worker
import orjson
from arq.worker import func
from opentelemetry.trace import Tracer
from pydantic import ValidationError

from jobs import keys
from jobs.catalog import SCHEDULES, SUBSCRIPTIONS
from jobs.connection import Client
from jobs.conversations import Conversations
from jobs.cron import Cron
from jobs.enqueuing import ARQ_FUNCTION
from jobs.errors import ConnectionInvalid, ExtraMissing, StoreUnsuitable
from jobs.events import Events
from jobs.kind import HOUR_SECONDS
from jobs.kinds import EVERY_KIND, KINDS
from jobs.leases import Leases
from jobs.log import Log
from jobs.logs import begin_logs, say
from jobs.queue import Queue
from jobs.rejects import Rejects
from jobs.sessions import Sessions
from jobs.store import check_store, open_store
from jobs.telemetry import open_tracer
from workers.courier import Courier
from workers.meters import Meters, served
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
    meters = Meters()
    async with AsyncExitStack() as stack:
        tracer = stack.enter_context(_watched(settings, meters))
        providers = await stack.enter_async_context(open_providers(settings.credentials))
        conversations = Conversations(client, kept_seconds=settings.jobstream_conversation_hours * HOUR_SECONDS)
        tools = Tools(
            Log(client),
            Queue(client),
            EVERY_KIND,
            providers,
            cost,
            conversations,
            Sessions(client),
            Rejects(client),
            settings.connections,
            meters,
            tracer,
        )
        yield Runner(EVERY_KIND, tools, Leases(client, lease_seconds=settings.jobstream_lease))


@contextmanager
def _watched(settings: Settings, meters: Meters) -> Iterator[Tracer]:
    """What traces this worker, while whoever scrapes it is answered; it starts with neither if one cannot be."""
    with ExitStack() as stack:
        try:
            if at := settings.jobstream_worker_metrics:
                stack.enter_context(served(meters.registry, at.host, at.port))
            opened = open_tracer(settings, service="jobstream-worker", lost=meters.spans_lost)
            tracer = stack.enter_context(opened)
        except OSError as error:
            _refuse(f"JOBSTREAM_WORKER_METRICS: {error.strerror}")
        except ExtraMissing as error:
            _refuse(error.detail)
        yield tracer


@asynccontextmanager
async def open_url(settings: Settings) -> AsyncIterator[str]:
    """The store's URL, once it answers and is fit to keep jobs; a store that is not ends the process."""
    try:
        begin_logs(settings, process="worker")
    except ExtraMissing as error:
        _refuse(error.detail)
    async with open_store(settings.store_url, settings.jobstream_data) as url:
        try:
            await check_store(url, settings)
        except StoreUnsuitable as error:
            _refuse(error.detail)
        yield url


def _settings() -> Settings:
    try:
        settings = Settings()
        _ = settings.connections
    except ValidationError as error:
        _refuse("; ".join(f"{each['loc'][0]}: {each['msg']}" for each in error.errors(include_input=False)))
    except ConnectionInvalid as error:
        _refuse(error.detail)
    return settings


def _refuse(why: str) -> NoReturn:
    say(f"the worker cannot start: {why}")
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
        "courier": partial(Courier, endpoints=_own.endpoints),
        "lease_seconds": _own.jobstream_lease,
        "sealer": _own.sealer,
    }
    log_results = False
