"""A job written by hand: one act, one flush, so that a test knows what every reader must hold then."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

import orjson
from pydantic import JsonValue

from jobs.kinds.chat import CHAT
from jobs.leases import Claim
from jobs.log import Line, part_head
from jobs.model import UNSET_PART, Failure, JobId, JsonObject, PartState, State, StepState
from jobs.updates import PartChanged, Progressed, StepChanged, Wrote, encode, one_line, utf16_length
from tests.jobs.doors import Doors

MOMENT = "2026-11-21T22:33:05.123Z"
FAILURE = Failure(type="provider-failed", title="No answer", detail="It fell silent.\u2028", retryable=True)


@dataclass
class Hand:
    """A worker that holds one job and does what it is told."""

    doors: Doors
    claim: Claim
    _parts: dict[str, JsonObject] = field(default_factory=dict)
    _progress: JsonObject = field(default_factory=dict)

    @property
    def running(self) -> list[str]:
        """The parts that are being written."""
        return [name for name, part in self._parts.items() if part["state"] == "running"]

    @property
    def known(self) -> list[str]:
        """Every part that was ever named."""
        return list(self._parts)

    async def write(self, *lines: Line) -> None:
        """Append the lines as one flush."""
        await self.doors.append(self.claim, *lines)

    def progress(self, **changes: Any) -> Line:
        self._progress |= changes
        return Line("progress", encode(Progressed(**changes)), value=one_line(orjson.dumps(self._progress)))

    def step(self, name: str, state: StepState) -> Line:
        finished = None if state == "running" else MOMENT
        step = StepChanged(name=name, state=state, attempt=1, started_at=MOMENT, finished_at=finished)
        body = encode(step)
        if state == "completed":
            return Line("step", body, name=name, value=body, write="=", text=b'"kept"')
        return Line("step", body, name=name, value=body)

    def expect(self, part: str) -> Line:
        """Name a part that is to be written later."""
        return self._change(part, dict(UNSET_PART), write="=")

    def begin(self, part: str) -> Line:
        """Start the part, or start it again with an empty text."""
        attempt = self._parts.get(part, UNSET_PART)["attempt"] + 1
        return self._change(part, UNSET_PART | {"state": "running", "attempt": attempt, "model": "m-1"}, write="=")

    def say(self, part: str, text: str) -> Line:
        before: str = self._parts[part]["text"]
        self._parts[part]["text"] = before + text
        body = encode(Wrote(part=part, text=text, at=utf16_length(before)))
        return Line("delta", body, name=part, write="+", text=text.encode())

    def note(self, part: str, **changes: Any) -> Line:
        """A provisional result, figures, or why a try failed."""
        return self._change(part, changes)

    def finish(self, part: str, state: PartState, **changes: Any) -> Line:
        text: str = self._parts[part]["text"]
        proof = {"length": utf16_length(text), "sha256": hashlib.sha256(text.encode()).hexdigest()}
        return self._change(part, {"state": state, **proof, **changes}, write="=", text=text.encode())

    def end(self, state: State, *, result: JsonValue = None, failure: Failure | None = None) -> Line:
        value = one_line(orjson.dumps(result)) if result is not None else b""
        error = one_line(failure.model_dump_json().encode()) if failure else b""
        return Line("end", name=failure.type if failure else "", head=state, value=value, text=error)

    def _change(self, part: str, changes: JsonObject, *, write: str = "", text: bytes = b"") -> Line:
        whole = self._parts[part] = {**self._parts.get(part, UNSET_PART), **changes}
        value = one_line(orjson.dumps({name: whole[name] for name in whole if name != "text"}))
        body = encode(PartChanged(part=part, **changes))
        return Line("part", body, name=part, head=part_head(whole), value=value, write=write, text=text)


async def take_in_hand(doors: Doors, job_id: str, *, token: str = "") -> Hand:
    """The job, claimed; no other may be due. It knows what earlier hands have left."""
    (claim,) = await doors.claim(token or f"hand-of-{job_id}", kinds=[CHAT])
    assert claim.job_id == JobId(job_id)
    snapshot = await doors.snapshot(claim.job_id)
    return Hand(doors, claim, snapshot["parts"], snapshot["progress"])


def story(hand: Hand, state: State = State.COMPLETED) -> list[Line]:
    """A whole run that shows every type of update, one line at a time."""
    lines = [
        hand.progress(message="Reading…", percent=1.5),
        hand.step("fetch", "running"),
        hand.begin("openai"),
        hand.step("fetch", "completed"),
        hand.say("openai", "naïve \U0001d11e "),
        hand.begin("google"),
        hand.say("google", "first try\u2028\r\n"),
        hand.say("openai", "\U0001f600"),
        hand.note("google", error=FAILURE.model_dump()),
        hand.begin("google"),
        hand.say("google", "second try \u0085"),
        hand.step("ask", "running"),
        hand.progress(percent=50, processed=7),
        hand.finish("openai", "completed", usage={"input_tokens": 1, "output_tokens": 2, "cost": None}, elapsed=0.5),
        hand.say("google", "\x00 and more"),
    ]
    if state is State.COMPLETED:
        lines.append(hand.finish("google", "failed", error=FAILURE.model_dump()))
    return [*lines, hand.end(state, result={"ok": "\u2029"}, failure=None if state is State.COMPLETED else FAILURE)]
