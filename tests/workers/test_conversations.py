"""A chat that goes on: what each provider hears of what was said before, whatever happened to its worker."""

from dataclasses import replace
from typing import Any

from pydantic import JsonValue

from jobs.conversations import Conversations
from jobs.errors import LeaseLost
from jobs.kind import AnyKind, Question, Run
from jobs.kinds.chat import CHAT, ChatInput
from jobs.model import JobId
from jobs.queue import Submission
from tests.workers.workshop import Scripted, Workshop
from workers.provider import ProviderError

TALK = "talk"
REFUSAL = ProviderError("No.", retryable=False)


def heard(question: Question) -> list[str]:
    """Everything that the provider was told, a letter for who said it before each word."""
    return [f"{turn.role[0]}: {turn.content}" for turn in question.turns]


def scripted(workshop: Workshop, **answers: list[str | Exception]) -> dict[str, Scripted]:
    """Providers that give these answers, one each time they are asked."""
    providers = {name: Scripted([[said] for said in each], name=name) for name, each in answers.items()}
    workshop.providers.update(providers)
    return providers


async def say(workshop: Workshop, message: str | None, *, kind: AnyKind = CHAT, **more: Any) -> JobId:
    """A chat of the conversation, not yet run."""
    workshop.kinds["chat"] = kind
    given = {"message": message, "conversation_id": TALK, **more}
    return (await workshop.doors.queue.submit(Submission(kind=kind, input=given, subject="user-1"))).job_id


async def kept(workshop: Workshop, provider: str) -> list[str]:
    """The conversation as the provider knows it, as `heard` has it."""
    found = await Conversations(workshop.doors.client).find("user-1", TALK)
    return [f"{turn.role[0]}: {turn.content}" for said in found.said for turn in said.round.heard_by(provider)]


async def test_each_provider_hears_what_it_said_itself(workshop: Workshop) -> None:
    """And nothing of what the others said."""
    providers = scripted(workshop, openai=["A1", "A2", "A3"], google=["B1", "B2", "B3"])
    for message in ("one", "two", "three"):
        await say(workshop, message)
        await workshop.attempt()

    assert heard(providers["openai"].asked[2]) == ["u: one", "a: A1", "u: two", "a: A2", "u: three"]
    assert heard(providers["google"].asked[2]) == ["u: one", "a: B1", "u: two", "a: B2", "u: three"]


async def test_a_provider_that_failed_or_was_not_asked_hears_what_the_user_said_meanwhile(workshop: Workshop) -> None:
    """What was asked, without an answer that it never gave."""
    providers = scripted(workshop, openai=["A1", "A2", "A3", "A4"], google=["B1", REFUSAL, "B4"])
    for message, alone in (("one", None), ("two", None), ("three", "openai"), ("four", None)):
        await say(workshop, message, provider=alone)
        await workshop.attempt()

    assert heard(providers["google"].asked[-1]) == ["u: one", "a: B1", "u: two", "u: three", "u: four"]


async def test_a_whole_talk_may_be_handed_over_and_goes_on(workshop: Workshop) -> None:
    """All its messages are the user's round, before the answers."""
    providers = scripted(workshop, openai=["A1", "A2"])
    talk = [{"role": role, "content": said} for role, said in (("user", "hi"), ("assistant", "ho"), ("user", "?"))]
    await say(workshop, None, messages=talk)
    await workshop.attempt()
    await say(workshop, "and?")
    await workshop.attempt()

    assert heard(providers["openai"].asked[1]) == ["u: hi", "a: ho", "u: ?", "a: A1", "u: and?"]


async def test_a_chat_without_a_conversation_neither_hears_nor_adds(workshop: Workshop) -> None:
    providers = scripted(workshop, openai=["A1", "A2", "A3"])
    for talk in (TALK, None, TALK):
        await say(workshop, "?", conversation_id=talk)
        await workshop.attempt()

    assert [len(question.turns) for question in providers["openai"].asked] == [1, 1, 3]


async def test_a_worker_lost_after_its_round_was_kept_leaves_one_round(workshop: Workshop) -> None:
    """The next attempt asks nobody again, and keeps the same round in the same place."""
    providers = scripted(workshop, openai=["A1"])
    rounds: list[list[str]] = []

    async def perform(run: Run, chat: ChatInput) -> JsonValue:
        result = await CHAT.perform(run, chat)
        rounds.append(await kept(workshop, "openai"))
        if len(rounds) == 1:
            raise LeaseLost("The worker was killed before it could write the end.")
        return result

    await say(workshop, "one", kind=replace(CHAT, perform=perform))
    lost = await workshop.claim()
    assert (await workshop.run(lost))["state"] == "running"
    await workshop.doors.lose(lost.claim)
    ended = await workshop.attempt()

    assert (ended["state"], len(providers["openai"].asked)) == ("completed", 1)
    assert rounds == [["u: one", "a: A1"]] * 2


async def test_a_part_asked_again_by_hand_hears_what_came_before_it_and_keeps_its_place(
    workshop: Workshop,
) -> None:
    """What was said since comes after it, and the others' answers stay."""
    providers = scripted(workshop, openai=["A1", REFUSAL, "A3", "A2, at last"], google=["B1", "B2", "B3"])
    jobs = []
    for message in ("one", "two", "three"):
        jobs.append(await say(workshop, message))
        await workshop.attempt()

    await workshop.doors.queue.retry(jobs[1], parts=frozenset({"openai"}))
    ended = await workshop.attempt()

    assert (ended["run"], ended["result"]["openai"]["text"]) == (2, "A2, at last")
    assert heard(providers["openai"].asked[-1]) == ["u: one", "a: A1", "u: two"]
    assert await kept(workshop, "openai") == ["u: one", "a: A1", "u: two", "a: A2, at last", "u: three", "a: A3"]
    assert await kept(workshop, "google") == ["u: one", "a: B1", "u: two", "a: B2", "u: three", "a: B3"]


async def test_a_chat_that_nobody_answered_is_no_part_of_the_conversation(workshop: Workshop) -> None:
    """The next one is as if it had not been; asked again by hand, it is there."""
    providers = scripted(workshop, openai=["A1", REFUSAL, "A3", "A2"])
    jobs = []
    for message in ("one", "two", "three"):
        jobs.append(await say(workshop, message))
        ended = await workshop.attempt()
    before = heard(providers["openai"].asked[2])
    await workshop.doors.queue.retry(jobs[1])
    ended = await workshop.attempt()

    assert (before, ended["state"]) == (["u: one", "a: A1", "u: three"], "completed")
    assert await kept(workshop, "openai") == ["u: one", "a: A1", "u: two", "a: A2", "u: three", "a: A3"]


async def test_two_chats_at_once_are_both_kept_in_the_order_of_their_submission(workshop: Workshop) -> None:
    """Neither hears the other, whichever ends first; the next one hears both."""
    providers = scripted(workshop, openai=["A1", "A2", "A3"])
    await say(workshop, "one")
    first = await workshop.claim()
    await say(workshop, "two")
    second = await workshop.claim()
    for running in (second, first):
        await workshop.run(running)
    await say(workshop, "three")
    await workshop.attempt()

    assert [heard(question) for question in providers["openai"].asked] == [
        ["u: two"],
        ["u: one"],
        ["u: one", "a: A2", "u: two", "a: A1", "u: three"],
    ]
