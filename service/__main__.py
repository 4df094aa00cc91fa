"""The API process: owns the server, so that stopping tells the listeners first."""

import asyncio
import gc
import os
import resource
import secrets
import sys
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from pathlib import Path

import structlog
import uvloop
from fastapi import FastAPI
from opentelemetry.trace import Tracer
from pydantic import ValidationError
from sse_starlette.sse import AppStatus

from jobs.errors import JobError, StoreUnsuitable
from jobs.kinds import KINDS
from jobs.logs import begin_logs, hide, say
from jobs.store import check_store, open_store
from jobs.telemetry import open_tracer
from service.api import Api
from service.app import create_app, open_api
from service.checkup import open_demo, open_operator, values
from service.credentials import Keyring
from service.limits import Allowance
from service.meters import Meters
from service.server import Server, server_config
from service.settings import Settings

EX_CONFIG = 78
DEMO_SECRETS = {"service": "demo-secret", "operator": "demo-operator-secret"}

log = structlog.get_logger(__name__)


async def serve(settings: Settings) -> None:
    """Serve until a signal; StoreUnsuitable before anything is served if jobs would not be safe."""
    if finding := open_demo(settings) or open_operator(settings):
        raise StoreUnsuitable(finding.sentence)
    AppStatus.enable_automatic_graceful_drain = False  # our feed ends the streams, with a farewell
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(open_store(settings.store_url, settings.jobstream_data))
        await check_store(url, settings)
        meters = Meters()
        tracing = open_tracer(settings, service="jobstream-api", lost=meters.spans_lost)
        tracer = stack.enter_context(tracing)
        api = await stack.enter_async_context(_api(url, settings, meters))
        server = Server(server_config(_application(api, settings, tracer), settings), api.feed)
        _leave_in_peace()
        log.info("serving", url=f"http://{settings.host}:{settings.port}", demo=settings.jobstream_demo)
        await server.serve()


def _api(url: str, settings: Settings, meters: Meters) -> AbstractAsyncContextManager[Api]:
    return open_api(
        url,
        KINDS,
        _keyring(settings),
        sealer=settings.sealer,
        allowance=Allowance(waiting_jobs=settings.jobstream_queue_cap),
        ping_seconds=settings.jobstream_ping_seconds,
        session_days=settings.jobstream_session_days,
        connections=settings.connections,
        endpoints=settings.endpoints,
        meters=meters,
    )


def _application(api: Api, settings: Settings, tracer: Tracer) -> FastAPI:
    return create_app(
        api,
        web=settings.jobstream_web if settings.jobstream_demo else None,
        origins=settings.jobstream_origins,
        hosts=settings.hosts,
        documents_served=settings.documents_served,
        compat=settings.jobstream_compat,
        compat_copy=settings.jobstream_compat_copy,
        operator=settings.jobstream_web if settings.jobstream_operator else None,
        tracer=tracer,
    )


def _keyring(settings: Settings) -> Keyring:
    service = values(settings.background_function_auth_token)
    if not service and settings.jobstream_demo:
        service = [_demo_secret(settings.jobstream_data, "service")]
    operator = values(settings.jobstream_operator_secret)
    if not operator and settings.jobstream_operator and settings.jobstream_demo:
        operator = [_demo_secret(settings.jobstream_data, "operator")]
    if not service:
        log.error("no secret is set: every protected call will be refused", set="BACKGROUND_FUNCTION_AUTH_TOKEN")
    return Keyring(
        service=service,
        operator=operator,
        signing=values(settings.jobstream_signing_key),
    )


def _demo_secret(data: Path, whose: str) -> str:
    """The demo's secret: made at the first start and kept, so that tokens outlive a restart."""
    file = data / DEMO_SECRETS[whose]
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as made:
            made.write(secrets.token_urlsafe(24))
    secret = file.read_text()
    hide(secret)
    say(f"demo mode: the {whose} secret is {secret} (kept in {file})")
    return secret


def _leave_in_peace() -> None:
    """Keep the garbage collector off what lives as long as the process, and let it look at the rest less often: a
    request makes thousands of objects, and of nearly all of them counting says when they are gone."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def _allow_all_files() -> None:
    """Use as many files as the process may: each stream is one, and systems begin with few."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def main() -> None:
    """Run the API; exits 78 on a setting that cannot stand."""
    _allow_all_files()
    try:
        settings = Settings()
        begin_logs(settings, process="api")
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(settings))
    except ValidationError as error:
        wrong = "; ".join(f"{each['loc'][0]}: {each['msg']}" for each in error.errors(include_input=False))
        sys.exit(_refuse(f"settings: {wrong}"))
    except JobError as error:
        sys.exit(_refuse(error.detail))


def _refuse(sentence: str) -> int:
    say(f"jobstream cannot start: {sentence}")
    return EX_CONFIG


if __name__ == "__main__":
    main()
