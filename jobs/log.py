"""A job's log: append under a lease, read after a cursor, and the snapshot that is the sum of it."""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from jobs import keys, snapshot
from jobs.connection import Client, Script, store_faults
from jobs.contents import Contents, Familiar, field_of
from jobs.encryption import Sealer
from jobs.errors import IntegrityError, JobEnded, JobNotFound, LeaseLost
from jobs.model import JobId, JsonObject, State
from jobs.snapshot import Story
from jobs.updates import Cursor, Entry

PAGE_ENTRIES = 500


@dataclass(frozen=True)
class Line:
    """One update on its way into the log, taken apart so that the store can fold what it never reads.

    `body` is the update as clients get it; `value` is the whole thing that it leaves behind (a part without its
    text, a step, the progress); `write` says what `text` does to a part's text (`+` adds, `=` replaces) or, for
    a step, that `text` is its result, to be kept. Of the `end`, whose update the store writes, `value` is the result,
    `text` the error and `body` the error's title."""

    event: str
    body: bytes = b""
    name: str = ""
    head: str = ""
    value: bytes = b""
    write: str = ""
    text: bytes = b""

    def arguments(self, contents: Contents) -> tuple[str | bytes, ...]:
        """As the store is given it: its body, value and text sealed."""
        head, body, value, text = self.head, self.body, self.value, self.text
        match self.event:
            case "send":
                pass  # sealed by who made it: the event is another's than the job's
            case "end":
                value, text = contents.seal("result", value), contents.seal("error", text)
                body = contents.seal("title", body)
            case _:
                head, body = contents.seal_head(self.name, head), contents.seal_update(self.event, body)
                value = contents.seal(field_of(self.event, self.name), value)
                text = contents.seal(field_of("kept" if self.event == "step" else "text", self.name), text)
        return self.event, self.name, head, body, value, self.write, text


def part_head(part: JsonObject) -> str:
    """What the store must know of a part to end its run: its state and, where it has ended, what proves its text."""
    if part["length"] is None:
        return str(part["state"])
    return f"{part['state']}|{part['length']}|{part['sha256']}"


@dataclass(frozen=True)
class Page:
    """What follows a cursor: the next entries, or all of them if `whole`; the bytes of all that follow, and what a
    snapshot would take."""

    entries: list[Entry]
    behind: int
    snapshot_size: int
    whole: bool


@dataclass(frozen=True)
class LogPage:
    """A page of the log as it is kept. `cursor` is where the next one begins; `reset`: something before it is
    missing; `closed`: the job has ended, and nothing follows."""

    entries: list[Entry]
    cursor: Cursor
    reset: bool
    closed: bool


@dataclass(frozen=True)
class Head:
    """The little of a job that decides who may see it, and whether there is anything to wait for."""

    kind: str
    subject: str | None
    state: State
    cursor: Cursor

    def ended_at(self, place: Cursor | None) -> bool:
        """Whether the newest run has ended, and whoever is at this place has heard it."""
        return self.state.terminal and place == self.cursor


class Log:
    """Every job's log in one store."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._familiar = Familiar(client.sealer)
        self._append = Script(client, "append")
        self._read = Script(client, "read")
        self._snapshot = Script(client, "snapshot")
        self._trim = Script(client, "trim")
        self._place = Script(client, "place")
        self._page = Script(client, "page")
        self._moved = Script(client, "moved")

    @property
    def sealer(self) -> Sealer:
        """What seals its contents."""
        return self._client.sealer

    async def append(
        self, job_id: JobId, lines: list[Line], *, token: str, flush: int, subject: str | None = None
    ) -> None:
        """Number, store, fold and announce the lines of the subject's job as one act; the same flush sent again
        changes nothing.

        Flushes are counted from 1 without gaps. LeaseLost where the token is not the lease's, or where the store
        has lost an earlier flush; JobEnded after the last update of the run."""
        contents = Contents(self._client.sealer, job_id, subject)
        arguments = [argument for line in lines for argument in line.arguments(contents)]
        answer = await self._append(job_id, token, flush, *arguments)
        match answer[0]:
            case b"APPENDED" | b"DUPLICATE":
                return
            case b"CLOSED":
                raise JobEnded("The job has ended; nothing more can be written to it.")
            case b"ROLLED_BACK":
                raise LeaseLost("The store has lost updates of this job; it goes on from what is left.")
        raise LeaseLost("Another worker holds the job, or nobody does any more.")

    async def read(self, job_id: JobId, after: Cursor, *, most: int = PAGE_ENTRIES) -> Page | None:
        """The page after the cursor; None where the log does not hold that place. JobNotFound when it is gone."""
        answer = await self._read(job_id, str(after), most)
        match answer[0]:
            case b"GONE":
                raise JobNotFound("The job was deleted or has expired.")
            case b"GAP":
                return None
        _, behind, size, rows, whole, subject = answer
        contents = self._familiar.learn(job_id, subject.decode() or None)
        entries = [_entry(row, contents) for row in rows]
        return Page(entries, behind=int(behind), snapshot_size=int(size), whole=bool(whole))

    async def head(self, job_id: JobId) -> Head:
        """The job at a glance; JobNotFound when there is none of that id."""
        with store_faults():
            fields = ["id", "kind", "subject", "state", "us", "seq"]
            held: list[Any] = await cast("Awaitable[list[Any]]", self._client.hmget(keys.job(job_id), fields))
        if held[0] is None:
            raise JobNotFound("No job has this id, or it has expired.")
        if held[0] != job_id.encode():
            raise IntegrityError("The store answered about another job.")
        _, kind, subject, state, us, seq = held
        cursor = Cursor(int(us), int(seq))
        contents = self._familiar.learn(job_id, subject.decode() or None)
        return Head(kind.decode(), contents.subject, State(state.decode()), cursor)

    async def page(self, job_id: JobId, after: Cursor | None, *, most: int) -> LogPage:
        """Up to `most` entries after the cursor, or from the oldest that is kept where the log cannot go on there."""
        reset, rows, newest, state, subject = await self._page(job_id, str(after or ""), most)
        if state == b"GONE":
            raise JobNotFound("No job has this id, or it has expired.")
        contents = self._familiar.learn(job_id, subject.decode() or None)
        entries = [_entry(row, contents) for row in rows]
        cursor = entries[-1].cursor if entries else after or Cursor(0, 0)
        closed = State(state.decode()).terminal and cursor == Cursor.parse(newest.decode())
        return LogPage(entries, cursor, reset=bool(reset), closed=closed)

    async def moved(self, places: Mapping[JobId, Cursor]) -> set[JobId]:
        """Which of the jobs are gone, or not at the newest place any more that is given for each."""
        words = [word for job_id, place in places.items() for word in (job_id, str(place))]
        return {JobId(each.decode()) for each in await self._moved(*words)}

    async def place(self, job_id: JobId, seq: int) -> Cursor | None:
        """The cursor of the update with that number, None where the log does not know it any more."""
        answer = await self._place(job_id, seq)
        return Cursor.parse(answer[1].decode()) if answer[0] == b"HELD" else None

    async def story(self, job_id: JobId) -> Story:
        """The whole job as of its newest update; JobNotFound when there is none of that id."""
        answer = await self._snapshot(job_id)
        if answer is None:
            raise JobNotFound("No job has this id, or it has expired.")
        told = snapshot.story(job_id, answer, self._client.sealer)
        self._familiar.learn(job_id, told.subject)
        return told

    def announced(self, job_id: JobId, message: bytes) -> tuple[bytes, Entry] | None:
        """The entry that the job's channel brought, and the place of the one before it; None where it cannot be
        opened, and the log is to be asked."""
        contents = self._familiar.known(job_id)
        try:
            return announced(message, contents) if contents else None
        except (ValueError, IntegrityError):
            return None

    async def trim_ended(self, *, most: int = 100) -> int:
        """Trim the logs of jobs that ended over a minute ago down to their end; how many it looked at."""
        return int(await self._trim(most))


def announced(message: bytes, contents: Contents | None = None) -> tuple[bytes, Entry]:
    """The entry that a channel's message carries, and the place of the one before it; without the job's contents it
    is as it was stored. ValueError for what no script of ours has written."""
    place, before, name, total, body = message.split(b"|", 4)
    event = name.decode()
    if b"-" not in before:
        raise ValueError("It was written by an older version.")
    if contents:
        body = contents.open_update(event, body)
    return before, Entry(place, event, int(total), body)


def _entry(row: Any, contents: Contents) -> Entry:
    cursor, fields = row
    held = dict(zip(fields[::2], fields[1::2], strict=True))
    event = held[b"event"].decode()
    body = contents.open_update(event, held[b"body"])
    return Entry(cursor, event, int(held[b"total"]), body)
