"""`doctor`: each misconfiguration is found by its code, nothing else is, and no secret is shown."""

import base64
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from jobs import keys
from jobs.connection import connect
from jobs.encryption import sealer_of
from jobs.store import check_keys
from tests.chaos.machine import faketime
from tests.cli.shell import Said, Shell
from tests.system import ROOT, SECRET, System, free_port
from tests.valkey import ValkeyProcess, running_valkey

KEY, OTHER_KEY = (base64.b64encode(letter * 32).decode() for letter in (b"a", b"b"))
CANARY = "canary-of-a-secret-9Zx"
HIDES = "import sys\nsys.modules.update(dict.fromkeys(('pyarrow', 's3fs', 'asyncpg', 'pymongo')))\n"
"""Whoever starts with this on its path finds none of these libraries."""

EVERYWHERE = "0.0.0.0"  # noqa: S104  # what must be found
BAD_STORE = ("--cluster-enabled", "yes", "--maxmemory-policy", "allkeys-lru", "--appendonly", "no")


@dataclass
class Clinic:
    """A product in which all is well, and one misconfiguration at a time."""

    system: System
    shell: Shell

    def examine(self, *words: str, **seeded: str) -> Said:
        """What the doctor says where these variables are other than they should be; an empty one is not set."""
        healthy = {
            "HOST": "127.0.0.1",
            "PORT": self.system.url.rpartition(":")[2],
            "REDIS_URL": self.system.store.url,
        }
        healthy |= {"BACKGROUND_FUNCTION_AUTH_TOKEN": SECRET, "JOBSTREAM_SANDBOX_URL": self.system.sandbox_url}
        return self.shell.run("doctor", *words, **(healthy | seeded))

    def found(self, **seeded: str) -> set[str]:
        """The codes of what it finds; there is something, each has its mend, and nothing of a secret."""
        said = self.examine("--json", **seeded)
        findings = said.document["findings"]
        assert said.code == 78, said.beside
        assert all(finding["detail"] and finding["mend"] for finding in findings)
        assert CANARY not in said.out + said.beside
        return {finding["code"] for finding in findings}


@pytest.fixture
def clinic(system: System, shell: Shell) -> Clinic:
    return Clinic(system, shell)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a store of the test's own keeps its data."""
    folder = tmp_path / "own"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def own_store(folder: Path) -> Iterator[ValkeyProcess]:
    """A store of the test's own, which no worker knows."""
    with running_valkey(folder) as server:
        yield server


def test_where_all_is_well_nothing_is_found(clinic: Clinic) -> None:
    """With an API of ours at the very port, and a worker alive."""
    said = clinic.examine()

    assert (said.code, said.out) == (0, "Nothing is misconfigured.\n")


def test_secrets_that_are_missing_are_found_and_mistyped_names(clinic: Clinic) -> None:
    """In words: the code first, then what mends it."""
    (clinic.shell.folder / ".env").write_text("JOBSTREAM_SLOT=4\nREDIS_ULR=redis://localhost\nOTHERS_OWN=1\n")

    said = clinic.examine(
        BACKGROUND_FUNCTION_AUTH_TOKEN="", JOBSTREAM_SANDBOX_URL="", JOBSTREAM_OPERATOR_SECRET="short"
    )

    codes = [line.partition(":")[0] for line in said.out.splitlines() if not line.startswith(" ")]
    assert sorted(codes) == [
        "no-provider",
        "no-service-secret",
        "secret-weak",
        "variable-unknown",
        "variable-unknown",
    ]
    assert "Nobody reads JOBSTREAM_SLOT in .env.\n    did you mean JOBSTREAM_SLOTS?" in said.out
    assert "did you mean REDIS_URL?" in said.out
    assert "OTHERS_OWN" not in said.out


def test_secrets_that_are_weak_or_the_same_are_found_and_urls_that_are_none(clinic: Clinic) -> None:
    same = f"{CANARY}-and-longer"

    found = clinic.found(
        BACKGROUND_FUNCTION_AUTH_TOKEN=same,
        JOBSTREAM_OPERATOR_SECRET=f"{same},another-operators-secret",
        JOBSTREAM_SIGNING_KEY="abababababababababababab",
        OPENAI_BASE_URL=f"api.example.com/{CANARY}",
        JOBSTREAM_CONNECTION_LAKE=f"ftp://user:{CANARY}@host/lake",
    )

    assert found == {"secrets-same", "secret-weak", "base-url-malformed", "connection-invalid"}


def test_a_demo_that_is_open_to_the_network_is_found_and_a_page_that_is_missing(clinic: Clinic) -> None:
    found = clinic.found(
        JOBSTREAM_DEMO="1", HOST=EVERYWHERE, JOBSTREAM_WEB=str(clinic.shell.folder), REDIS_URL="redis://192.0.2.1"
    )

    assert found == {"demo-open", "web-missing", "store-plain"}


def test_what_is_away_and_what_is_in_the_way_is_found(clinic: Clinic) -> None:
    """Another program has the port, nobody answers at the store's or at the service's."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        seeded = {
            "PORT": str(other.getsockname()[1]),
            "REDIS_URL": f"redis://:{CANARY}@127.0.0.1:{free_port()}",
            "JOBSTREAM_URL": f"http://127.0.0.1:{free_port()}",
        }
        found = clinic.found(**seeded)
        before = clinic.examine("--json", "--before-start", **seeded)

    assert found == {"port-taken", "store-unreachable", "service-unreachable"}
    assert [finding["code"] for finding in before.document["findings"]] == ["port-taken"]


def test_settings_that_cannot_be_read_are_found_by_their_names(clinic: Clinic) -> None:
    said = clinic.examine("--json", DATA_ENCRYPTION_KEY=CANARY, JOBSTREAM_SLOTS=CANARY, JOBSTREAM_TOKEN="wrong")

    findings = said.document["findings"]
    assert {each["code"] for each in findings} == {
        "encryption-key-malformed",
        "setting-invalid",
        "credential-refused",
    }
    assert [each for each in findings if each["detail"].startswith("JOBSTREAM_SLOTS")]
    assert len(findings) == 3, "what every room finds is told once"
    assert CANARY not in said.out + said.beside


async def test_a_store_of_another_key_is_found_and_a_worker_that_is_missing(
    clinic: Clinic, own_store: ValkeyProcess
) -> None:
    """Looking changes nothing: the key that it was sealed with stays noted."""
    async with connect(own_store.url, sealer=sealer_of(KEY)) as client:
        await check_keys(client)
        noted = await client.get(keys.SEAL)

        found = clinic.found(REDIS_URL=own_store.url, DATA_ENCRYPTION_KEY=OTHER_KEY)

        assert found == {"encryption-key-other", "no-worker"}
        assert await client.get(keys.SEAL) == noted


def test_a_store_that_would_lose_jobs_is_found(clinic: Clinic, folder: Path) -> None:
    with running_valkey(folder, *BAD_STORE) as server:
        found = clinic.found(REDIS_URL=server.url)

    assert found == {"store-cluster", "store-evicts", "store-volatile"}


def test_an_embedded_store_is_not_started_by_looking(clinic: Clinic, tmp_path: Path) -> None:
    data = tmp_path / "data"

    found = clinic.found(REDIS_URL="", JOBSTREAM_DATA=str(data))

    assert found == {"no-worker"}
    assert not data.exists()


def test_libraries_that_connections_need_are_found_missing(clinic: Clinic) -> None:
    """Where there is CSV alone, none is needed."""
    hidden, lake, plain = (clinic.shell.folder / name for name in ("hidden", "lake", "plain"))
    for made in (hidden, lake, plain):
        made.mkdir()
    (hidden / "sitecustomize.py").write_text(HIDES)
    (lake / "a.parquet").touch()
    (plain / "a.csv").touch()

    said = clinic.examine(
        "--json",
        PYTHONPATH=os.pathsep.join((str(hidden), str(ROOT))),
        JOBSTREAM_CONNECTION_BUCKET="s3://bucket",
        JOBSTREAM_CONNECTION_LAKE=f"file://{lake}",
        JOBSTREAM_CONNECTION_PLAIN=f"file://{plain}",
        JOBSTREAM_CONNECTION_WAREHOUSE=f"postgresql://user:{CANARY}@db.example.com/warehouse",
    )

    findings = said.document["findings"]
    assert {each["code"] for each in findings} == {"library-missing"}
    assert sorted(each["detail"].split()[0].rpartition("_")[2] for each in findings) == [
        "BUCKET",
        "LAKE",
        "WAREHOUSE",
    ]
    assert CANARY not in said.out


def test_a_clock_that_is_an_hour_off_is_found(clinic: Clinic) -> None:
    """The doctor's machine runs ahead of the store's."""
    found = clinic.found(LD_PRELOAD=str(faketime()), FAKETIME="+3600s", FAKETIME_DONT_FAKE_MONOTONIC="1")

    assert found == {"clock-skew"}


def test_every_variable_of_the_example_is_known(clinic: Clinic) -> None:
    """None of those that there are is called mistyped."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    named = [
        line.removeprefix("# ").partition("=")[0] for line in lines if line.startswith("# JOBSTREAM_") and "=" in line
    ]
    (clinic.shell.folder / ".env").write_text("".join(f"{name}=\n" for name in named))

    said = clinic.examine("--json")

    assert len(named) > 20
    assert [each["detail"] for each in said.document["findings"] if each["code"] == "variable-unknown"] == []
