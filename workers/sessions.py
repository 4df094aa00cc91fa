"""The sessions and trees of a running job, as its kind has them (jobs.kind.Sessions)."""

from functools import partial

from jobs.leases import Claim
from jobs.sessions import Sessions
from jobs.summarized import Session, Stale, StalePage, Summary, Tree, What
from workers.writer import patiently


class JobSessions:
    """What a job sees of its subject's sessions and trees; a store that is away for a while is waited for."""

    def __init__(self, claim: Claim, sessions: Sessions) -> None:
        self._job_id, self._subject = claim.job_id, claim.subject
        self._sessions = sessions

    async def session(self, session_id: str) -> Session:
        return await patiently(partial(self._sessions.session, self._subject, session_id))

    async def begin(self, what: What, its_id: str, content_hash: str) -> bool:
        begun = partial(self._sessions.begin, what, self._subject, its_id, content_hash, self._job_id)
        return await patiently(begun)

    async def keep_summary(self, session_id: str, content_hash: str, text: str) -> str:
        return await patiently(partial(self._sessions.keep_summary, self._subject, session_id, content_hash, text))

    async def tree(self, tree_id: str) -> Tree:
        return await patiently(partial(self._sessions.tree, self._subject, tree_id))

    async def summaries(self, tree: Tree) -> list[tuple[str, Summary]]:
        return await patiently(partial(self._sessions.summaries, self._subject, tree))

    async def keep_tree_summary(self, tree: Tree, content_hash: str, text: str) -> str:
        return await patiently(partial(self._sessions.keep_tree_summary, self._subject, tree, content_hash, text))

    async def settle_tree(self, tree: Tree) -> None:
        await patiently(partial(self._sessions.settle_tree, self._subject, tree))

    async def stale(self, what: What, *, after: int, until: int, most: int) -> StalePage:
        return await patiently(partial(self._sessions.stale, what, after=after, until=until, most=most))

    async def postpone(self, what: What, stale: Stale) -> None:
        await patiently(partial(self._sessions.postpone, what, stale))

    async def now(self) -> int:
        return await patiently(self._sessions.now)
