"""Ours: `python -m bench.copy.product BATCH URL FILE STORE` copies the file as a job of a worker on the store, with
lease, log, progress and checkpoints, and says how long it took and how much memory."""

import asyncio
import json
import logging
import resource
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import uvloop

from jobs.connection import connect
from jobs.conversations import Conversations
from jobs.kinds.copy_records import COPY_RECORDS
from jobs.leases import Leases
from jobs.log import Log
from jobs.logs import configure_logs
from jobs.model import JsonObject
from jobs.queue import Queue, Submission
from jobs.records.connections import PREFIX, read_connections
from jobs.rejects import Rejects
from jobs.sessions import Sessions
from workers.run import Tools
from workers.runner import Runner, Running

LEASE_SECONDS = 600.0


async def copy(batch: int, url: str, file: Path, store: str) -> None:
    """Submit, claim, run, and tell."""
    connections = {f"{PREFIX}LAKE": f"file://{file.parent}", f"{PREFIX}WAREHOUSE": url}
    async with connect(store) as client:
        leases, log, queue = Leases(client, lease_seconds=LEASE_SECONDS), Log(client), Queue(client)
        kinds = {COPY_RECORDS.name: COPY_RECORDS}
        tools = Tools(
            log,
            queue,
            kinds,
            {},
            lambda *_: None,
            Conversations(client),
            Sessions(client),
            Rejects(client),
            read_connections(connections),
        )
        await queue.submit(Submission(kind=COPY_RECORDS, input=_input(batch, file)))
        began = time.monotonic()
        (claim,) = (await leases.claim(slots=1, token="bench-1-1-1", kinds=[COPY_RECORDS])).jobs  # noqa: S106
        await Runner(kinds, tools, leases).run(Running(claim))
        seconds = time.monotonic() - began
        snapshot = (await log.story(claim.job_id)).snapshot
    if snapshot["state"] != "completed":
        raise SystemExit(f"the copy ended {snapshot['state']}: {snapshot['error']}")
    _tell(seconds, snapshot["result"])


def _input(batch: int, file: Path) -> JsonObject:
    return {
        "source": {"connection": "lake", "path": file.name},
        "destination": {"connection": "warehouse", "table": "things"},
        "key": ["id"],
        "batch_size": batch,
    }


def _tell(seconds: float, result: Mapping[str, int]) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    told = {"seconds": seconds, "cpu": used.ru_utime + used.ru_stime, "peak_mib": used.ru_maxrss / 1024}
    print(json.dumps(told | {"rows": result["processed"]}), flush=True)


if __name__ == "__main__":
    configure_logs(level=logging.WARNING)
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(copy(int(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), sys.argv[4]))
