"""The bench of delivery sees what goes wrong on the way to a reader, and measures the product from end to end."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from bench.delivery.building import compiled
from bench.delivery.forms import body_of, text_of
from bench.delivery.processes import OTHER_CORE, Running, running
from bench.environments import Absent
from tests.conftest import TEST_ALL
from tests.system import ROOT

LOAD = ROOT / "bench" / "delivery" / "load.c"
SHORTEST = ("--only", "ours,tutorial,shared,raw", "--rows", "cuts", "--seconds", "0.4")
PIECE_BYTES = 7
PATIENCE_SECONDS = 60.0


@pytest.fixture
def load_client() -> Path:
    """The readers' program; without a compiler, its tests are left out, unless everything must be tested."""
    try:
        return compiled(LOAD)
    except Absent as reason:
        if TEST_ALL:
            pytest.fail(str(reason))
        pytest.skip(str(reason))


async def test_what_is_lost_doubled_and_out_of_turn_is_counted(load_client: Path, tmp_path: Path) -> None:
    """Each by itself: 5 never comes, 4 comes twice, and 3 after it."""
    async with serving_updates([1, 2, 4, 4, 3, 6]) as port, reading(load_client, port, tmp_path) as readers:
        heard = await heard_all(readers, 5)

    assert (heard["missing"], heard["doubled"], heard["reordered"]) == (1, 1, 1)


async def test_a_stream_in_order_is_without_fault(load_client: Path, tmp_path: Path) -> None:
    """However the bytes are cut on the way."""
    async with serving_updates(range(1, 101)) as port, reading(load_client, port, tmp_path) as readers:
        heard = await heard_all(readers, 100)

    assert (heard["missing"], heard["doubled"], heard["reordered"]) == (0, 0, 0)


async def test_a_reader_that_was_cut_off_asks_for_what_follows_its_last_event(
    load_client: Path, tmp_path: Path
) -> None:
    """Coming back with the last id, it is told the rest, and misses nothing."""
    async with serving_updates(range(1, 11), at_once=4) as port, reading(load_client, port, tmp_path) as readers:
        await heard_all(readers, 4)
        await readers.ask("cut 1")
        heard = await heard_all(readers, 8)

    assert (heard["missing"], heard["doubled"], heard["reordered"]) == (0, 0, 0)


def test_the_shortest_form_measures_ours_beside_peers_and_finds_nothing_lost(
    load_client: Path, tmp_path: Path
) -> None:
    """Readers break off in the middle of a job's updates and come back; the figures are kept as JSON."""
    file = tmp_path / "delivery.json"

    subprocess.run([sys.executable, "-m", "bench.delivery", *SHORTEST, "--json", file], cwd=ROOT, check=True)

    kept = json.loads(file.read_text())
    assert kept["left out"] == {}
    assert kept["figures"]["200 cuts: lost"].keys() == {"ours", "tutorial", "shared", "raw"}
    assert kept["deliveries"]["ours"] == {"deliveries": 4 * 200, "lost": 0, "doubled": 0, "reordered": 0}


@asynccontextmanager
async def serving_updates(seqs: Sequence[int], *, at_once: int = 1000) -> AsyncIterator[int]:
    """The port of a server that tells whoever asks these updates, chunked and in small pieces: `at_once` of them,
    beginning behind the id that it is given."""

    async def tell(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        last = int(head.rpartition("Last-Event-ID: 1-")[2].strip()) if "Last-Event-ID" in head else 0
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        told = [seq for seq in seqs if seq > last][:at_once]
        frames = b"".join(frame(seq) for seq in told)
        for start in range(0, len(frames), PIECE_BYTES):
            piece = frames[start : start + PIECE_BYTES]
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        with suppress(ConnectionError):  # readers leave without a word
            await reader.read()
        writer.close()

    server = await asyncio.start_server(tell, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def frame(seq: int) -> bytes:
    return b"id: 1-%d\nevent: delta\ndata: %b\n\n" % (seq, body_of(text_of(seq, time.monotonic_ns()), 0))


@asynccontextmanager
async def reading(program: Path, port: int, folder: Path) -> AsyncIterator[Running]:
    """One stream that is open."""
    (folder / "targets").write_text("/")
    (folder / "headers").write_text("")
    command = [str(program), "127.0.0.1", str(port), str(folder / "targets"), str(folder / "headers")]
    async with running("readers", command, core=OTHER_CORE, folder=folder) as readers:
        assert (await readers.ask("open 1"))["opened"] == 1
        yield readers


async def heard_all(readers: Running, count: int) -> Any:
    """What the readers report once they have heard so many updates."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (heard := await readers.ask("report"))["received"] < count:
            await asyncio.sleep(0.02)
    return heard
