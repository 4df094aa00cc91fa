"""A job as the acts that its listeners care about: drafts open, grow and close, steps begin and end, the run ends.

The acts are the difference between what was told and what is true now, so that a single update, a whole log and a
snapshot in the place of updates that are gone lead a listener to the same."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import orjson

from jobs.model import TERMINAL, JsonObject
from jobs.updates import Entry, fold
from service.feed import Told

OPEN = "running"


class Draft(NamedTuple):
    """One try of one part: a provider that is asked again writes another. `place` counts the drafts of the run."""

    part: str
    attempt: int
    place: int


class Began(NamedTuple):
    """A run is there to be told; nothing of it was told before."""


class Started(NamedTuple):
    """A worker has picked the run up, for the first time that the listener hears of."""


class Opened(NamedTuple):
    """A draft begins, empty."""

    draft: Draft


class Wrote(NamedTuple):
    """The draft grew by this text."""

    draft: Draft
    text: str


class Dropped(NamedTuple):
    """The draft, which said this, is void: another one takes its place."""

    draft: Draft
    text: str


class Closed(NamedTuple):
    """The draft is all that its part will say in this run; `whole` unless it was broken off."""

    draft: Draft
    text: str
    whole: bool


class StepBegan(NamedTuple):
    """A step of this name goes on from here."""

    name: str


class StepEnded(NamedTuple):
    """The step is over, well or not."""

    name: str


class Ended(NamedTuple):
    """The run is over; how, the job says."""


Act = Began | Started | Opened | Wrote | Dropped | Closed | StepBegan | StepEnded | Ended


@dataclass(frozen=True)
class Chapter:
    """What one update adds: its number, the job after it, and its acts; `whole` where a snapshot tells it."""

    seq: int
    job: JsonObject
    acts: Sequence[Act]
    whole: bool = False


@dataclass
class _Written:
    """What was told of a part: its newest draft, what that says, and whether it may still grow."""

    draft: Draft
    text: str
    open: bool


class Teller:
    """Turns what is heard of a job into chapters. `job` is the snapshot before the first update, where it starts
    with one; runs before `run` are heard, and not told."""

    def __init__(self, job: JsonObject | None = None, *, run: int = 1) -> None:
        self._job = job
        self._first_run = run
        self._begun = False
        self._started = False
        self._drafts = 0
        self._written: dict[str, _Written] = {}
        self._steps: dict[str, int] = {}

    def hear(self, item: Told | list[Entry]) -> Iterator[Chapter]:
        """The chapters that the item adds."""
        if isinstance(item, Told):
            yield self._chapter(item.story.before_end, whole=True)
            return
        for entry in item:
            if self._job is None:
                raise ValueError("an update came before the snapshot that it changes")
            yield self._chapter(fold(self._job, entry.event, orjson.loads(entry.body), entry.cursor))

    def _chapter(self, job: JsonObject, *, whole: bool = False) -> Chapter:
        self._job = job
        acts = [*self._acts(job)] if job["run"] >= self._first_run else []
        return Chapter(job["seq"], job, acts, whole)

    def _acts(self, job: JsonObject) -> Iterator[Act]:
        if not self._begun:
            self._begun = True
            yield Began()
        if not self._started and job["started_at"] is not None and job["state"] != "queued":
            self._started = True
            yield Started()
        yield from self._of_steps(job["steps"])
        for name, part in job["parts"].items():
            yield from self._of_part(name, part)
        if job["state"] in TERMINAL:
            yield Ended()

    def _of_steps(self, steps: Sequence[JsonObject]) -> Iterator[Act]:
        for step in steps:
            name, attempt = step["name"], step["attempt"]
            if name in self._steps and (step["state"] != OPEN or attempt != self._steps[name]):
                del self._steps[name]
                yield StepEnded(name)
            if step["state"] == OPEN and name not in self._steps:
                self._steps[name] = attempt
                yield StepBegan(name)

    def _of_part(self, name: str, part: JsonObject) -> Iterator[Act]:
        written = self._written.get(name)
        if written and not _goes_on(written, part):
            del self._written[name]
            if written.open:
                yield Dropped(written.draft, written.text)
            written = None
        if written is None:
            if part["state"] == "pending" or not part["attempt"]:
                return
            written = self._written[name] = _Written(Draft(name, part["attempt"], self._drafts), "", open=True)
            self._drafts += 1
            yield Opened(written.draft)
        if not written.open:
            return
        if text := part["text"][len(written.text) :]:
            written.text = part["text"]
            yield Wrote(written.draft, text)
        if part["state"] != OPEN:
            written.open = False
            yield Closed(written.draft, written.text, part["state"] == "completed")


def _goes_on(written: _Written, part: JsonObject) -> bool:
    """Whether the part still is the draft that was told, or what follows from it."""
    text: str = part["text"]
    return part["state"] != "pending" and part["attempt"] == written.draft.attempt and text.startswith(written.text)
