"""`python -m bench.delivery.publisher HOW ADDRESS CHANNELS`: writes updates at a rate; commands come as lines.

`fresh COUNT` begins the first COUNT channels anew, `warm` tells each of them once, `run RATE SECONDS` writes so many
updates a second, to one channel after the other. Each is answered by a line of JSON when all is taken."""

import json
import sys
import time
from pathlib import Path

from bench.delivery.forms import Announce, Append, Form, Leased, Post, Publish
from bench.delivery.pipeline import BURST, Pipeline

TICK_SECONDS = 0.001


class Publisher:
    """Numbers each channel's updates from 1, and keeps to its rate."""

    def __init__(self, pipeline: Pipeline, form: Form) -> None:
        self._pipeline = pipeline
        self._form = form
        self._seqs: list[int] = []
        self._next = 0

    def fresh(self, count: int) -> dict[str, object]:
        """Begin the channels anew."""
        self._seqs, self._next = [0] * count, 0
        self._send([request for channel in range(count) if (request := self._form.begin(channel))])
        return {}

    def warm(self) -> dict[str, object]:
        """Tell each channel something that does not count."""
        now = time.monotonic_ns()
        self._send([self._form.update(channel, 0, now) for channel in range(len(self._seqs))])
        return {}

    def run(self, rate: float, seconds: float) -> dict[str, object]:
        """So many a second, as evenly as the clock lets; where the other side is slower, so are we."""
        total, sent, began, cpu = max(1, round(rate * seconds)), 0, time.monotonic(), time.process_time()
        while sent < total:
            due = min(total, int((time.monotonic() - began) * rate) + 1, sent + BURST)
            if due > sent:
                self._pipeline.send([self._update() for _ in range(due - sent)])
                sent = due
            else:
                time.sleep(
                    max(TICK_SECONDS, (sent + 1) / rate - (time.monotonic() - began)) if rate < 500 else TICK_SECONDS
                )
        self._pipeline.settle()
        return {"sent": sent, "seconds": time.monotonic() - began, "cpu_seconds": time.process_time() - cpu}

    def _update(self) -> bytes:
        channel = self._next
        self._next = (channel + 1) % len(self._seqs)
        self._seqs[channel] += 1
        return self._form.update(channel, self._seqs[channel], time.monotonic_ns())

    def _send(self, requests: list[bytes]) -> None:
        for first in range(0, len(requests), BURST):
            self._pipeline.send(requests[first : first + BURST])
        self._pipeline.settle()


def _form(how: str, file: Path) -> Form:
    channels = file.read_text().split()
    match how:
        case "append":
            return Append([Leased.parse(channel) for channel in channels])
        case "announce":
            return Announce([Leased.parse(channel) for channel in channels])
        case "post":
            return Post(channels)
    return Publish(channels)


def main() -> None:
    """Obey until the input ends."""
    how, address, channels = sys.argv[1:]
    form = _form(how, Path(channels))
    publisher = Publisher(Pipeline(address, form), form)
    for command in sys.stdin:
        match command.split():
            case ["fresh", count]:
                answer = publisher.fresh(int(count))
            case ["warm"]:
                answer = publisher.warm()
            case ["run", rate, seconds]:
                answer = publisher.run(float(rate), float(seconds))
            case _:
                raise SystemExit(f"{command!r} is no command")
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
