"""What an answer comes to while it is written, and several answers into one part."""

import asyncio
import time
from collections.abc import AsyncGenerator
from typing import Any

from pydantic import JsonValue
from pydantic_core import from_json

from jobs.kind import Call, Question, Run, Turn
from jobs.model import JobId, JsonObject
from jobs.updates import sha256
from tests.jobs.doors import Nothing
from tests.workers.workshop import Scripted, Workshop, texts
from workers.asking import GROWTH_SECONDS
from workers.provider import Piece, ProviderError, Text

QUESTION = Question("scripted", (Turn("user", "Hello?"),))
WORDS = ['{"stages": ["on', 'e", "tw', 'o"', ', "three"]', "}"]
WHOLE: JsonValue = {"stages": ["one", "two", "three"]}


class Leisurely(Scripted):
    """A provider with a pause after each word, in which another provisional result falls due."""

    async def stream(self, question: Question) -> AsyncGenerator[Piece, None]:
        """The next answer."""
        async for piece in super().stream(question):
            yield piece
            if isinstance(piece, Text):
                await asyncio.sleep(GROWTH_SECONDS)


async def test_a_result_grows_with_the_text_and_stays_when_it_is_complete(workshop: Workshop) -> None:
    """Each provisional result is in the log after the text that it was made of; one that isn't news is not told."""
    workshop.providers["scripted"] = Leisurely([[*WORDS]])
    job_id = await workshop.submit(_grow)

    ended = await workshop.attempt()

    seen = await _results(workshop, job_id)
    assert [result for _, result in seen] == [
        {"stages": ["on"]},
        {"stages": ["one", "tw"]},
        {"stages": ["one", "two"]},
        WHOLE,
    ]
    assert [text for text, _ in seen] == ["".join(WORDS[:count]) for count in range(1, 5)]
    assert (ended["parts"]["card"]["state"], ended["parts"]["card"]["result"]) == ("completed", WHOLE)


async def test_a_result_grows_at_most_twice_a_second(workshop: Workshop) -> None:
    """However fast the words come, and with the whole one at the end."""
    workshop.providers["scripted"] = Scripted([['{"stages": [', *(['"x", '] * 500), '"x"]}']])
    job_id = await workshop.submit(_grow)
    began = time.monotonic()

    ended = await workshop.attempt()

    most = (time.monotonic() - began) / GROWTH_SECONDS + 2
    assert 2 <= len(await _results(workshop, job_id)) <= most
    assert ended["parts"]["card"]["result"] == {"stages": ["x"] * 501}


async def test_a_result_begins_anew_when_the_provider_is_asked_again(workshop: Workshop) -> None:
    busy = ProviderError("Busy.", retryable=True)
    workshop.providers["scripted"] = Scripted([[*WORDS[:2], busy], [*WORDS]])
    job_id = await workshop.submit(_grow)

    ended = await workshop.attempt()

    starts = [data for event, data in await workshop.doors.updates(job_id) if event == "part" and "text" in data]
    assert [(data["attempt"], data["result"]) for data in starts] == [(1, None), (2, None)]
    assert ended["parts"]["card"]["result"] == WHOLE


async def test_a_text_that_comes_to_nothing_leaves_the_result_as_it_is(workshop: Workshop) -> None:
    """As a kind says of a text that makes no sense to it, or not yet."""

    async def perform(run: Run, _input: Nothing) -> JsonValue:
        return (await run.ask("card", QUESTION, growing=lambda text: [1] if text == "[1]" else None)).text

    workshop.providers["scripted"] = Leisurely([["[1]", "???", "!"]])
    job_id = await workshop.submit(perform)

    ended = await workshop.attempt()

    assert [result for _, result in await _results(workshop, job_id)] == [[1]]
    assert ended["parts"]["card"]["result"] == [1]


async def test_a_fault_in_what_makes_results_of_texts_fails_the_attempt(workshop: Workshop) -> None:
    """It is the kind's own: the provider isn't asked again for it."""

    async def perform(run: Run, _input: Nothing) -> JsonValue:
        return (await run.ask("card", QUESTION, growing=lambda text: 1 // len(text[:0]))).text

    workshop.providers["scripted"] = Scripted([["a word"], ["never asked"]])
    await workshop.submit(perform, max_attempts=1)

    ended = await workshop.attempt()

    assert ended["state"] == "failed"
    assert len(workshop.providers["scripted"].asked) == 1


async def test_a_kind_shows_what_it_made_of_an_answer(workshop: Workshop) -> None:
    """The text stays with its proof; the same result again is no update."""

    async def perform(run: Run, given: Nothing) -> JsonValue:
        await _grow(run, given)
        for _ in range(2):
            await run.show("card", {"stages": 3})
        return None

    workshop.providers["scripted"] = Scripted([[*WORDS]])
    job_id = await workshop.submit(perform)

    part = (await workshop.attempt())["parts"]["card"]

    assert (part["state"], part["result"], part["text"]) == ("completed", {"stages": 3}, "".join(WORDS))
    assert part["sha256"] == sha256("".join(WORDS))
    results = [result for _, result in await _results(workshop, job_id)]
    assert results[-2:] == [WHOLE, {"stages": 3}], "told once"


async def test_a_part_without_a_question_is_complete_with_what_is_shown(workshop: Workshop) -> None:
    """And so it is in every attempt: nothing is told twice."""

    async def perform(run: Run, _input: Nothing) -> JsonValue:
        await run.show("card", {"stages": 0})
        if run.attempt == 1:
            raise RuntimeError
        return None

    job_id = await workshop.submit(perform)
    await workshop.attempt()

    part = (await workshop.next_attempt(job_id))["parts"]["card"]

    assert (part["state"], part["text"], part["length"], part["sha256"]) == ("completed", "", 0, sha256(""))
    assert [result for _, result in await _results(workshop, job_id)] == [{"stages": 0}]


async def test_questions_into_one_part_each_start_it_anew(workshop: Workshop) -> None:
    """The attempt counts them, and each answer is kept with its calls under a step of its own."""
    call = Call("call-1", "list_metrics", {"limit": 3}, token="thoughts")
    workshop.providers["scripted"] = Scripted([["I look.", call], ["I know."]])
    job_id = await workshop.submit(_converse)

    ended = await workshop.attempt()

    assert ended["result"] == [["I look.", ["list_metrics"], "thoughts"], ["I know.", [], None]]
    assert texts(await workshop.doors.updates(job_id), "card") == ["I look.", "I know."]
    assert (ended["parts"]["card"]["attempt"], ended["parts"]["card"]["text"]) == (2, "I know.")
    assert [step["name"] for step in ended["steps"]] == ["answer.card:1", "answer.card:2"]


async def test_kept_answers_come_back_with_their_calls(workshop: Workshop) -> None:
    """A worker that goes on pays for no answer twice."""
    call = Call("call-1", "list_metrics", {"limit": 3}, token="thoughts")
    workshop.providers["scripted"] = Scripted([["I look.", call], [RuntimeError()], ["I know."]])
    job_id = await workshop.submit(_converse)
    first = await workshop.attempt()

    ended = await workshop.next_attempt(job_id)

    assert first["state"] == "retrying"
    assert ended["result"] == [["I look.", ["list_metrics"], "thoughts"], ["I know.", [], None]]
    assert len(workshop.providers["scripted"].asked) == 3
    assert ended["parts"]["card"]["attempt"] == 3


async def test_a_part_that_is_retried_by_hand_forgets_each_of_its_answers(workshop: Workshop) -> None:
    """And nothing of another part whose name begins alike."""
    workshop.providers["scripted"] = Scripted([["one"], ["two"], ["other"], ["three"], ["four"]])

    async def perform(run: Run, given: Nothing) -> JsonValue:
        told = await _converse(run, given)
        return [told, (await run.ask("card2", QUESTION)).text]

    job_id = await workshop.submit(perform)
    await workshop.attempt()

    await workshop.doors.queue.retry(job_id, parts=frozenset({"card"}))
    ended = await workshop.attempt()

    assert ended["result"] == [[["three", [], None], ["four", [], None]], "other"]


async def _grow(run: Run, _input: Nothing) -> JsonValue:
    return (await run.ask("card", QUESTION, growing=_partial)).text


async def _converse(run: Run, _input: Nothing) -> JsonValue:
    told: list[JsonValue] = []
    for turn in (1, 2):
        answer = await run.ask("card", QUESTION, name=f"answer.card:{turn}")
        token = answer.calls[0].token if answer.calls else None
        told.append([answer.text, [call.name for call in answer.calls], token])
    return told


def _partial(text: str) -> Any:
    try:
        return from_json(text, allow_partial="trailing-strings")
    except ValueError:
        return None


async def _results(workshop: Workshop, job_id: JobId) -> list[tuple[str, JsonValue]]:
    """The card's results in the log, each with the text before it."""
    text, results = "", list[tuple[str, JsonValue]]()
    updates: list[tuple[str, JsonObject]] = await workshop.doors.updates(job_id)
    for event, data in updates:
        if data.get("part") != "card":
            continue
        text = data["text"] if event == "part" and "text" in data else text
        text += data["text"] if event == "delta" else ""
        if event == "part" and data.get("result") is not None:
            results.append((text, data["result"]))
    return results
