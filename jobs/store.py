"""The store that keeps the jobs: the one REDIS_URL names, else the embedded one (`python -m jobs.store`)."""

import asyncio
import logging
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from ssl import SSLCertVerificationError
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError

from jobs import keys
from jobs.connection import Client, connect, store_faults
from jobs.embedded import open_embedded
from jobs.encryption import UNSEALED
from jobs.errors import IntegrityError, StorageFull, StoreUnavailable, StoreUnsuitable
from jobs.fitness import plain_way, unfit
from jobs.logs import begin_logs
from jobs.settings import StoreSettings

PING_SECONDS = 2.0
PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.05, 2.0
NOTED_SECONDS = 366 * 24 * 3600
PATIENCE_SECONDS = 4.0  # for clients that end at the same signal; honcho kills after 5 s

logger = logging.getLogger(__name__)


@asynccontextmanager
async def open_store(redis_url: str | None, data: Path) -> AsyncIterator[str]:
    """The URL that is given, else that of the embedded store in `data`, kept running until the block ends."""
    if redis_url:
        yield redis_url
        return
    async with open_embedded(data) as store:
        yield store.url


async def check_store(url: str, settings: StoreSettings) -> None:
    """Wait until the store answers; StoreUnsuitable, saying what to set, if jobs are not safe in it, or if it was
    written by other keys than ours."""
    async with connect(url, sealer=settings.sealer) as client:
        await check(
            client,
            allow_volatile=settings.jobstream_allow_volatile,
            allow_plain=settings.jobstream_allow_plain_redis,
        )
        await check_keys(client)


async def check(redis: Redis, *, allow_volatile: bool, allow_plain: bool) -> None:
    """Wait until the store answers; StoreUnsuitable, saying what to set, if jobs are not safe in it."""
    if not allow_plain and (finding := plain_way(redis)):
        raise StoreUnsuitable(finding.sentence)
    await wait_for_store(redis)
    try:
        facts = await redis.info()  # not CONFIG GET, which managed servers forbid
    except NoPermissionError as error:
        raise StoreUnsuitable("The store does not say how it is set up: allow its user INFO.") from error
    for finding in unfit(facts, allow_volatile=allow_volatile):
        raise StoreUnsuitable(finding.sentence)


async def check_keys(client: Client) -> None:
    """StoreUnsuitable if the client's keys are not those by which this store is written; the current one is noted
    there, since a process with other keys would be found out only by what it has made unreadable."""
    await check_seal(client)
    if (sealer := client.sealer) is not UNSEALED:
        with suppress(StorageFull), store_faults():
            await client.set(keys.SEAL, sealer.seal("seal", b"noted", subject=None, job_id=""), ex=NOTED_SECONDS)


async def check_seal(client: Client) -> None:
    """The same, and nothing is noted."""
    with store_faults():
        noted = await client.get(keys.SEAL)
    try:
        client.sealer.open("seal", noted or b"", subject=None, job_id="")
    except IntegrityError as error:
        raise StoreUnsuitable(
            "What the store holds was sealed with another key: set DATA_ENCRYPTION_KEY to that one, after a comma "
            "behind the current one if that is to be another."
        ) from error


async def takes_writes(redis: Redis) -> bool:
    """Whether the store would take a job now: it does not while its disk is full or broken, or its memory is full."""
    with store_faults():
        return writable(await redis.info())


def writable(facts: Mapping[str, Any]) -> bool:
    """The same of a store that has said this of itself."""
    out_of_memory = 0 < facts.get("maxmemory", 0) < facts["used_memory"]
    return facts.get("aof_last_write_status", "ok") == "ok" and not out_of_memory


async def wait_for_store(redis: Redis) -> None:
    """Return when the store answers, however long that takes; StoreUnsuitable if it refuses the password, or if we
    don't trust its certificate."""
    pause = PAUSE_SECONDS
    while error := await unanswered(redis):
        if pause == PAUSE_SECONDS:
            logger.warning("the store does not answer, waiting for it: %s", error)
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


async def unanswered(redis: Redis) -> Exception | None:
    """What the store fails with when it is called; None when it answers. StoreUnsuitable as in `wait_for_store`."""
    try:
        async with asyncio.timeout(PING_SECONDS):
            await redis.ping()
    except (RedisError, OSError) as error:
        causes = {type(error), type(error.__context__)}  # redis-py wraps what fails at connect
        if AuthenticationError in causes:
            raise StoreUnsuitable("The store refuses us: set its user and password in REDIS_URL.") from error
        if SSLCertVerificationError in causes:
            raise StoreUnsuitable(
                "The store's certificate is not trusted: set the name that it is for in REDIS_URL, "
                "and ?ssl_ca_certs= to the file of who signed it."
            ) from error
        return error
    return None


async def main() -> None:
    """Keep the embedded store running until SIGTERM or SIGINT; a second one is impatient with its clients."""
    settings = StoreSettings()
    begin_logs(settings, process="store")
    keeping = asyncio.create_task(_keep(settings))
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signal_number, keeping.cancel)
    with suppress(asyncio.CancelledError):
        await keeping


async def _keep(settings: StoreSettings) -> None:
    if settings.store_url:
        print("REDIS_URL is set: there is no embedded store to run", flush=True)  # noqa: T201
        await asyncio.Event().wait()
    async with open_embedded(settings.jobstream_data, patience_seconds=PATIENCE_SECONDS) as store:
        print(f"The embedded store listens at {store.url}", flush=True)  # noqa: T201
        await asyncio.Event().wait()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except StoreUnavailable as error:
        sys.exit(str(error))
