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
- `error`: after a few pieces the format's own error event ends the stream; a 500 if it isn't streamed.

With `x` and a number, `429x2`, it hits only so many requests of the same model and prompt; later ones work.
"""

import re
from dataclasses import dataclass
from typing import Literal, cast

Break = Literal["silent", "cut", "eof", "stall", "malformed", "error"]

_WORD = re.compile(r"(?P<name>slow|silent|cut|eof|stall|malformed|error|[45]\d\d)(?:x(?P<times>\d{1,9}))?")


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one request; nothing unless said."""

    slow: bool = False
    status: int | None = None
    breaks: Break | None = None


def fault_in(model: str, *, nth: int) -> Fault:
    """The fault that a model's name asks for at the nth request (from 1) of one prompt."""
    words = (_WORD.fullmatch(word) for word in re.split("[-:]", model))
    names = [word["name"] for word in words if word and nth <= int(word["times"] or nth)]
    statuses = [int(name) for name in names if name.isdigit()]
    breaks = [cast(Break, name) for name in names if name != "slow" and not name.isdigit()]
    return Fault(slow="slow" in names, status=next(iter(statuses), None), breaks=next(iter(breaks), None))
