"""Text on its way into the log: gathered, joined, proven, and never lost or doubled."""

import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.leases import Claim
from jobs.updates import sha256, utf16_length
from tests.jobs import lines
from tests.jobs.doors import Doors
from tests.jobs.patience import until
from tests.workers.workshop import texts
from workers.writer import GATHER_BYTES, PartText, Writer

TREBLE_CLEF = "\ud834\udd1e"  # one character, as the two halves in which a provider may send it


@given(st.lists(st.text(alphabet=st.sampled_from("ab\u00e9\ud800\udbff\udc00\udfff\U0001d11e"), max_size=4)))
def test_however_text_is_cut_it_is_whole_afterwards(pieces: list[str]) -> None:
    """Split pairs are joined, lone halves replaced, all else is as it was; the length is JavaScript's."""
    part = PartText()
    for piece in pieces:
        part.add(piece)
    part.close()
    at, text = part.take()

    assert text == "".join(pieces).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    assert (at, part.length, part.digest) == (0, utf16_length(text), sha256(text))


@given(st.lists(st.text(alphabet=st.sampled_from("ab\u00e9\ud834\udd1e\U0001d11e")), max_size=8), st.data())
def test_whenever_text_leaves_no_half_of_a_pair_leaves_alone(pieces: list[str], data: st.DataObject) -> None:
    """What left so far is whole at any moment, and each piece starts where the one before it ended."""
    part = PartText()
    said, length = "", 0
    for piece in pieces:
        part.add(piece)
        if data.draw(st.booleans()):
            at, text = part.take()
            assert at == length
            said, length = said + text, length + utf16_length(text)
            said.encode()
    part.close()
    at, text = part.take()

    assert at == length
    assert said + text == "".join(pieces).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


async def test_the_first_words_leave_at_once_and_those_after_them_together(doors: Doors) -> None:
    """Two hundred more in a row make a few updates, not two hundred; none needs another word to push it."""
    writer, claim = await _begun(doors)
    await writer.write_text("openai", "first ")
    assert await _deltas(doors, claim) == ["first "]

    async with asyncio.TaskGroup() as tasks:
        gathering = tasks.create_task(writer.gather())
        for _ in range(200):
            await writer.write_text("openai", "w")
        await until(lambda: _has_text(doors, claim, "first " + 200 * "w"))
        gathering.cancel()

    assert len(await _deltas(doors, claim)) < 50


async def test_a_kibibyte_leaves_without_waiting_for_more(doors: Doors) -> None:
    """Nobody gathers here, so what is in the log was sent by the call that made it so much."""
    writer, claim = await _begun(doors)
    await writer.write_text("openai", "first ")

    await writer.write_text("openai", "w" * (GATHER_BYTES - 1))
    await writer.write_text("openai", "w")

    assert await _has_text(doors, claim, "first " + GATHER_BYTES * "w")


@pytest.mark.parametrize("seed", range(8))
async def test_a_write_that_is_cancelled_loses_and_doubles_nothing(seed: int, doors: Doors) -> None:
    """Writers of three parts are cancelled at any await, over and over; then one more write brings the rest."""
    drawn = random.Random(seed)
    parts = ["openai", "anthropic", "google"]
    writer, claim = await _begun(doors, *parts)
    said = dict.fromkeys(parts, "")

    async def say(part: str, words: str) -> None:
        said[part] += words
        await writer.write_text(part, words)
        await writer.write()

    for number in range(60):
        saying = [asyncio.create_task(say(part, f"{number} {TREBLE_CLEF} ")) for part in parts]
        for _ in range(drawn.randrange(1, 60)):
            await asyncio.sleep(0)
        for task in drawn.sample(saying, k=drawn.randrange(4)):
            task.cancel()
        await asyncio.gather(*saying, return_exceptions=True)
    await writer.write(lines.progress(100))

    updates = await doors.updates(claim.job_id)
    for part in parts:
        assert texts(updates, part) == [said[part].encode("utf-16", "surrogatepass").decode("utf-16")]
    assert updates[-1] == ("progress", {"percent": 100})


@pytest.mark.parametrize("seed", range(4))
async def test_lines_whose_write_was_cancelled_come_before_later_ones_or_not_at_all(seed: int, doors: Doors) -> None:
    """And none of them comes twice."""
    drawn = random.Random(seed)
    claim = await doors.running()
    writer = Writer(doors.log, claim)
    for percent in range(1, 61):
        writing = asyncio.create_task(writer.write(lines.progress(percent)))
        for _ in range(drawn.randrange(30)):
            await asyncio.sleep(0)
        writing.cancel()
        await asyncio.wait([writing])
    await writer.write(lines.progress(100))

    percents = [data["percent"] for event, data in await doors.updates(claim.job_id) if event == "progress"]
    assert percents == sorted(set(percents))
    assert percents[-1] == 100


async def _begun(doors: Doors, *parts: str) -> tuple[Writer, Claim]:
    claim = await doors.running()
    writer = Writer(doors.log, claim)
    for part in parts or ("openai",):
        writer.open_text(part)
        await writer.write(lines.begun(part))
    return writer, claim


async def _deltas(doors: Doors, claim: Claim) -> list[str]:
    return [data["text"] for event, data in await doors.updates(claim.job_id) if event == "delta"]


async def _has_text(doors: Doors, claim: Claim, text: str) -> bool:
    return "".join(await _deltas(doors, claim)) == text
