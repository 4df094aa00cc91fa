"""How a client proves that it has everything: `at` before each piece, length and digest of each text that ended."""

from collections.abc import Awaitable
from contextlib import aclosing
from hashlib import sha256
from typing import cast

import pytest

from jobs import keys
from jobs.model import JsonObject, State
from tests.api import Api, Event
from tests.jobs.doors import Doors
from tests.transports.hand import Hand, take_in_hand
from tests.transports.logs import submit, trim
from tests.transports.reference import javascript_length
from tests.transports.subjects import STREAMS, Stream

PIECES = ("na\u00efve ", "\U0001d11e", "", "e\u0301\u2028", "\U0001f600\U0001f600", " end")
TEXT = "".join(PIECES)
PROOF = {"length": javascript_length(TEXT), "sha256": sha256(TEXT.encode()).hexdigest()}
UNPROVED = {"length": None, "sha256": None}


async def answer(hand: Hand) -> None:
    """A part that completes, one that fails, one that is begun twice, and one that its run ends."""
    for part in ("openai", "google", "anthropic"):
        await hand.write(hand.begin(part), hand.say(part, "first try"))
        await hand.write(hand.begin(part))
    for piece in PIECES:
        await hand.write(*(hand.say(part, piece) for part in ("openai", "google", "anthropic")))
    await hand.write(hand.finish("openai", "completed"), hand.finish("google", "failed"))


def proof_of(part: JsonObject) -> JsonObject:
    """What the server says of the part's text."""
    return {name: part[name] for name in ("length", "sha256")}


@pytest.mark.parametrize("stream", STREAMS, ids=[stream.name for stream in STREAMS])
async def test_what_a_listener_gathered_is_proved_by_what_it_is_told(
    stream: Stream, caller: Api, doors: Doors
) -> None:
    """Each piece says where it belongs, in UTF-16 code units; what ends a part proves the text unrepeated."""
    job_id = await submit(caller)
    async with aclosing(stream.listen(caller, job_id, None)) as listening:
        await anext(listening)
        hand = await take_in_hand(doors, job_id)
        await answer(hand)
        await hand.write(hand.end(State.COMPLETED))
        events = [event async for event in listening]

    texts = gathered(events)
    ends = {event.data["part"]: event.data for event in events if event.data.get("sha256")}
    assert texts == dict.fromkeys(("openai", "google", "anthropic"), TEXT)
    assert {part: (proof_of(data), "text" in data) for part, data in ends.items()} == {
        "openai": (PROOF, False),
        "google": (PROOF, False),
    }
    assert events[-1].data["parts"] == {
        "openai": {"state": "completed", **PROOF},
        "google": {"state": "failed", **PROOF},
        "anthropic": {"state": "cancelled", **UNPROVED},
    }


def gathered(events: list[Event]) -> dict[str, str]:
    """Each part's text as its pieces make it; one that does not fit is an error."""
    texts: dict[str, str] = {}
    for event in events:
        if event.event == "part" and "text" in event.data:
            texts[event.data["part"]] = event.data["text"]
        if event.event == "delta":
            before = texts[event.data["part"]]
            assert event.data["at"] == javascript_length(before)
            texts[event.data["part"]] = before + event.data["text"]
    return texts


async def test_a_snapshot_proves_the_texts_that_ended_and_holds_each_in_one_piece(caller: Api, doors: Doors) -> None:
    """However many pieces it was written in; also once the log is trimmed."""
    job_id = await submit(caller)
    hand = await take_in_hand(doors, job_id)
    await answer(hand)
    going = await caller.poll(job_id)
    pieces = {part: await pieces_of(doors, job_id, part) for part in ("openai", "google", "anthropic")}
    await hand.write(hand.end(State.CANCELLED))
    await trim(doors, job_id)
    over = await caller.poll(job_id)

    for snapshot in (going, over):
        assert {part["text"] for part in snapshot["parts"].values()} == {TEXT}
        assert [proof_of(snapshot["parts"][part]) for part in ("openai", "google")] == [PROOF, PROOF]
        assert proof_of(snapshot["parts"]["anthropic"]) == UNPROVED
    assert (pieces["openai"], pieces["google"]) == (1, 1)
    assert pieces["anthropic"] > 1


async def pieces_of(doors: Doors, job_id: str, part: str) -> int:
    """In how many pieces the store holds the part's text."""
    return int(await cast("Awaitable[int]", doors.client.llen(f"{keys.PREFIX}{job_id}:text:{part}")))


async def test_a_listener_that_is_trimmed_away_meanwhile_goes_on_by_a_snapshot(caller: Api, doors: Doors) -> None:
    """A `gap` one, and then all that follows: with nothing twice, nothing missing, and the same proof."""
    job_id = await submit(caller)
    place = (await caller.poll(job_id))["cursor"]
    hand = await take_in_hand(doors, job_id)
    await answer(hand)
    for _ in range(6):
        await hand.write(*(hand.progress(percent=number % 100) for number in range(850)))

    async with aclosing(caller.listen(job_id, after=place)) as listening:
        gap = await anext(listening)
        await hand.write(hand.finish("anthropic", "completed"))
        proved = await anext(listening)

    assert (gap.event, gap.data["reason"], gap.data["parts"]["anthropic"]["text"]) == ("snapshot", "gap", TEXT)
    assert (proved.event, proof_of(proved.data)) == ("part", PROOF)
