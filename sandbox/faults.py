"""Faults that a request asks for by the name of its model.

The name is split at `-` and `:`; each of these words in it is a fault, `gpt-sandbox:429`, `claude-slow-cut`.

- `slow`: five times slower;
- `429`, `500`, `529`, any 4xx or 5xx: that status and the provider's error body, and with 429, 503 and 529
  `Retry-After: 1`;
- `silent`: the request is taken, and not a byte comes back;
- `cut`: after a few pieces the connection is closed;
- `eof`: after a few pieces the body ends cleanly, without the format's terminal marker;
- `stall`: after a few pieces nothing more comes, until the client leaves or the server stops;
- `malformed`: after a few pieces one frame is broken JSON, then the answer goes on;
- `error`: after a few pieces the format's own error event ends the stream; a 500 if it isn't streamed;
- `misfit`: an answer that was asked for by a schema is JSON, but not of that schema.

With `x` and a number, `429x2`, it hits only so many requests of the same model and prompt; later ones work. A
`misfitx1` hits only the first answer of a conversation: a model that is told of it does better.
"""

import re
from dataclasses import dataclass
from typing import Literal, cast

Break = Literal["silent", "cut", "eof", "stall", "malformed", "error"]

_WORD = re.compile(r"(?P<name>slow|misfit|silent|cut|eof|stall|malformed|error|[45]\d\d)(?:x(?P<times>\d{1,9}))?")

_NO_BREAKS = ("slow", "misfit")


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one request; nothing unless said."""

    slow: bool = False
    status: int | None = None
    breaks: Break | None = None
    misfits: bool = False


def fault_in(model: str, *, nth: int, nth_answer: int = 1) -> Fault:
    """The fault that a model's name asks for at the nth request (from 1) of one prompt, and the nth answer in its
    conversation."""
    words = [word for word in map(_WORD.fullmatch, re.split("[-:]", model)) if word]
    counts = [(word["name"], nth_answer if word["name"] == "misfit" else nth, word["times"]) for word in words]
    names = [name for name, count, times in counts if count <= int(times or count)]
    statuses = [int(name) for name in names if name.isdigit()]
    breaks = [cast(Break, name) for name in names if name not in _NO_BREAKS and not name.isdigit()]
    return Fault(
        slow="slow" in names,
        status=next(iter(statuses), None),
        breaks=next(iter(breaks), None),
        misfits="misfit" in names,
    )
