"""The composition root of the API: its parts, its routes, and how its errors are told."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from opentelemetry.trace import Tracer
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from jobs.attempts import Attempts
from jobs.audit import Audit
from jobs.catalog import SCHEDULES, SUBSCRIPTIONS
from jobs.connection import Client, connect
from jobs.conversations import Conversations
from jobs.cron import Cron, Schedule
from jobs.dead_letters import DeadLetters
from jobs.encryption import UNSEALED, Sealer
from jobs.endpoints import UNSIGNED, Endpoints
from jobs.errors import InvalidInput, JobError, Violation
from jobs.events import Events
from jobs.kind import DAY_SECONDS, AnyKind
from jobs.kinds import EVERY_KIND
from jobs.log import Log
from jobs.model import JsonObject
from jobs.overview import Overview
from jobs.pauses import Pauses
from jobs.queue import Queue
from jobs.quotas import Quotas
from jobs.records.connections import NONE, Connections
from jobs.rejects import Rejects
from jobs.sessions import SESSION_DAYS, Sessions
from jobs.summaries import Summaries
from jobs.traces import UNTRACED
from jobs.webhooks import Webhooks
from service import openapi
from service.api import ROTATE_SECONDS, Api
from service.auth import Auth
from service.credentials import Keyring
from service.delivery import Delivery
from service.desk import Desk
from service.door import Door
from service.errors import InvalidRequest, MethodNotAllowed, NotFound
from service.faults import Faults
from service.feed import PING_SECONDS, Feed
from service.hosts import Hosts
from service.hub import Hub
from service.limits import ALLOWANCE, Allowance, Limits
from service.lookout import Lookout
from service.meters import Meters
from service.observed import Observed
from service.origins import Origins
from service.problems import problem_response
from service.routes import (
    conversations,
    dead_letters,
    documents,
    events,
    health,
    jobs,
    kinds,
    metrics,
    rejects,
    sessions,
    sockets,
    streams,
    subjects,
    summaries,
    tokens,
    trees,
)
from service.routes.compat import compat_router
from service.routes.dialects import ag_ui, ai_sdk, openai_responses
from service.routes.operator import operator_router
from service.routes.page import PageFiles, page_router
from service.seats import Seats
from service.subscription import open_subscription
from service.witness import refused

NATIVE = (
    *(jobs, rejects, streams, sockets, events, dead_letters, conversations, sessions, trees, summaries),
    *(subjects, kinds, tokens, health, metrics),
)

SEAT_SECONDS = 60.0
STORE_CONNECTIONS = 16
"""Of one process, and one more that listens; with more of them a crowd is served no sooner."""


@asynccontextmanager
async def open_api(
    url: str,
    kinds_known: Mapping[str, AnyKind],
    keyring: Keyring,
    *,
    sealer: Sealer = UNSEALED,
    allowance: Allowance = ALLOWANCE,
    ping_seconds: float = PING_SECONDS,
    rotate_seconds: float = ROTATE_SECONDS,
    seat_seconds: float = SEAT_SECONDS,
    session_days: float = SESSION_DAYS,
    connections: Connections = NONE,
    endpoints: Endpoints = UNSIGNED,
    schedules: Sequence[Schedule] = SCHEDULES,
    meters: Meters | None = None,
) -> AsyncIterator[Api]:
    """The service's parts on one store, listening to it; a dead process's streams count for `seat_seconds` yet."""
    async with connect(url, most=STORE_CONNECTIONS, sealer=sealer) as client:
        log_of_jobs = Log(client)
        hub = Hub(lambda hear: open_subscription(url, hear), log_of_jobs.announced)
        quotas = Quotas(client, lease_seconds=seat_seconds)
        seats = Seats(quotas, lease_seconds=seat_seconds)
        meters = meters or Meters()
        feed = Feed(log_of_jobs, hub, ping_seconds=ping_seconds, witness=meters)
        delivery = Delivery(feed, hub)
        desk = _desk(client, Lookout(Overview(client), feed, meters.open), kinds_known, schedules)
        async with hub.running(), seats.running(), delivery.running(), desk.lookout.running():
            auth = Auth(keyring)
            yield Api(
                kinds=kinds_known,
                client=client,
                log=log_of_jobs,
                queue=Queue(client),
                events=Events(client, kinds_known, SUBSCRIPTIONS),
                dead_letters=DeadLetters(client),
                conversations=Conversations(client),
                sessions=Sessions(client, kept_seconds=session_days * DAY_SECONDS),
                summaries=Summaries(client),
                feed=feed,
                delivery=delivery,
                auth=auth,
                keyring=keyring,
                limits=Limits(quotas, seats, allowance, meters),
                rejects=Rejects(client),
                desk=desk,
                meters=meters,
                rotate_seconds=rotate_seconds,
                connections=connections,
                endpoints=endpoints,
            )


def _desk(client: Client, lookout: Lookout, kinds: Mapping[str, AnyKind], schedules: Sequence[Schedule]) -> Desk:
    return Desk(
        kinds={**EVERY_KIND, **kinds},
        overview=Overview(client),
        lookout=lookout,
        attempts=Attempts(client),
        pauses=Pauses(client),
        cron=Cron(client, schedules),
        audit=Audit(client),
        webhooks=Webhooks(client),
    )


def create_app(
    api: Api,
    *,
    web: Path | None,
    origins: Collection[str] = (),
    hosts: Collection[str] | None = None,
    documents_served: bool = True,
    compat: bool = True,
    compat_copy: JsonObject | None = None,
    operator: Path | None = None,
    tracer: Tracer = UNTRACED,
) -> FastAPI:
    """The application, which pages of the `origins` may call; with `web`, the folder of the page, it serves and
    signs in its visitors too. With `hosts`, it is called by these names and loopback's alone. With `compat`,
    the old paths are served too; the one that copies runs the input `compat_copy`. With `operator`, the folder of
    the pages, the operator's view is served."""
    app = FastAPI(
        title="Jobstream",
        version=version("jobstream"),
        openapi_url="/openapi.json" if documents_served else None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},  # it tells of bodies
    )
    app.state.api = api
    _serve_the_protocol(app)
    if compat:
        app.include_router(compat_router(compat_copy))
    _serve_pages(app, web=web, operator=operator)
    _tell_errors(app)
    app.add_middleware(Faults)
    app.add_middleware(Origins, allowed=frozenset(origins))
    if hosts is not None:
        app.add_middleware(Hosts, allowed=hosts)
    app.add_middleware(Observed, witness=api.witness, tracer=tracer)
    app.add_middleware(Door)
    return app


def _serve_the_protocol(app: FastAPI) -> None:
    app.add_route("/v1/jobs/{job_id}/stream", jobs.open_stream, methods=["GET"], include_in_schema=False)
    for routes in NATIVE:
        app.include_router(routes.router)
    app.openapi = cache(partial(openapi.document, app))  # type: ignore[method-assign]  # FastAPI's way to change it
    if app.openapi_url:
        app.include_router(documents.router)
    for dialect in (ai_sdk, ag_ui, openai_responses):
        app.include_router(dialect.router)


def _serve_pages(app: FastAPI, *, web: Path | None, operator: Path | None) -> None:
    if web is not None:
        app.include_router(page_router(web))
        app.mount("/web", PageFiles(directory=web))
    if operator is not None:
        app.include_router(operator_router(operator))
        app.mount("/operator/files", PageFiles(directory=operator))


def _tell_errors(app: FastAPI) -> None:
    app.add_exception_handler(JobError, _tell)
    app.add_exception_handler(HTTPException, _tell_http)
    app.add_exception_handler(RequestValidationError, _tell_validation)


async def _tell(request: Request, error: Exception) -> Response:
    assert isinstance(error, JobError)  # noqa: S101  # by registration
    return _problem(request, error)


async def _tell_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # by registration
    match error.status_code:
        case 404:
            told: JobError = NotFound("Nothing is served at this path.")
        case 405:
            told = MethodNotAllowed("This path does not take this method.")
        case _:
            told = InvalidRequest("The request cannot be read.")
    response = _problem(request, told)
    response.headers.update(error.headers or {})
    return response


async def _tell_validation(request: Request, error: Exception) -> Response:
    """A parameter that is wrong, without a word of what was sent."""
    assert isinstance(error, RequestValidationError)  # noqa: S101  # by registration
    found = tuple(Violation("/" + "/".join(map(str, each["loc"])), each["msg"]) for each in error.errors())
    return _problem(request, InvalidInput("A parameter is not valid.", violations=found))


def _problem(request: Request, error: JobError) -> Response:
    refused(request.scope, error)
    return problem_response(error, str(request.scope.get("state", {}).get("request_id", "")))
