"""Behind a proxy the words of an answer come while it is being given, over every transport."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from jobstream.client import Client, Unreachable
from tests.api import Api
from tests.cuts.reader import Reader
from tests.cuts.readers import OF_MANY_JOBS, OF_ONE_JOB
from tests.deploy.curl import curled
from tests.deploy.front import Front
from tests.jobs.patience import PATIENCE_SECONDS, until
from tests.system import SECRET
from tests.transports.reference import told

STALLING = {"models": {"openai": "sandbox-stall"}}
"""An answer that begins, and then does not go on: whoever holds back what it hears shows nothing of it."""


@asynccontextmanager
async def stalling(api: Api) -> AsyncIterator[str]:
    """A chat whose answer has begun and does not end while the block runs."""
    job_id = (await api.submit("Why is the sky blue?", input=STALLING))["id"]
    try:
        yield job_id
    finally:
        await api.http.post(f"/v1/jobs/{job_id}/cancel")


@pytest.mark.parametrize("kind", [*OF_ONE_JOB, *OF_MANY_JOBS])
async def test_the_first_words_come_before_the_job_ends(kind: type[Reader], front: Front) -> None:
    """And the end as soon as there is one."""
    async with Api(front.url, SECRET, trusts=front.trusts) as api, asyncio.TaskGroup() as tasks:
        async with stalling(api) as job_id:
            reader = kind(front.url, [job_id], trusts=front.trusts)
            tasks.create_task(reader.read())

            await until(lambda: _has_words(reader))

            assert (await api.poll(job_id))["state"] == "running"
            assert not reader.done
        await until(lambda: _is_done(reader))
        assert reader.only.held | {"cursor": None} == told(await api.poll(job_id)) | {"cursor": None}


async def test_the_python_client_believes_the_certificate_that_it_is_given(front: Front) -> None:
    """And no other that nobody has signed."""
    with Client(front.url, SECRET, trusts=front.trusts) as trusting, Client(front.url, SECRET, timeout=1) as wary:
        assert await asyncio.to_thread(trusting.kinds)
        with pytest.raises(Unreachable):
            await asyncio.to_thread(wary.kinds)


async def test_streams_come_over_http_2(front: Front) -> None:
    """As browsers ask for them: many streams on one connection, each in time."""
    async with (
        Api(front.url, SECRET, trusts=front.trusts) as api,
        stalling(api) as job_id,
        curled(front, f"/v1/jobs/{job_id}/stream", "--http2") as shown,
        asyncio.timeout(PATIENCE_SECONDS),
    ):
        assert (await shown.readuntil(b"\r\n\r\n")).startswith(b"HTTP/2 200")
        await shown.readuntil(b"event: delta")
        assert (await api.poll(job_id))["state"] == "running"
        await api.http.post(f"/v1/jobs/{job_id}/cancel")
        assert b"event: end\n" in await shown.read()


async def _has_words(reader: Reader) -> bool:
    parts = reader.only.held.get("parts", {})
    return bool(parts and parts["openai"]["text"])


async def _is_done(reader: Reader) -> bool:
    return reader.done
