"""By which names the service may be called, and to whom it describes itself."""

from pathlib import Path

import pytest

from jobs.connection import Client
from tests.service.raw import exchange
from tests.service.test_process import running_api
from tests.valkey import ValkeyProcess

OUR_NAMES = ("localhost", "LOCALHOST:8888", "demo.localhost", "127.0.0.1:1", "127.9.9.9", "[::1]:8888")
OTHER_NAMES = ("evil.example", "evil.example:8888", "localhost.evil.example", "127.0.0.1.evil.example", "192.0.2.1")
PRODUCTION = {"JOBSTREAM_DEMO": "0"}


async def statuses(url: str, hosts: tuple[str, ...], path: str = "/healthz") -> dict[str, int]:
    """What a request to each of the hosts is answered."""
    message = "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n"
    return {host: (await exchange(url, message.format(path, host).encode())).status for host in hosts}


async def test_the_demo_answers_only_to_names_that_no_other_machine_has(
    tmp_path: Path, store: ValkeyProcess, redis: Client
) -> None:
    """It signs in whoever calls: a page whose name was made to point here would be its visitor."""
    with running_api(tmp_path / "api", store) as system:
        ours = await statuses(system.url, OUR_NAMES, "/")
        others = await statuses(system.url, OTHER_NAMES, "/")

    assert set(ours.values()) == {200}
    assert set(others.values()) == {400}


@pytest.mark.parametrize("demo", ["0", "1"])
async def test_whoever_lists_names_is_called_by_these(
    tmp_path: Path, store: ValkeyProcess, redis: Client, demo: str
) -> None:
    """In demo mode and in production, with any port."""
    names = {"JOBSTREAM_DEMO": demo, "JOBSTREAM_HOSTS": "jobs.example.com, 192.0.2.1"}
    with running_api(tmp_path / "api", store, **names) as system:
        known = await statuses(system.url, ("jobs.example.com", "Jobs.example.com:443", "192.0.2.1", *OUR_NAMES))
        others = await statuses(system.url, ("evil.example", "sub.jobs.example.com", "jobs.example.com.evil"))

    assert set(known.values()) == {200}
    assert set(others.values()) == {400}


async def test_production_is_called_by_any_name_and_describes_itself_to_nobody(
    tmp_path: Path, store: ValkeyProcess, redis: Client
) -> None:
    """What stands before it knows its names; its documents are there for whoever asks for them to be."""
    with running_api(tmp_path / "api", store, **PRODUCTION) as system:
        called = await statuses(system.url, OUR_NAMES + OTHER_NAMES)
        described = [await statuses(system.url, ("a",), path) for path in ("/openapi.json", "/asyncapi.json")]

    assert set(called.values()) == {200}
    assert described == [{"a": 404}] * 2


@pytest.mark.parametrize("settings", [{}, PRODUCTION | {"JOBSTREAM_OPENAPI": "1"}], ids=["demo", "asked for"])
async def test_the_documents_are_served_in_the_demo_and_where_they_are_wanted(
    tmp_path: Path, store: ValkeyProcess, redis: Client, settings: dict[str, str]
) -> None:
    with running_api(tmp_path / "api", store, **settings) as system:
        described = [await statuses(system.url, ("localhost",), path) for path in ("/openapi.json", "/asyncapi.json")]

    assert described == [{"localhost": 200}] * 2
