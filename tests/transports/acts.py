"""Stories of jobs as hypothesis tells them: any acts in any order, written by whoever holds the job."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from hypothesis import strategies as st
from pydantic import JsonValue

from jobs.log import Line
from jobs.model import PartState, State
from tests.transports.hand import FAILURE, Hand

NASTY = (
    "",
    "\u2028",
    "\u2029\u0085",
    "\r\n\r\ndata: x",
    "\x00",
    "\ufeff",
    "\U0001f600",
    "e\u0301",
    '"\\',
    "id: 1-1\n\n",
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(NASTY)
PARTS = st.sampled_from(["openai", "google"])
ENDED: st.SearchStrategy[PartState] = st.sampled_from(["completed", "failed"])
ENDS = st.sampled_from([State.COMPLETED, State.FAILED, State.CANCELLED])


@dataclass(frozen=True)
class Act:
    """What a job does next, and how it is told; `line` gives None where the job cannot do that now."""

    told: str
    line: Callable[[Hand], Line | None]

    def __repr__(self) -> str:
        return self.told


def _of_part(part: str, told: str, line: Callable[[Hand], Line]) -> Act:
    return Act(f"{part} {told}", lambda hand: line(hand) if part in hand.running else None)


def _say(part: str, text: str) -> Act:
    return _of_part(part, f"says {text!r}", lambda hand: hand.say(part, text))


def _note(part: str, result: object) -> Act:
    return _of_part(part, f"has {result!r}", lambda hand: hand.note(part, result=result, usage={"tokens": 1}))


def _try_again(part: str) -> Act:
    return _of_part(part, "failed a try", lambda hand: hand.note(part, error=FAILURE.model_dump()))


def _finish(part: str, how: PartState) -> Act:
    return _of_part(part, how, lambda hand: hand.finish(part, how, error=None, elapsed=0.25))


def _begin(part: str) -> Act:
    return Act(f"{part} begins", lambda hand: hand.begin(part))


def _expect(part: str) -> Act:
    return Act(f"{part} expected", lambda hand: None if part in hand.known else hand.expect(part))


def _progress(percent: int, message: str) -> Act:
    return Act(f"{percent} %, {message!r}", lambda hand: hand.progress(percent=percent, message=message, errors=1))


def _step(name: str, state: str) -> Act:
    return Act(f"{name} {state}", lambda hand: hand.step(name, state))  # type: ignore[arg-type]  # one of the three


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
ACTS = st.one_of(
    st.builds(_expect, PARTS),
    st.builds(_begin, PARTS),
    st.builds(_say, PARTS, TEXT),
    st.builds(_say, PARTS, TEXT),
    st.builds(_note, PARTS, JSON),
    st.builds(_try_again, PARTS),
    st.builds(_finish, PARTS, ENDED),
    st.builds(_progress, st.integers(0, 100), TEXT),
    st.builds(_step, st.sampled_from(["fetch", "ask"]), st.sampled_from(["running", "completed", "failed"])),
)
FLUSHES = st.lists(st.lists(ACTS, min_size=1, max_size=3), min_size=1, max_size=5)
"""What happens, flush by flush."""

Turn = Literal["lost", "handed back", "tried again", "slept"]
TURNS: st.SearchStrategy[Turn] = st.sampled_from(["lost", "handed back", "tried again", "slept"])
"""How a worker's hold on the job ends, and another's begins."""


@dataclass(frozen=True)
class RolledBack:
    """The store loses these flushes again, and another worker goes on from before them."""

    flushes: list[list[Act]]


Chapter = list[list[Act]] | Turn | RolledBack
CHAPTERS = st.lists(FLUSHES | TURNS | st.builds(RolledBack, FLUSHES), min_size=1, max_size=4)


@dataclass(frozen=True)
class Life:
    """One run, how it ends, and how the next one is asked for; `again` names the parts, or from where."""

    chapters: list[Chapter]
    end: State
    result: JsonValue
    again: Literal["kept", "start", "openai", "google"]


AGAIN = st.sampled_from(["kept", "start", "openai", "google"])
LIVES = st.lists(st.builds(Life, CHAPTERS, ENDS, JSON, AGAIN), min_size=1, max_size=3)
"""All that happens to a job, run by run."""
