"""What is kept of conversations: in order, once for each job, within bounds, and no longer than it should be."""

import asyncio
from typing import cast

import pytest

from jobs import keys
from jobs.connection import Client, connect
from jobs.conversations import MOST_BYTES, MOST_ROUNDS, Conversations
from jobs.encryption import Ring
from jobs.errors import ConversationNotFound, IntegrityError, LeaseLost
from jobs.kind import Round, Turn
from jobs.leases import Claim
from tests.jobs.doors import Doors
from tests.jobs.patience import until
from tests.valkey import ValkeyProcess

SUBJECT = "user-1"
TALK = "talk"


def asked(text: str, **answers: str | None) -> Round:
    return Round((Turn("user", text),), answers)


async def running(doors: Doors, count: int, *, subject: str | None = SUBJECT) -> list[Claim]:
    """Jobs under way, in the order of their submission."""
    job_ids = [await doors.submit(subject=subject) for _ in range(count)]
    claims = {claim.job_id: claim for claim in await doors.claim("worker", slots=count)}
    return [claims[job_id] for job_id in job_ids]


async def texts(kept: Conversations, name: str = TALK, subject: str | None = SUBJECT) -> list[str]:
    """The first words of each round."""
    return [said.round.turns[0].content for said in (await kept.find(subject, name)).said]


@pytest.fixture
def kept(redis: Client) -> Conversations:
    return Conversations(redis)


async def test_rounds_are_in_the_order_of_their_submission_whichever_ends_first(
    doors: Doors, kept: Conversations
) -> None:
    """Of two chats at once none is lost, and each knows only what was asked before it."""
    first, second, third = await running(doors, 3)
    await kept.add(second, TALK, asked("two", openai="2"))
    before_first = await kept.earlier(first, TALK)
    await asyncio.gather(kept.add(third, TALK, asked("three")), kept.add(first, TALK, asked("one")))

    assert await texts(kept) == ["one", "two", "three"]
    assert before_first == []
    assert [said.turns[0].content for said in await kept.earlier(third, TALK)] == ["one", "two"]


async def test_a_round_that_is_added_again_takes_its_own_place(doors: Doors, kept: Conversations) -> None:
    """So that an attempt after a lost worker, and a part asked again, leave one round and not two."""
    first, second = await running(doors, 2)
    for claim, text in ((first, "one"), (second, "two"), (first, "one, again")):
        await kept.add(claim, TALK, asked(text))

    assert await texts(kept) == ["one, again", "two"]


async def test_who_lost_the_lease_adds_nothing(doors: Doors, kept: Conversations) -> None:
    (claim,) = await running(doors, 1)
    await doors.lose(claim)

    with pytest.raises(LeaseLost):
        await kept.add(claim, TALK, asked("late"))
    with pytest.raises(ConversationNotFound):
        await kept.find(SUBJECT, TALK)


async def test_a_conversation_belongs_to_its_subject(doors: Doors, kept: Conversations) -> None:
    """Another's of the same name, and nobody's, are others; an empty name is no subject either."""
    for subject in (SUBJECT, "user-2", None):
        (claim,) = await running(doors, 1, subject=subject)
        await kept.add(claim, TALK, asked(f"of {subject}"))

    assert [await texts(kept, subject=each) for each in (SUBJECT, "user-2", None)] == [
        ["of user-1"],
        ["of user-2"],
        ["of None"],
    ]


async def test_what_is_kept_has_an_end_that_each_round_puts_off(doors: Doors, redis: Client) -> None:
    """Nothing of it stays for ever, and a shorter keeping shortens no list that names longer ones."""
    long, short = Conversations(redis, kept_seconds=7200), Conversations(redis, kept_seconds=600)
    first, second = await running(doors, 2)
    await long.add(first, TALK, asked("one"))
    await redis.pexpire(keys.conversation(SUBJECT, TALK), 1000)
    await long.add(second, TALK, asked("two"))
    renewed = await redis.pttl(keys.conversation(SUBJECT, TALK))
    await short.add(second, "another", asked("two"))

    assert 7100_000 < renewed <= 7200_000
    assert await redis.pttl(keys.conversations(SUBJECT)) > 7100_000
    assert 0 < await redis.pttl(keys.conversation(SUBJECT, "another")) <= 600_000


async def test_an_expired_conversation_is_gone_and_out_of_the_list(doors: Doors, redis: Client) -> None:
    """The list says so at once, and forgets its name when something is added."""
    brief, kept = Conversations(redis, kept_seconds=0.05), Conversations(redis)
    first, second = await running(doors, 2)
    await brief.add(first, "brief", asked("one"))
    await redis.persist(keys.conversations(SUBJECT))
    await until(lambda: _expired(redis, "brief"))

    assert await kept.page(SUBJECT, limit=10) == []
    assert await kept.earlier(second, "brief") == []
    await kept.add(second, TALK, asked("two"))
    assert await redis.zrange(keys.conversations(SUBJECT), 0, -1) == [TALK.encode()]


async def _expired(redis: Client, name: str) -> bool:
    return not await redis.exists(keys.conversation(SUBJECT, name))


async def test_the_oldest_rounds_make_room(doors: Doors, redis: Client) -> None:
    """The newest stays, however long; one that was dropped does not come back as the newest."""
    kept, short = Conversations(redis, most_rounds=3), Conversations(redis, most_bytes=300)
    claims = await running(doors, 6)
    for number, claim in enumerate(claims[:5]):
        await kept.add(claim, TALK, asked(str(number)))
    await kept.add(claims[0], TALK, asked("0, again"))
    by_count = await texts(kept)
    await short.add(claims[5], TALK, asked("x" * 1000))

    assert by_count == ["2", "3", "4"]
    assert await texts(kept) == ["x" * 1000]


async def test_a_conversation_has_bounds(doors: Doors, kept: Conversations, redis: Client) -> None:
    """However much is said in it: some hundred thousand bytes and a hundred rounds."""
    (claim,) = await running(doors, 1)
    key = keys.conversation(SUBJECT, TALK)
    for number in range(2 * MOST_ROUNDS):
        await redis.hset(key, f"{10**15 + number}-{'x' * 32}", "y" * 10_000)  # type: ignore[misc]
    await kept.add(claim, TALK, asked("the newest"))

    held = cast(dict[bytes, bytes], await redis.hgetall(key))  # type: ignore[misc]
    assert len(held) <= MOST_ROUNDS
    assert MOST_BYTES - 10_000 < sum(len(each) for each in held.values()) <= MOST_BYTES


async def test_a_list_goes_on_where_its_cursor_says(doors: Doors, kept: Conversations) -> None:
    """The latest first, page by page, each once."""
    claims = await running(doors, 7)
    for number, claim in enumerate(claims):
        await kept.add(claim, f"talk-{number % 5}", asked("?"))
    pages = [await kept.page(SUBJECT, limit=2)]
    for _ in range(2):
        pages.append(await kept.page(SUBJECT, limit=2, after=pages[-1][-1].cursor))

    names = [listed.name for each in pages for listed in each]
    assert sorted(names) == [f"talk-{number}" for number in range(5)]
    times = [listed.at_ms for each in pages for listed in each]
    assert times == sorted(times, reverse=True)


async def test_what_is_forgotten_is_gone(doors: Doors, kept: Conversations, redis: Client) -> None:
    """One conversation alone, or all of a subject; forgetting what is not there says so."""
    first, second = await running(doors, 2)
    await kept.add(first, TALK, asked("one"))
    await kept.add(second, "another", asked("two"))

    await kept.forget(SUBJECT, TALK)
    with pytest.raises(ConversationNotFound):
        await kept.forget(SUBJECT, TALK)
    assert [listed.name for listed in await kept.page(SUBJECT, limit=10)] == ["another"]
    await kept.forget_subject(SUBJECT)
    assert [name async for name in redis.scan_iter("js:conversation*")] == []


async def test_what_runs_while_its_subject_is_forgotten_keeps_nothing(doors: Doors, kept: Conversations) -> None:
    """However late its chat ends."""
    (claim,) = await running(doors, 1)
    assert await doors.queue.forget_subject(SUBJECT) == 1
    await kept.forget_subject(SUBJECT)
    await kept.add(claim, TALK, asked("late"))

    with pytest.raises(ConversationNotFound):
        await kept.find(SUBJECT, TALK)


async def test_sealed_rounds_can_be_opened_in_their_own_place_alone(
    doors: Doors, redis: Client, store: ValkeyProcess
) -> None:
    """Neither the words nor the answers are in the store, and none can be put into another conversation."""
    async with connect(store.url, sealer=Ring([b"k" * 32])) as client:
        await _expect_sealed(doors, redis, Conversations(client))


async def _expect_sealed(doors: Doors, redis: Client, sealed: Conversations) -> None:
    (claim,) = await running(doors, 1)
    await sealed.add(claim, TALK, asked("canary", openai="canary too"))
    key = keys.conversation(SUBJECT, TALK)
    held = cast(dict[bytes, bytes], await redis.hgetall(key))  # type: ignore[misc]
    await redis.hset(keys.conversation(SUBJECT, "another"), mapping=held)  # type: ignore[misc]

    assert await texts(sealed) == ["canary"]
    assert b"canary" not in b"".join(held.values())
    with pytest.raises(IntegrityError):
        await sealed.find(SUBJECT, "another")
