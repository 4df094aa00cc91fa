"""The API process: owns the server, so that stopping tells the listeners first."""

import asyncio
import gc
import os
import resource
import secrets
import sys
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import structlog
import uvloop
from pydantic import SecretStr, ValidationError
from sse_starlette.sse import AppStatus

from jobs.connection import connect
from jobs.errors import JobError, StoreUnsuitable
from jobs.kinds import KINDS
from jobs.logs import configure_logs
from jobs.store import check, check_keys, open_store
from service.app import create_app, open_api
from service.credentials import Keyring
from service.limits import Allowance
from service.server import Server, server_config
from service.settings import Settings

EX_CONFIG = 78

log = structlog.get_logger(__name__)


async def serve(settings: Settings) -> None:
    """Serve until a signal; StoreUnsuitable before anything is served if jobs would not be safe."""
    _refuse_open_demo(settings)
    AppStatus.enable_automatic_graceful_drain = False  # our feed ends the streams, with a farewell
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(open_store(settings.store_url, settings.jobstream_data))
        sealer = settings.sealer
        async with connect(url, sealer=sealer) as client:
            await check(
                client,
                allow_volatile=settings.jobstream_allow_volatile,
                allow_plain=settings.jobstream_allow_plain_redis,
            )
            await check_keys(client)
        allowance = Allowance(waiting_jobs=settings.jobstream_queue_cap)
        api = await stack.enter_async_context(
            open_api(
                url,
                KINDS,
                _keyring(settings),
                sealer=sealer,
                allowance=allowance,
                ping_seconds=settings.jobstream_ping_seconds,
                session_days=settings.jobstream_session_days,
                connections=settings.connections,
            )
        )
        web = settings.jobstream_web if settings.jobstream_demo else None
        app = create_app(
            api,
            web=web,
            origins=settings.jobstream_origins,
            hosts=settings.hosts,
            documents_served=settings.documents_served,
            compat=settings.jobstream_compat,
            compat_copy=settings.jobstream_compat_copy,
        )
        server = Server(server_config(app, settings), api.feed)
        _leave_in_peace()
        log.info("serving", url=f"http://{settings.host}:{settings.port}", demo=settings.jobstream_demo)
        await server.serve()


def _keyring(settings: Settings) -> Keyring:
    service = _values(settings.background_function_auth_token)
    if not service and settings.jobstream_demo:
        service = [_demo_secret(settings.jobstream_data)]
    if not service:
        log.error("no secret is set: every protected call will be refused", set="BACKGROUND_FUNCTION_AUTH_TOKEN")
    return Keyring(
        service=service,
        operator=_values(settings.jobstream_operator_secret),
        signing=_values(settings.jobstream_signing_key),
    )


def _values(secret: SecretStr | None) -> list[str]:
    """One value or two, for rotation; blank ones are none."""
    given = secret.get_secret_value().split(",") if secret else []
    return [value.strip() for value in given if value.strip()]


def _demo_secret(data: Path) -> str:
    """The demo's service secret: made at the first start and kept, so that tokens outlive a restart."""
    file = data / "demo-secret"
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as made:
            made.write(secrets.token_urlsafe(24))
    secret = file.read_text()
    print(f"demo mode: the service secret is {secret} (kept in {file})", file=sys.stderr, flush=True)  # noqa: T201
    return secret


def _refuse_open_demo(settings: Settings) -> None:
    if settings.jobstream_demo and settings.host not in {"127.0.0.1", "localhost", "::1"}:
        raise StoreUnsuitable("Demo mode signs every visitor in: set HOST to 127.0.0.1, or JOBSTREAM_DEMO=0.")


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
    configure_logs()
    _allow_all_files()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(Settings()))
    except ValidationError as error:
        wrong = "; ".join(f"{each['loc'][0]}: {each['msg']}" for each in error.errors(include_input=False))
        sys.exit(_refuse(f"settings: {wrong}"))
    except JobError as error:
        sys.exit(_refuse(error.detail))


def _refuse(sentence: str) -> int:
    print(f"jobstream cannot start: {sentence}", file=sys.stderr, flush=True)  # noqa: T201
    return EX_CONFIG


if __name__ == "__main__":
    main()
