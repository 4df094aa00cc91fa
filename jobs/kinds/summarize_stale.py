"""`summarize-stale`: every session and tree of everybody that is stale, batch by batch; the clock starts it."""

from typing import Annotated

from pydantic import Field, JsonValue

from jobs.errors import DoNotRetry
from jobs.kind import DAY_SECONDS, HOUR_SECONDS, Child, ChildEnd, Kind, Run
from jobs.kinds.summarize_session import SUMMARIZE_SESSION
from jobs.kinds.summarize_tree import SUMMARIZE_TREE
from jobs.model import State, Value
from jobs.summarized import Stale, What

BATCH = 50


class NightInput(Value):
    """Nothing is asked."""


class BatchInput(Value):
    """A stretch of an index: up to `BATCH` that became stale in (after, until]."""

    what: What
    after: Annotated[int, Field(ge=0)]
    until: Annotated[int, Field(ge=0)]


class Batch(Value):
    """The ids of what is stale there, each with its subject."""

    items: list[tuple[str, str | None]]
    next: int | None


class BatchDone(Value):
    """How a batch's jobs ended, and where the next begins, if there is one."""

    completed: int
    failed: int
    next: int | None


async def perform_night(run: Run, _given: NightInput) -> JsonValue:
    """How many jobs completed and failed; sessions come first, since trees are made of them."""
    sessions = await _pass(run, "session")
    trees = await _pass(run, "tree")
    return {"sessions": sessions, "trees": trees}


async def _pass(run: Run, what: What) -> dict[str, JsonValue]:
    """What was stale when the pass began, batch after batch, until there is no more or a whole batch failed: then
    what fails is not the batch, and the next night is soon enough."""
    until = await run.step(f"{what}s until", run.sessions.now)
    after: int | None = 0
    completed = failed = batches = 0
    while after is not None:
        given: dict[str, JsonValue] = {"what": what, "after": after, "until": until}
        (end,) = await run.children(f"{what}s {batches}", [Child(SUMMARIZE_BATCH.name, given)])
        done = _done(end)
        completed, failed, batches = completed + done.completed, failed + done.failed, batches + 1
        after = done.next if done.completed or not done.failed else None
        await run.progress(message=f"{completed} of the {what}s are summarised.")
    return {"completed": completed, "failed": failed}


def _done(end: ChildEnd) -> BatchDone:
    if end.state != State.COMPLETED:
        raise DoNotRetry("A batch could not be started; what is stale waits for the next night.")
    return BatchDone.model_validate(end.result)


async def perform_batch(run: Run, given: BatchInput) -> JsonValue:
    """Each of the batch as a job of its own subject; nothing that is made of it is kept here."""

    async def look() -> JsonValue:
        found = await run.sessions.stale(given.what, after=given.after, until=given.until, most=BATCH)
        return {"items": [[each.id, each.subject] for each in found.items], "next": found.next}

    batch = Batch.model_validate(await run.step("look", look))
    kind, field = (SUMMARIZE_SESSION, "session_id") if given.what == "session" else (SUMMARIZE_TREE, "tree_id")
    children = [Child(kind.name, {field: its_id}, subject=subject, told=False) for its_id, subject in batch.items]
    ends = await run.children("summaries", children)
    failed = [Stale(*item) for item, end in zip(batch.items, ends, strict=True) if end.state != State.COMPLETED]
    for each in failed:  # what fails every night must not keep the others from their turn
        await run.sessions.postpone(given.what, each)
    return BatchDone(completed=len(ends) - len(failed), failed=len(failed), next=batch.next).model_dump()


SUMMARIZE_BATCH = Kind(
    name="summarize-batch",
    input=BatchInput,
    perform=perform_batch,
    summary="Some of what is stale.",
    retention_seconds=HOUR_SECONDS,
    failed_retention_seconds=DAY_SECONDS,
)

SUMMARIZE_STALE = Kind(
    name="summarize-stale",
    input=NightInput,
    perform=perform_night,
    summary="Every session and tree that is stale.",
    retention_seconds=7 * DAY_SECONDS,
)
