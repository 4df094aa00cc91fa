"""curl, which speaks HTTP/2 and goes on listening while it sends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.chaos.machine import program
from tests.deploy.front import Front
from tests.system import SECRET


@asynccontextmanager
async def curled(front: Front, path: str, *options: str) -> AsyncIterator[asyncio.StreamReader]:
    """What curl shows of the answer: its head, and then what comes."""
    always = [
        "--silent",
        "--no-buffer",
        "--include",
        "--cacert",
        str(front.certificate.file),
        "--oauth2-bearer",
        SECRET,
    ]
    curl = await asyncio.create_subprocess_exec(
        program("curl", "curl"), *always, *options, front.url + path, stdout=asyncio.subprocess.PIPE
    )
    assert curl.stdout
    try:
        yield curl.stdout
    finally:
        if curl.returncode is None:
            curl.kill()
            await curl.wait()
