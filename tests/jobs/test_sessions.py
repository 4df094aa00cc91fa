"""Sessions and trees: what they hold, what their summaries were made of, and what of them is stale."""

import asyncio
from hashlib import sha256

import orjson
import pytest

from jobs import keys
from jobs.connection import Client, connect
from jobs.encryption import Ring
from jobs.errors import InvalidInput, SessionNotFound, SessionTooLarge, TreeNotFound
from jobs.sessions import MOST_BYTES, MOST_MESSAGES, Sessions
from jobs.summarized import MOST_SESSIONS, What
from tests.jobs.doors import Doors
from tests.valkey import ValkeyProcess

ONE = "one"


@pytest.fixture
def sessions(redis: Client) -> Sessions:
    """Those of the empty store."""
    return Sessions(redis)


def said(*contents: str) -> bytes:
    """Messages as they are kept."""
    return orjson.dumps([{"role": "user", "content": content} for content in contents])


async def summarised(sessions: Sessions, session_id: str, subject: str | None = ONE) -> None:
    """The session has a summary of what it holds."""
    found = await sessions.session(subject, session_id)
    await sessions.keep_summary(subject, session_id, found.content_hash, f"Of {session_id}.")


async def tree_summarised(sessions: Sessions, tree_id: str) -> None:
    """The tree has a summary of its sessions as they are."""
    tree = await sessions.tree(ONE, tree_id)
    await sessions.keep_tree_summary(ONE, tree, tree.content_hash, "Of all.")


async def listed(sessions: Sessions, what: What) -> list[tuple[str, str | None]]:
    """What the index of the stale names."""
    found = await sessions.stale(what, after=0, until=await sessions.now(), most=1000)
    return [(each.id, each.subject) for each in found.items]


async def test_a_session_is_stale_until_what_it_holds_is_summarised_and_again_when_it_changes(
    sessions: Sessions,
) -> None:
    """The hash is the SHA-256 of its messages' JSON; the index of the stale says the same."""
    await sessions.put(ONE, "s", said("Hello"))
    fresh = await sessions.session(ONE, "s")
    assert (fresh.stale, fresh.content_hash) == (True, sha256(said("Hello")).hexdigest())
    assert await listed(sessions, "session") == [("s", ONE)]

    await summarised(sessions, "s")
    known = await sessions.session(ONE, "s")
    assert known.summary is not None
    assert (known.stale, known.summary.text, known.summary.content_hash) == (False, "Of s.", known.content_hash)
    assert await listed(sessions, "session") == []

    await sessions.append(ONE, "s", said("More"))
    changed = await sessions.session(ONE, "s")
    assert (changed.stale, changed.content, changed.summary) == (True, said("Hello", "More"), known.summary)
    assert await listed(sessions, "session") == [("s", ONE)]

    await sessions.put(ONE, "s", said("Hello"))
    assert not (await sessions.session(ONE, "s")).stale
    assert await listed(sessions, "session") == []


async def test_a_session_that_changed_while_it_was_summarised_stays_stale(sessions: Sessions) -> None:
    """Its summary has the hash of what was read."""
    await sessions.put(ONE, "s", said("Hello"))
    read = await sessions.session(ONE, "s")
    await sessions.put(ONE, "s", said("Goodbye"))

    await sessions.keep_summary(ONE, "s", read.content_hash, "Of hello.")

    found = await sessions.session(ONE, "s")
    assert found.summary is not None
    assert (found.stale, found.summary.content_hash) == (True, read.content_hash)
    assert await listed(sessions, "session") == [("s", ONE)]


async def test_a_summary_of_what_was_there_before_does_not_replace_one_of_what_is_there(sessions: Sessions) -> None:
    """Whoever read first may be done last."""
    await sessions.put(ONE, "s", said("Hello"))
    early = await sessions.session(ONE, "s")
    await sessions.put(ONE, "s", said("Goodbye"))
    await summarised(sessions, "s")

    await sessions.keep_summary(ONE, "s", early.content_hash, "Of hello.")

    found = await sessions.session(ONE, "s")
    assert found.summary is not None
    assert (found.stale, found.summary.text) == (False, "Of s.")


async def test_all_that_many_append_at_once_is_there(sessions: Sessions) -> None:
    """Each message once."""
    await sessions.put(ONE, "s", said("0"))

    await asyncio.gather(*(sessions.append(ONE, "s", said(str(number))) for number in range(1, 6)))

    contents = [message["content"] for message in (await sessions.session(ONE, "s")).messages]
    assert sorted(contents) == ["0", "1", "2", "3", "4", "5"]


@pytest.mark.parametrize(("messages", "characters"), [(1, MOST_BYTES - 100), (MOST_MESSAGES, 1)])
async def test_a_session_does_not_grow_over_its_limit(sessions: Sessions, messages: int, characters: int) -> None:
    """Of bytes or of messages; what it holds stays as it is."""
    held = said(*["x" * characters] * messages)
    await sessions.put(ONE, "s", held)

    with pytest.raises(SessionTooLarge):
        await sessions.append(ONE, "s", said("y" * 100))

    assert (await sessions.session(ONE, "s")).content == held


async def test_a_tree_is_stale_as_soon_as_one_of_its_sessions_is(sessions: Sessions) -> None:
    """And once more when it has others; sessions that are not there are left out until they come."""
    for name in ("a", "b"):
        await sessions.put(ONE, name, said(name))
        await summarised(sessions, name)
    await sessions.put_tree(ONE, "t", ["a", "b", "later"])
    assert (await sessions.tree(ONE, "t")).stale
    await tree_summarised(sessions, "t")
    assert (await sessions.tree(ONE, "t")).stale is False
    assert await listed(sessions, "tree") == []

    await sessions.put(ONE, "b", said("b", "c"))
    tree = await sessions.tree(ONE, "t")
    assert (tree.stale, tree.stale_sessions, await listed(sessions, "tree")) == (True, ["b"], [("t", ONE)])
    await summarised(sessions, "b")
    assert (await sessions.tree(ONE, "t")).stale
    await tree_summarised(sessions, "t")

    await sessions.put(ONE, "later", said("now"))
    assert (await sessions.tree(ONE, "t")).stale_sessions == ["later"]
    assert await listed(sessions, "tree") == [("t", ONE)]
    await summarised(sessions, "later")
    await tree_summarised(sessions, "t")

    await sessions.delete(ONE, "a")
    assert (await sessions.tree(ONE, "t")).stale
    assert await listed(sessions, "tree") == [("t", ONE)]


async def test_a_tree_whose_session_changed_while_it_was_summarised_stays_listed(sessions: Sessions) -> None:
    """Its summary is not of that."""
    await sessions.put(ONE, "a", said("a"))
    await sessions.put_tree(ONE, "t", ["a"])
    await summarised(sessions, "a")
    read = await sessions.tree(ONE, "t")
    await sessions.put(ONE, "a", said("b"))

    await sessions.keep_tree_summary(ONE, read, read.content_hash, "Of a.")
    await sessions.settle_tree(ONE, read)

    assert (await sessions.tree(ONE, "t")).stale
    assert await listed(sessions, "tree") == [("t", ONE)]


async def test_a_session_joins_the_tree_that_it_names_and_leaves_the_one_before(sessions: Sessions) -> None:
    """At its end, and once; a tree that nobody has put is made."""
    for name in ("a", "b", "a"):
        await sessions.put(ONE, name, said(name), tree_id="old")
    assert (await sessions.tree(ONE, "old")).session_ids == ("a", "b")

    await sessions.put(ONE, "a", said("a"), tree_id="new")
    await sessions.append(ONE, "a", said("more"))

    assert (await sessions.tree(ONE, "old")).session_ids == ("b",)
    assert (await sessions.tree(ONE, "new")).session_ids == ("a",)
    assert (await sessions.session(ONE, "a")).tree_id == "new"
    assert await listed(sessions, "tree") == [("old", ONE), ("new", ONE)]


async def test_a_session_that_is_added_to_does_not_come_back_to_a_tree_that_went_on_without_it(
    sessions: Sessions,
) -> None:
    """Nor does it bring back one that was deleted."""
    for tree in ("emptied", "deleted"):
        await sessions.put(ONE, f"of-{tree}", said("x"), tree_id=tree)
    await sessions.put_tree(ONE, "emptied", [])
    await sessions.delete_tree(ONE, "deleted")

    for tree in ("emptied", "deleted"):
        await sessions.append(ONE, f"of-{tree}", said("y"))

    assert (await sessions.tree(ONE, "emptied")).session_ids == ()
    with pytest.raises(TreeNotFound):
        await sessions.tree(ONE, "deleted")


async def test_a_full_tree_takes_no_further_session(sessions: Sessions) -> None:
    """And the session that was to join it is not written."""
    await sessions.put_tree(ONE, "t", [str(number) for number in range(MOST_SESSIONS)])

    with pytest.raises(InvalidInput):
        await sessions.put(ONE, "one-more", said("x"), tree_id="t")

    with pytest.raises(SessionNotFound):
        await sessions.session(ONE, "one-more")
    assert len((await sessions.tree(ONE, "t")).session_ids) == MOST_SESSIONS


async def test_the_same_id_is_another_session_for_another_subject(sessions: Sessions) -> None:
    """Nobody's too; what one puts, summarises or deletes the others don't notice."""
    for subject in (ONE, "two", None):
        await sessions.put(subject, "s", said(f"of {subject}"))
        await sessions.put_tree(subject, "t", ["s"])
    await summarised(sessions, "s", None)

    await sessions.delete("two", "s")
    await sessions.delete_tree("two", "t")

    assert (await sessions.session(ONE, "s")).content == said("of one")
    assert await listed(sessions, "session") == [("s", ONE)]
    assert await listed(sessions, "tree") == [("t", ONE), ("t", None)]
    with pytest.raises(SessionNotFound):
        await sessions.session("two", "s")
    with pytest.raises(TreeNotFound):
        await sessions.tree("two", "t")


async def test_what_is_stale_is_read_page_by_page_and_without_what_has_expired(
    sessions: Sessions, redis: Client
) -> None:
    """What becomes stale after the reader began is not in it."""
    for number in range(7):
        await sessions.put(ONE, str(number), said("x"))
    await redis.delete(keys.session(ONE, "1"))
    until = await sessions.now()
    await sessions.put(ONE, "late", said("x"))

    found: list[str] = []
    after: int | None = 0
    while after is not None:
        page = await sessions.stale("session", after=after, until=until, most=3)
        found += [each.id for each in page.items]
        after = page.next

    assert found == ["0", "2", "3", "4", "5", "6"]
    assert [name for name, _ in await listed(sessions, "session")] == [*found, "late"]


async def test_a_deleted_session_or_tree_leaves_nothing_behind(sessions: Sessions, redis: Client) -> None:
    """No key and no member of a list; what names the other goes with the other."""
    await sessions.put(ONE, "s", said("x"), tree_id="t")
    await summarised(sessions, "s")
    await sessions.put_tree(ONE, "t", ["s", "never-there"])

    await sessions.delete(ONE, "s")
    await sessions.delete_tree(ONE, "t")

    assert [name async for name in redis.scan_iter()] == []
    with pytest.raises(SessionNotFound):
        await sessions.delete(ONE, "s")
    with pytest.raises(TreeNotFound):
        await sessions.delete_tree(ONE, "t")


async def test_a_subject_is_forgotten_with_all_its_sessions_and_trees(sessions: Sessions, redis: Client) -> None:
    """Those of others stay."""
    for number in range(3):
        await sessions.put(ONE, f"s{number}", said("x"), tree_id="joined")
    await sessions.put_tree(ONE, "t", ["s1"])
    await sessions.put("two", "s", said("y"))

    await sessions.forget_subject(ONE)

    kept = {name.decode() async for name in redis.scan_iter()}
    assert kept == {keys.session("two", "s"), keys.STALE_SESSIONS, keys.holdings("two")}
    assert await listed(sessions, "session") == [("s", "two")]


async def test_what_has_expired_does_not_stay_in_the_list_of_its_subject(sessions: Sessions, redis: Client) -> None:
    """Each write takes some of it off, and out of the index of what is stale."""
    for number in range(20):
        await sessions.put(ONE, f"s{number}", said("x"))
        await sessions.put_tree(ONE, f"t{number}", [])
        await redis.delete(keys.session(ONE, f"s{number}"), keys.tree(ONE, f"t{number}"))

    for _ in range(200):
        await sessions.put(ONE, "s", said("x"))

    assert await redis.smembers(keys.holdings(ONE)) == {b"session/s"}  # type: ignore[misc]
    assert await redis.zrange(keys.STALE_SESSIONS, 0, -1) == [b"s/one"]


async def test_every_key_of_a_session_expires_and_a_summary_gives_it_its_life_anew(
    redis: Client, doors: Doors
) -> None:
    """What is put lives for as long as the settings say."""
    sessions = Sessions(redis, kept_seconds=1000)
    await sessions.put(ONE, "s", said("x"), tree_id="t")
    await sessions.put_tree(ONE, "t", ["s", "never-there"])
    assert all(900 < left <= 1000 for left in (await doors.lifetimes()).values())
    for name in await doors.lifetimes():
        await redis.expire(name, 100)

    await summarised(sessions, "s")
    await tree_summarised(sessions, "t")

    assert [name for name, left in (await doors.lifetimes()).items() if left <= 900] == []


async def test_with_a_key_neither_what_was_said_nor_its_summary_is_in_the_store(
    store: ValkeyProcess, redis: Client
) -> None:
    """Who has the key reads both; staleness is told by hashes alone."""
    async with connect(store.url, sealer=Ring([b"k" * 32])) as client:
        sessions = Sessions(client)
        await sessions.put(ONE, "s", said("the secret garden"), tree_id="t")
        found = await sessions.session(ONE, "s")
        await sessions.keep_summary(ONE, "s", found.content_hash, "Of a garden.")
        tree = await sessions.tree(ONE, "t")
        await sessions.keep_tree_summary(ONE, tree, tree.content_hash, "Of all gardens.")

        read, whole = await sessions.session(ONE, "s"), await sessions.tree(ONE, "t")

    held = [await redis.hgetall(name) for name in (keys.session(ONE, "s"), keys.tree(ONE, "t"))]  # type: ignore[misc]
    assert b"garden" not in repr(held).encode()
    assert read.summary is not None
    assert whole.summary is not None
    assert (read.content, read.summary.text, read.stale) == (said("the secret garden"), "Of a garden.", False)
    assert (whole.summary.text, whole.stale) == ("Of all gardens.", False)
