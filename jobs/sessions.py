"""Sessions and trees of them: put, read, summarised, forgotten, and listed while they are stale."""

from collections.abc import Sequence
from typing import Any, cast

import orjson

from jobs import keys
from jobs.connection import Client, Script, store_faults
from jobs.errors import InvalidInput, SessionNotFound, SessionTooLarge, StoreUnavailable, TreeNotFound, Violation
from jobs.kind import DAY_SECONDS, MEBIBYTE
from jobs.model import JobId
from jobs.summarized import (
    MOST_SESSIONS,
    ContentHash,
    Leaf,
    Session,
    Stale,
    StalePage,
    Summary,
    Tree,
    What,
    hash_of,
)

MOST_BYTES = 8 * MEBIBYTE
MOST_MESSAGES = 20_000
"""Of one session."""

SESSION_DAYS = 365
"""How long a session or tree is kept after it was last put, added to or summarised."""

PAGE = 200

_TRIES = 10
_SUMMARY = ("summary", "summary_hash", "summarized_at")
_INDEX: dict[What, str] = {"session": keys.STALE_SESSIONS, "tree": keys.STALE_TREES}


class Sessions:
    """Every session and tree of one store; an id belongs to its subject, or to nobody's."""

    def __init__(self, client: Client, *, kept_seconds: float = SESSION_DAYS * DAY_SECONDS) -> None:
        self._client = client
        self._sealer = client.sealer
        self._kept_ms = round(kept_seconds * 1000)
        self._script = Script(client, "sessions")

    async def put(self, subject: str | None, session_id: str, content: bytes, *, tree_id: str | None = None) -> None:
        """Replace what the session holds, or begin it; with `tree_id` it joins that tree, at its end."""
        await self._put(subject, session_id, content, tree_id=tree_id or "")

    async def append(self, subject: str | None, session_id: str, content: bytes) -> None:
        """Add the messages to those that are there, whoever else adds some; SessionTooLarge over either limit."""
        for _ in range(_TRIES):
            held = await self.session(subject, session_id)
            longer = held.content[:-1] + b"," + content[1:]  # both are lists, and neither is empty
            if len(longer) > MOST_BYTES or len(orjson.loads(longer)) > MOST_MESSAGES:
                most = f"{MOST_MESSAGES} messages, and {MOST_BYTES} bytes of them,"
                raise SessionTooLarge(f"A session holds {most} at most; begin another one.")
            if await self._put(subject, session_id, longer, expected=held.content_hash):
                return
        raise StoreUnavailable("Many add to this session at once; try again in a moment.")

    async def session(self, subject: str | None, session_id: str) -> Session:
        """The session; SessionNotFound where the subject has none of that id."""
        content, content_hash, tree, *made = await self._fields(
            keys.session(subject, session_id), "content", "hash", "tree", *_SUMMARY
        )
        if content is None:
            raise _no_session()
        return Session(
            session_id,
            self._sealer.open("session content", content, subject=subject, job_id=session_id),
            ContentHash(content_hash.decode()),
            tree.decode() or None,
            self._summary("session", subject, session_id, made),
        )

    async def begin(self, what: What, subject: str | None, its_id: str, content_hash: str, job_id: JobId) -> bool:
        """Whether the job is to summarise what has this hash: not while another goes on that was told so."""
        return bool(await self._act(f"begin_{what}", subject, its_id, content_hash, job_id))

    async def keep_summary(self, subject: str | None, session_id: str, content_hash: str, text: str) -> str:
        """When it was kept. A summary of what the session doesn't hold any more leaves it stale, and does not replace
        one of what it holds; SessionNotFound if it was deleted meanwhile."""
        sealed = self._sealed("session", subject, session_id, text)
        answer: bytes = await self._act("keep_session", subject, session_id, content_hash, sealed)
        if answer == b"GONE":
            raise _no_session()
        return answer.decode()

    async def delete(self, subject: str | None, session_id: str) -> None:
        """Forget the session; SessionNotFound as in `session`."""
        if not await self._act("delete_session", subject, session_id):
            raise _no_session()

    async def put_tree(self, subject: str | None, tree_id: str, session_ids: Sequence[str]) -> None:
        """Replace the sessions of the tree, or begin it; they need not be there yet."""
        await self._act("put_tree", subject, tree_id, self._kept_ms, *session_ids)

    async def tree(self, subject: str | None, tree_id: str) -> Tree:
        """The tree, and its sessions at a glance; TreeNotFound where the subject has none of that id."""
        life, version, *made = await self._fields(keys.tree(subject, tree_id), "life", "version", *_SUMMARY)
        if life is None:
            raise _no_tree()
        with store_faults():
            listed = await self._client.zrange(keys.tree_sessions(subject, tree_id), 0, -1)
        session_ids = tuple(each.decode() for each in listed)
        found = await self._of_each(subject, session_ids, "hash", "summary_hash")
        leaves = tuple(
            Leaf(session_id, ContentHash(held[0].decode()), ContentHash(held[1].decode()) if held[1] else None)
            for session_id, held in zip(session_ids, found, strict=True)
            if held[0] is not None
        )
        summary = self._summary("tree", subject, tree_id, made)
        return Tree(tree_id, session_ids, leaves, int(version or 0), summary)

    async def summaries(self, subject: str | None, tree: Tree) -> list[tuple[str, Summary]]:
        """The summaries that the tree's sessions have, each with its session's id."""
        session_ids = [leaf.session_id for leaf in tree.leaves]
        found = await self._of_each(subject, session_ids, *_SUMMARY)
        made = [
            (each, self._summary("session", subject, each, held))
            for each, held in zip(session_ids, found, strict=True)
        ]
        return [(session_id, summary) for session_id, summary in made if summary is not None]

    async def keep_tree_summary(self, subject: str | None, tree: Tree, content_hash: str, text: str) -> str:
        """When it was kept; the tree stays stale if something happened to its sessions since it was read."""
        sealed = self._sealed("tree", subject, tree.id, text)
        answer: bytes = await self._act("keep_tree", subject, tree.id, tree.version, content_hash, sealed)
        if answer == b"GONE":
            raise _no_tree()
        return answer.decode()

    async def settle_tree(self, subject: str | None, tree: Tree) -> None:
        """List it as stale no more, since it is not, unless something happened to it since it was read."""
        await self._act("settle_tree", subject, tree.id, tree.version)

    async def delete_tree(self, subject: str | None, tree_id: str) -> None:
        """Forget the tree, and none of its sessions; TreeNotFound as in `tree`."""
        if not await self._act("delete_tree", subject, tree_id):
            raise _no_tree()

    async def forget_subject(self, subject: str) -> None:
        """Forget every session and tree of the subject."""
        with store_faults():
            held = await self._client.smembers(keys.holdings(subject))  # type: ignore[misc]
        for holding in held:
            what, _, its_id = holding.decode().partition("/")
            await self._act(f"delete_{what}", subject, its_id)

    async def stale(self, what: What, *, after: int, until: int, most: int) -> StalePage:
        """What has been stale longest, of all subjects: up to `most` that became so in (after, until] by the store's
        clock in microseconds; what has expired is taken off."""
        index = _INDEX[what]
        with store_faults():
            rows: list[tuple[bytes, float]] = await self._client.zrangebyscore(
                index, f"({after}", until, start=0, num=most, withscores=True
            )
            listed = [_stale(member) for member, _ in rows]
            name = keys.session if what == "session" else keys.tree
            async with self._client.pipeline(transaction=False) as pipe:
                for each in listed:
                    pipe.exists(name(each.subject, each.id))
                there = await pipe.execute()
            gone = [row[0] for row, exists in zip(rows, there, strict=True) if not exists]
            if gone:
                await self._client.zrem(index, *gone)
        items = tuple(each for each, exists in zip(listed, there, strict=True) if exists)
        return StalePage(items, int(rows[-1][1]) if len(rows) == most else None)

    async def postpone(self, what: What, stale: Stale) -> None:
        """Let all others that are stale come before it, since it could not be summarised."""
        await self._act(f"postpone_{what}", stale.subject, stale.id)

    async def now(self) -> int:
        """The store's clock in microseconds: what becomes stale from now on comes later."""
        with store_faults():
            return await self._client.now_us()

    async def _put(
        self, subject: str | None, session_id: str, content: bytes, *, tree_id: str = "", expected: str = ""
    ) -> bool:
        """Whether it was written: not where the session holds something else than what has the `expected` hash."""
        sealed = self._sealer.seal("session content", content, subject=subject, job_id=session_id)
        answer = await self._act(
            "put_session", subject, session_id, expected, sealed, hash_of(content), tree_id, self._kept_ms
        )
        if answer == b"TREE_FULL":
            wrong = Violation("/tree_id", f"this tree has {MOST_SESSIONS} sessions already")
            raise InvalidInput("The tree is full.", violations=(wrong,))
        return bool(answer == b"PUT")

    async def _act(self, act: str, subject: str | None, its_id: str, *arguments: str | bytes | float) -> Any:
        return await self._script(act, keys.owner(subject), subject or "", its_id, *arguments)

    async def _fields(self, name: str, *fields: str) -> list[Any]:
        with store_faults():
            return cast("list[Any]", await self._client.hmget(name, list(fields)))  # type: ignore[misc]

    async def _of_each(self, subject: str | None, session_ids: Sequence[str], *fields: str) -> list[list[Any]]:
        """These fields of each session, a page of them at a time."""
        found: list[list[Any]] = []
        for start in range(0, len(session_ids), PAGE):
            with store_faults():
                async with self._client.pipeline(transaction=False) as pipe:
                    for session_id in session_ids[start : start + PAGE]:
                        pipe.hmget(keys.session(subject, session_id), list(fields))
                    found += await pipe.execute()
        return found

    def _sealed(self, what: What, subject: str | None, its_id: str, text: str) -> bytes:
        return self._sealer.seal(f"{what} summary", text.encode(), subject=subject, job_id=its_id)

    def _summary(self, what: What, subject: str | None, its_id: str, held: list[Any]) -> Summary | None:
        sealed, content_hash, made_at = held
        if content_hash is None:
            return None
        text = self._sealer.open(f"{what} summary", sealed, subject=subject, job_id=its_id)
        return Summary(text.decode(), ContentHash(content_hash.decode()), made_at.decode())


def _stale(member: bytes) -> Stale:
    its_id, _, subject = member.decode().partition("/")
    return Stale(its_id, subject or None)


def _no_session() -> SessionNotFound:
    return SessionNotFound("No session has this id, or it has expired.")


def _no_tree() -> TreeNotFound:
    return TreeNotFound("No tree has this id, or it has expired.")
