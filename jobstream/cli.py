"""The `jobstream` command."""

import argparse
import asyncio
import io
import signal
import sys
from collections.abc import Coroutine
from typing import Any, TextIO

from rich.console import Console
from rich.text import Text

from jobstream.client import JobstreamError
from jobstream.client.surroundings import environment
from jobstream.demo import PROMPT, demo

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> None:
    """Do what the command line says; exits 1 with a sentence where that failed, 128 + n where signal n stopped it."""
    arguments = _parser().parse_args()
    output, complaints = _console(sys.stdout), _console(sys.stderr)
    try:
        sys.exit(asyncio.run(_until_stopped(demo(arguments.prompt, environment(), output))))
    except JobstreamError as error:
        complaints.print(Text(str(error), "bold red"), soft_wrap=True)
        for note in getattr(error, "__notes__", ()):
            complaints.print(Text(note), soft_wrap=True)
        sys.exit(1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="jobstream", description="Live results for long-running AI work.")
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("demo", help="ask three providers at once and watch their answers grow")
    command.add_argument("--prompt", default=PROMPT, help="what to ask (default: %(default)s)")
    return parser


def _console(file: TextIO) -> Console:
    """A console on the file that prints what it can: a model may use characters that not every output knows."""
    if isinstance(file, io.TextIOWrapper):
        file.reconfigure(errors="replace")
    return Console(file=file, highlight=False)


async def _until_stopped(work: Coroutine[Any, Any, None]) -> int:
    """The exit code: 0 when the work is done; after a signal it is left in order, and the code tells which."""
    task = asyncio.ensure_future(work)
    stops: list[int] = []

    def stop(number: int) -> None:
        stops.append(number)
        if len(stops) == 1:  # a second cancel would disturb what the first one has to tidy up
            task.cancel()

    for number in STOPS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            asyncio.get_running_loop().add_signal_handler(number, stop, number)
    try:
        await task
    except asyncio.CancelledError:
        if not stops:  # the loop itself ends: nobody reads on
            raise
        return 128 + stops[0]
    return 0
