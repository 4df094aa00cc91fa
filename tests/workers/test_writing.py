"""Text on its way into the log: gathered, joined, proven, and never lost or doubled."""

import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from jobs.kind import Question, Run, Turn
from jobs.leases import Claim
from jobs.updates import sha256, utf16_length
from tests.jobs import lines
from tests.jobs.doors import Doors, Nothing
from tests.jobs.patience import until
from tests.workers.workshop import Scripted, Workshop, texts
from workers.provider import ProviderError
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
    drawn = random.Random(seed)  # noqa: S311  # draws moments
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
    drawn = random.Random(seed)  # noqa: S311  # draws moments
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


async def test_an_answer_is_written_as_it_comes_and_proven_when_it_is_complete(workshop: Workshop) -> None:
    """Its length and digest are those of the text in the log, in the snapshot and in the result."""
    workshop.providers["scripted"] = Scripted([["Hel", "lo ", TREBLE_CLEF[0], TREBLE_CLEF[1], " \ud800", "!"]])
    job_id = await workshop.submit(_ask)

    ended = await workshop.attempt()

    text = "Hello 𝄞 \ufffd!"
    assert ended["result"] == text
    assert ended["parts"]["card"]["text"] == text
    assert (ended["parts"]["card"]["length"], ended["parts"]["card"]["sha256"]) == (11, sha256(text))
    assert texts(await workshop.doors.updates(job_id), "card") == [text]


async def test_a_provider_that_is_asked_again_starts_with_an_empty_text(workshop: Workshop) -> None:
    """Each start says why the one before it failed; the attempt of the part counts them, that of the job does not."""
    busy = ProviderError("Busy, it said \ud800.", retryable=True)
    workshop.providers["scripted"] = Scripted([["half an ", busy], ["a whole answer"]])
    job_id = await workshop.submit(_ask)

    ended = await workshop.attempt()

    updates = await workshop.doors.updates(job_id)
    assert texts(updates, "card") == ["half an ", "a whole answer"]
    assert (ended["attempt"], ended["parts"]["card"]["attempt"], ended["parts"]["card"]["error"]) == (1, 2, None)
    assert [data["error"]["detail"] for _, data in updates if data.get("error")] == ["Busy, it said \ufffd."]


async def test_a_provider_that_fails_for_good_keeps_what_it_said(workshop: Workshop) -> None:
    """The part says why, with the proof of the text so far; nothing is tried again."""
    refusal = ProviderError("No.", retryable=False)
    workshop.providers["scripted"] = Scripted([["half an ", refusal], ["never asked"]])
    await workshop.submit(_ask)

    ended = await workshop.attempt()

    part = ended["parts"]["card"]
    assert (part["state"], part["text"], part["sha256"]) == ("failed", "half an ", sha256("half an "))
    assert (ended["state"], ended["error"]["type"], ended["steps"][0]["state"]) == (
        "failed",
        "provider-failed",
        "failed",
    )
    assert len(workshop.providers["scripted"].answers) == 1


async def test_an_answer_that_is_kept_is_not_asked_for_again(workshop: Workshop) -> None:
    """The next worker gets it from the store, with its figures, and leaves the part as it is."""
    workshop.providers["scripted"] = Scripted([["an answer"]])

    async def perform(run: Run, given: Nothing) -> JsonValue:
        answer = await _ask(run, given)
        if run.attempt == 1:
            raise RuntimeError
        return answer

    job_id = await workshop.submit(perform)
    first = await workshop.attempt()

    ended = await workshop.next_attempt(job_id)

    assert (ended["result"], ended["parts"]) == ("an answer", first["parts"])
    assert workshop.providers["scripted"].answers == []


async def test_a_provider_without_a_key_fails_its_part(workshop: Workshop) -> None:
    """Its part is there and says what is missing."""
    await workshop.submit(_ask, max_attempts=1)

    ended = await workshop.attempt()

    assert ended["parts"]["card"]["error"]["type"] == "provider-not-configured"
    assert ended["error"]["type"] == "provider-not-configured"


async def _ask(run: Run, _input: Nothing) -> JsonValue:
    answer = await run.ask("card", Question("scripted", (Turn("user", "Hello?"),)))
    return answer.text


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
