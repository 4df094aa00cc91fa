"""Logs as chat jobs write them, drawn at random, and what may be heard of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import orjson
from hypothesis import strategies as st

from jobs.model import UNSET_PART, JsonObject
from jobs.snapshot import Story
from jobs.updates import Cursor, Entry, fold, sha256, utf16_length
from service.feed import Told
from service.transports.dialects.reading import before_the_first

MOMENT = "2026-11-21T22:33:05.123Z"
JOB = "j" * 32
SNAPSHOT: JsonObject = {
    "id": JOB,
    "kind": "chat",
    "max_attempts": 1,
    "priority": 5,
    "subject": None,
    "metadata": {"colour": "red"},
    "created_at": MOMENT,
    "run_at": None,
}
FAILURE: JsonObject = {"type": "provider-failed", "title": "t", "detail": "It broke.", "retryable": False}
WORDS = ("one ", "naïve ", "𝄞", "\n", '"q"', "\u2028", "e\u0301")
PARTS = ("openai", "google")


@dataclass
class Tale:
    """A log in the making, and its snapshot after each entry; the first is the one before them all."""

    entries: list[Entry] = field(default_factory=list)
    snapshots: list[JsonObject] = field(default_factory=lambda: [before_the_first(SNAPSHOT)])

    @property
    def job(self) -> JsonObject:
        return self.snapshots[-1]

    @property
    def open(self) -> list[str]:
        return [name for name, part in self.job["parts"].items() if part["state"] == "running"]

    def write(self, event: str, data: JsonObject) -> None:
        cursor = Cursor(1000 + 7 * len(self.entries), len(self.entries) + 1)
        self.entries.append(Entry.at(cursor, event, 0, orjson.dumps(data)))
        self.snapshots.append(fold(self.job, event, data, cursor))

    def state(self, state: str) -> None:
        started = MOMENT if state == "running" else None
        told = {"state": state, "run": 1, "attempt": 1, "next_attempt_at": None, "started_at": started, "error": None}
        self.write("state", told)

    def begin(self, part: str) -> None:
        attempt = self.job["parts"].get(part, UNSET_PART)["attempt"] + 1
        self.write("part", {"part": part, **UNSET_PART, "state": "running", "attempt": attempt, "model": "m"})

    def say(self, part: str, text: str) -> None:
        self.write("delta", {"part": part, "text": text, "at": utf16_length(self.job["parts"][part]["text"])})

    def close(self, part: str, state: str) -> None:
        text = self.job["parts"][part]["text"]
        proof = {"length": utf16_length(text), "sha256": sha256(text)}
        error = FAILURE if state == "failed" else None
        usage = {"input_tokens": 3, "output_tokens": 4, "cost": None} if state == "completed" else None
        self.write("part", {"part": part, "state": state, "error": error, "usage": usage, **proof})

    def step(self, name: str, state: str) -> None:
        self.write("step", {"name": name, "state": state, "attempt": 1, "started_at": MOMENT, "finished_at": None})

    def end(self, state: str) -> None:
        ends = {"completed": "cancelled", "failed": "failed", "cancelled": "cancelled"}
        parts = {
            name: {
                "state": ends[state] if name in self.open else part["state"],
                "length": part["length"],
                "sha256": part["sha256"],
            }
            for name, part in self.job["parts"].items()
        }
        error = FAILURE if state == "failed" else None
        self.write(
            "end",
            {
                "state": state,
                "result": None,
                "error": error,
                "finished_at": MOMENT,
                "expires_at": MOMENT,
                "parts": parts,
            },
        )

    def told(self, place: int) -> Told:
        """The snapshot after so many entries, as a stream tells it."""
        return Told(Story(self.snapshots[place], None), "initial")

    @property
    def answers(self) -> list[str]:
        """What each part says in the end."""
        return [part["text"] for part in self.job["parts"].values()]


@st.composite
def tales(draw: st.DrawFn) -> Tale:
    """A job from its first update to its last."""
    tale = Tale()
    tale.state("queued")
    tale.state("running")
    for _ in range(draw(st.integers(0, 25))):
        act(tale, draw)
    tale.end(draw(st.sampled_from(["completed", "failed", "cancelled"])))
    return tale


def act(tale: Tale, draw: st.DrawFn) -> None:
    """One more update that a worker might write now."""
    part = draw(st.sampled_from(PARTS))
    closed = tale.job["parts"].get(part, UNSET_PART)["state"] in ("completed", "failed")
    match draw(st.sampled_from(["say", "say", "say", "begin", "close", "step", "lost", "progress"])):
        case "begin" if not closed:
            tale.begin(part)
        case "say" if part in tale.open:
            tale.say(part, draw(st.sampled_from(WORDS)) * draw(st.integers(1, 3)))
        case "close" if part in tale.open:
            tale.close(part, draw(st.sampled_from(["completed", "failed"])))
        case "step":
            tale.step("think", draw(st.sampled_from(["running", "completed"])))
        case "lost":
            tale.state("running")
        case "progress":
            tale.write("progress", {"percent": 1.0})


def in_batches(entries: Sequence[Entry], size: int) -> Iterator[list[Entry]]:
    """The entries as a stream may hear them."""
    for start in range(0, len(entries), size):
        yield list(entries[start : start + size])
