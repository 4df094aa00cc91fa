"""Starting summaries: of what is stale, once for what it holds."""

from contextlib import suppress
from dataclasses import dataclass

from jobs.connection import Client
from jobs.errors import AlreadyCompleted, JobNotFound, NotTerminal, QueueFull
from jobs.kind import AnyKind
from jobs.kinds.summarize_session import SUMMARIZE_SESSION
from jobs.kinds.summarize_tree import SUMMARIZE_TREE
from jobs.log import Log
from jobs.model import JobId, JsonObject, State
from jobs.queue import NO_LIMIT, Queue, Room, Submission
from jobs.summarized import Session, Tree

MOST_REPEATS = 100
"""How often the same content may come back before the first job of it has expired."""


@dataclass(frozen=True)
class Order:
    """Whose job a summary becomes, what asked for it, and what there must be room for."""

    subject: str | None
    request_id: str = ""
    room: Room = NO_LIMIT


class Summaries:
    """Starts the jobs that summarise, and finds the ones that were started."""

    def __init__(self, client: Client) -> None:
        self._queue = Queue(client)
        self._log = Log(client)

    async def of_session(self, session: Session, order: Order) -> JobId | None:
        """The job that summarises what the session holds; None where it is not stale."""
        if not session.stale:
            return None
        key = f"{session.id}:{session.content_hash}"
        return await self._started(SUMMARIZE_SESSION, {"session_id": session.id}, key, order)

    async def of_tree(self, tree: Tree, order: Order) -> JobId | None:
        """The job that summarises the tree and what of it is stale; None where nothing is."""
        if not tree.stale and not tree.stale_sessions:
            return None
        key = f"{tree.id}:{tree.content_hash}"
        return await self._started(SUMMARIZE_TREE, {"tree_id": tree.id}, key, order)

    async def _started(self, kind: AnyKind, given: JsonObject, content: str, order: Order) -> JobId:
        """The job of this content. One that has failed or was cancelled is run again, from the start; after one that
        completed, something else was there and is gone again, so another follows it."""
        key = content
        for _ in range(MOST_REPEATS):
            submission = Submission(
                kind, given, order.subject, idempotency_key=key, request_id=order.request_id, room=order.room
            )
            submitted = await self._queue.submit(submission)
            if submitted.new:
                return submitted.job_id
            state = await self._state(submitted.job_id)
            if state in (State.FAILED, State.CANCELLED):
                await self._run_again(submitted.job_id, order.room)
            if state not in (None, State.COMPLETED):
                return submitted.job_id
            key = f"{content}:{submitted.job_id}" if state else content
        raise QueueFull("This content came back too often in a row; try again in a while.")

    async def _state(self, job_id: JobId) -> State | None:
        """Where the job stands; None if it has expired just now."""
        try:
            return (await self._log.head(job_id)).state
        except JobNotFound:
            return None

    async def _run_again(self, job_id: JobId, room: Room) -> None:
        with suppress(NotTerminal, AlreadyCompleted):  # somebody else has done so just now
            await self._queue.retry(job_id, from_start=True, room=room)
