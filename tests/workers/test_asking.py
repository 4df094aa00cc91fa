"""Asking a provider: its words in the log as they come, its answer kept, its failures told."""

from pydantic import JsonValue

from jobs.kind import Question, Run, Turn
from jobs.updates import sha256
from tests.jobs.doors import Nothing
from tests.workers.workshop import Scripted, Workshop, texts
from workers.provider import ProviderError

TREBLE_CLEF = "\ud834\udd1e"  # one character, as the two halves in which a provider may send it


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
