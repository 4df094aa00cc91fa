"""What an import asks a provider, and what it makes of the answers: in the engine, with a provider of our own."""

import asyncio
import base64
from collections.abc import AsyncIterator

import orjson
import pytest
from pydantic import JsonValue

from jobs.journey import SHAPE, saying_after
from jobs.kind import Question
from jobs.kinds.diagram_to_journey import DIAGRAM_TO_JOURNEY
from jobs.kinds.transcript_to_journey import AT_ONCE, PIECE_CHARACTERS, TRANSCRIPT_TO_JOURNEY
from jobs.model import JobId, JsonObject
from tests.engine.conftest import Engine, names
from tests.journeys.pictures import as_file, drawing
from tests.journeys.talk import talk
from tests.journeys.teller import Teller, journey

TALK: JsonObject = {"transcript": "Ann: I bring my shoes back.", "prompt": "Whose turn is it?"}
LONG_TALK: JsonObject = {"transcript": talk(120_000)}
MISFIT = '{"title": "A return", "stages": 7}'


@pytest.fixture
async def desk(engine: Engine) -> AsyncIterator[Engine]:
    """Where imports are run."""
    engine.know(TRANSCRIPT_TO_JOURNEY, DIAGRAM_TO_JOURNEY)
    async with engine.worker():
        yield engine


async def told(desk: Engine, given: JsonObject, teller: Teller) -> JsonObject:
    """The import's snapshot once it has ended."""
    desk.providers[teller.name] = teller
    return await desk.ended(await desk.submit(TRANSCRIPT_TO_JOURNEY, given))


async def progress_of(desk: Engine, job_id: str) -> list[JsonObject]:
    """What was told of its progress, one update after the other."""
    page = await desk.log.page(JobId(job_id), None, most=1000)
    return [orjson.loads(entry.body) for entry in page.entries if entry.event == "progress"]


async def test_a_short_transcript_is_one_question_for_a_journey(desk: Engine) -> None:
    """With the wish of whoever asked in front of it, and the form of the answer."""
    teller = Teller()

    ended = await told(desk, TALK, teller)

    (asked,) = teller.asked
    assert asked.shape == SHAPE
    assert asked.turns[0].content == "Whose turn is it?\n\nThe transcript:\n\nAnn: I bring my shoes back."
    assert ended["result"] == ended["parts"]["journey"]["result"] == journey().model_dump()
    assert ended["progress"] == {"percent": 100, "message": "Done"}


async def test_an_answer_of_another_form_is_told_what_is_wrong_with_it(desk: Engine) -> None:
    """Once; the answer to that is what counts."""
    answers = [MISFIT, journey("Mended").model_dump_json()]
    teller = Teller(lambda _: answers.pop(0))

    ended = await told(desk, TALK, teller)

    assert ended["result"]["title"] == "Mended"
    first, second = teller.asked
    assert [turn.role for turn in second.turns] == ["user", "assistant", "user"]
    assert second.turns[:2] == (*first.turns, second.turns[1])
    assert second.turns[1].content == MISFIT
    assert "- stages: Input should be a valid" in second.turns[2].content
    assert "- summary: Field required" in second.turns[2].content
    assert names(ended["steps"]) == [("answer.journey", "completed"), ("answer.journey:mended", "completed")]


@pytest.mark.parametrize("answer", [MISFIT, "", "[]", "Sure! Here it is.", journey().model_dump_json()[:-1]])
async def test_an_answer_that_never_has_the_form_fails_the_job(desk: Engine, answer: str) -> None:
    """After two of them, and for good."""
    teller = Teller(lambda _: answer)

    ended = await told(desk, TALK, teller)

    assert (ended["state"], ended["error"]["type"], ended["result"]) == ("failed", "invalid-output", None)
    assert len(teller.asked) == 2


@pytest.mark.parametrize("given", [TALK, TALK | {"provider": "google"}], ids=["no provider", "not that provider"])
async def test_without_the_providers_key_the_job_fails_for_good(desk: Engine, given: JsonObject) -> None:
    """At once: no later attempt could do better."""
    if "provider" in given:
        desk.providers["openai"] = Teller()

    ended = await desk.ended(await desk.submit(TRANSCRIPT_TO_JOURNEY, given))

    assert (ended["state"], ended["error"]["type"]) == ("failed", "provider-not-configured")
    assert ended["attempt"] == 1


@pytest.mark.parametrize("transcript", ["WEBVTT\n\nNOTE nothing yet\n", "\u200b\u200b"], ids=["no cues", "unseen"])
async def test_nobody_is_asked_about_a_transcript_in_which_nothing_is_said(desk: Engine, transcript: str) -> None:
    """A model would make something up."""
    teller = Teller()

    ended = await told(desk, {"transcript": transcript}, teller)

    assert (ended["error"]["type"], teller.asked) == ("do-not-retry", [])


async def test_a_long_transcript_is_read_in_pieces_a_few_at_a_time_and_merged(desk: Engine) -> None:
    """Every piece is asked about once; the last question holds what all of them told."""
    titles = (f"Piece {number}" for number in range(1, 1000))
    teller = Teller(lambda _: journey(next(titles)).model_dump_json())

    ended = await told(desk, LONG_TALK, teller)

    *pieces, merge = teller.words()
    assert len(pieces) == -(-len(LONG_TALK["transcript"]) // PIECE_CHARACTERS)
    assert all(f'"Piece {number}"' in merge for number in range(1, len(pieces) + 1))
    assert teller.most_at_once <= AT_ONCE < len(pieces)
    assert ended["result"]["title"] == f"Piece {len(pieces) + 1}"
    assert set(ended["parts"]) == {"journey", *(f"reading-{number}" for number in range(1, len(pieces) + 1))}


async def test_the_listeners_hear_how_far_it_is(desk: Engine) -> None:
    """Phrases of what is being done, and a percentage that only grows."""
    ended = await told(desk, LONG_TALK, Teller())

    heard = await progress_of(desk, ended["id"])
    pieces = len(ended["parts"]) - 1
    reading = [f"Reading part {number} of {pieces}" for number in range(1, pieces + 1)]
    assert [each["message"] for each in heard] == ["Starting analysis...", *reading, "Merging...", "Done"]
    percents = [each["percent"] for each in heard]
    assert percents == sorted(percents)
    assert (percents[0], percents[-1]) == (0, 100)


async def test_journeys_that_are_too_many_for_one_question_are_merged_in_groups(desk: Engine) -> None:
    """And the groups again, until one is left; no question is much longer than one piece, and nothing is lost."""
    large = PIECE_CHARACTERS // 3

    def answer(question: Question) -> str:
        merging = question.turns[0].content.startswith("The journeys:")
        return journey("Merged" if merging else "Read", letters=large).model_dump_json()

    teller = Teller(answer)

    ended = await told(desk, LONG_TALK, teller)

    merges = [words for words in teller.words() if words.startswith("The journeys:")]
    assert len(merges) > 3
    assert sum(words.count('"Read"') for words in merges) == len(teller.asked) - len(merges)
    assert all(len(words) < 1.1 * PIECE_CHARACTERS for words in merges)
    assert ended["result"]["title"] == "Merged"


async def test_a_diagram_that_is_run_again_by_hand_shows_the_same_image(desk: Engine) -> None:
    """It is kept for as long as the job is."""
    answers = [MISFIT, MISFIT, journey().model_dump_json()]
    teller = Teller(lambda _: answers.pop(0))
    desk.providers["openai"] = teller
    given = {"image": base64.b64encode(as_file(drawing())).decode()}
    job_id = await desk.submit(DIAGRAM_TO_JOURNEY, given)
    assert (await desk.ended(job_id))["state"] == "failed"

    await desk.queue.retry(job_id, from_start=True)

    assert (await desk.ended(job_id))["result"] == journey().model_dump()
    shown = [question.turns[0].images[0] for question in teller.asked]
    assert [image.media_type for image in shown] == ["image/png"] * 3
    assert len({image.data for image in shown}) == 1


class Listener:
    """A run of which only its progress counts."""

    def __init__(self) -> None:
        self.heard = asyncio.Queue[str]()

    async def progress(self, *, message: str, **_: JsonValue) -> None:
        await self.heard.put(message)


async def test_who_waits_long_is_told_that_it_goes_on() -> None:
    """And who doesn't, is not."""
    listener = Listener()

    async with saying_after(listener, 3600, "Still at it"):
        pass
    assert listener.heard.empty()
    async with asyncio.timeout(60), saying_after(listener, 0, "Still at it"):
        assert await listener.heard.get() == "Still at it"
