"""`python -m bench.pickup`: submit to first update in the reader's hands, beside arq as it comes."""

import asyncio
import os
from pathlib import Path

from bench.pickup.chats import pick_ups
from bench.pickup.plain import start_times
from bench.pickup.report import Wait, keep, show
from jobs.store import open_store
from jobstream.product import running_product

CHATS = 200
PLAIN_JOBS = 30
RESULTS = Path(__file__).parents[1] / "results"


async def main() -> None:
    """Measure both on one store, and tell."""
    environment = {"PATH": os.environ["PATH"], "JOBSTREAM_SANDBOX_PACE": "0"}  # without keys, whoever runs it
    async with running_product(environment) as product:
        ours = await product.processes.beside(pick_ups(product, CHATS))
        async with open_store(None, product.data) as store_url:  # finds the one that runs
            plain = await product.processes.beside(start_times(store_url, PLAIN_JOBS))
    start = Wait.of("submit to start", [each.start for each in ours])
    heard = Wait.of("submit to first update in the reader's hands", [each.first_update for each in ours])
    polled = Wait.of("arq as it comes: enqueue to start", plain)
    ratios = {
        "p50 of start to arq's": start.p50 / polled.p50,
        "p50 of first update to arq's start": heard.p50 / polled.p50,
    }
    waits = [start, heard, polled]
    show(waits, ratios)
    keep(waits, ratios, RESULTS / "pickup.json")


if __name__ == "__main__":
    asyncio.run(main())
