"""A store that is reached by TLS: jobs run over it, and whoever is not the store that was meant is refused."""

import asyncio
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis

from jobs.connection import connect, open_thread_client
from jobs.errors import StoreUnavailable, StoreUnsuitable
from jobs.queue import Queue
from jobs.store import check
from tests.api import Api, comparable, follow
from tests.chaos.arena import open_arena_on
from tests.chaos.invariants import broken_promises, leftovers
from tests.chaos.machine import program
from tests.jobs.patience import PATIENCE_SECONDS
from tests.service.serving import serving
from tests.system import SECRET, free_port
from tests.valkey import ValkeyProcess, running_valkey

NAME = "localhost"
"""The one name that the store's certificate holds; its address is another."""

REFUSED_SECONDS = 0.5
"""How long who expects a refusal waits for an answer: a server that does not speak TLS gives none."""

NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-days", "1"]


@dataclass
class Encrypted:
    """A server with a port for TLS and one without."""

    server: ValkeyProcess
    folder: Path
    tls_port: int
    plain_port: int

    @property
    def url(self) -> str:
        """The way to it, for who trusts its authority."""
        return self.url_by()

    def url_by(self, *, name: str = NAME, port: int | None = None, authority: str = "ca") -> str:
        return f"rediss://{name}:{port or self.tls_port}/0?ssl_ca_certs={self.folder / authority}.pem"

    def start(self) -> None:
        self.server.start()

    def kill(self) -> None:
        self.server.kill()


@pytest.fixture
def encrypted(tmp_path: Path) -> Iterator[Encrypted]:
    """The machine's Redis, since the embedded store is not made for TLS; and an authority that it does not know."""
    server = program("redis-server", "redis-server")
    make_authority(tmp_path, "ca")
    make_authority(tmp_path, "stranger")
    certificate = make_certificate(tmp_path, authority="ca")
    tls_port, plain_port = free_port(), free_port()
    options = ["--port", str(plain_port), "--tls-port", str(tls_port), "--tls-auth-clients", "no", *certificate]
    with running_valkey(tmp_path, *options, program=server) as running:
        yield Encrypted(running, tmp_path, tls_port, plain_port)


async def test_jobs_are_run_and_watched_over_tls(encrypted: Encrypted, tmp_path: Path) -> None:
    """API, worker and the thread that renews its leases all trust the authority that the URL names."""
    async with open_arena_on(encrypted, tmp_path) as arena:
        await check(arena.client, allow_volatile=False, allow_plain=False)
        arena.workers.start()
        async with serving(encrypted.url, kinds=arena.kinds) as served, Api(served.url, SECRET) as api:
            job_id = await arena.submit("steps", n=4, pause=0.5)
            heard = await follow(api, job_id)
            assert comparable(heard.snapshot) == comparable(await api.poll(job_id))

        assert (heard.snapshot["state"], heard.snapshot["attempt"]) == ("completed", 1)
        assert await broken_promises(arena, [job_id]) == []
        assert await leftovers(arena) == []


@pytest.mark.parametrize("wrong", ["authority", "name", "port"])
async def test_who_is_not_the_store_that_was_meant_is_refused(wrong: str, encrypted: Encrypted) -> None:
    """One that a stranger vouches for, one of another name, one that does not encrypt: none is told a word."""
    url = {
        "authority": encrypted.url_by(authority="stranger"),
        "name": encrypted.url_by(name="127.0.0.1"),
        "port": encrypted.url_by(port=encrypted.plain_port),
    }[wrong]
    with redis.Redis.from_url(encrypted.server.url) as its_own:
        its_own.config_resetstat()

        async with connect(url, call_seconds=REFUSED_SECONDS) as client:
            with pytest.raises(StoreUnavailable):
                await Queue(client).forget_subject("somebody")
        refused = pytest.raises((redis.ConnectionError, redis.TimeoutError))
        with open_thread_client(url, call_seconds=REFUSED_SECONDS) as threads_own, refused:
            threads_own.ping()

        assert not {"cmdstat_zrange", "cmdstat_ping"} & its_own.info("commandstats").keys()


@pytest.mark.parametrize("wrong", ["authority", "name"])
async def test_who_starts_with_a_certificate_that_is_not_trusted_is_told_so(wrong: str, encrypted: Encrypted) -> None:
    """It does not wait for a store that no time will make the right one."""
    url = encrypted.url_by(authority="stranger") if wrong == "authority" else encrypted.url_by(name="127.0.0.1")
    async with connect(url) as client, asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises(StoreUnsuitable, match="ssl_ca_certs"):
            await check(client, allow_volatile=False, allow_plain=False)


def make_authority(folder: Path, name: str) -> None:
    """An authority, which vouches for itself."""
    files = ["-keyout", f"{folder / name}.key", "-out", f"{folder / name}.pem"]
    _openssl("req", "-x509", *NEW_KEY, "-subj", f"/CN={name}", *files)


def make_certificate(folder: Path, *, authority: str) -> list[str]:
    """How the server is told of a certificate for the name, which the authority signed."""
    key, certificate, signer = folder / "store.key", folder / "store.pem", folder / authority
    named = ["-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}", "-addext", "basicConstraints=CA:FALSE"]
    signed = ["-CA", f"{signer}.pem", "-CAkey", f"{signer}.key", "-keyout", str(key), "-out", str(certificate)]
    _openssl("req", "-x509", *NEW_KEY, *named, *signed)
    return ["--tls-cert-file", str(certificate), "--tls-key-file", str(key), "--tls-ca-cert-file", f"{signer}.pem"]


def _openssl(*arguments: str) -> None:
    subprocess.run([program("openssl", "openssl"), *arguments], check=True, capture_output=True)
