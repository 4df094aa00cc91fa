"""`serve`, `worker` and `demo`: the product's own processes."""

import os
import sys
from collections.abc import Mapping
from typing import Annotated, NoReturn

import typer

from jobstream.client.surroundings import environment
from jobstream.command import command
from jobstream.demo import PROMPT
from jobstream.demo import demo as run_demo
from jobstream.exits import Exit
from jobstream.terminal import Terminal

SERVICE = ("-m", "service")
WORKER = ("-m", "arq", "workers.main.WorkerSettings")


def serve(
    *,
    host: Annotated[
        str | None, typer.Option(help="The address to listen at.", show_default="HOST, 127.0.0.1")
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="The port to listen at.", show_default="PORT, 8888", min=0, max=65535)
    ] = None,
) -> None:
    """Be the API process, as `python -m service` is: its settings, its signals, its exit codes."""
    become(SERVICE, HOST=host, PORT=port)


def worker(
    *,
    slots: Annotated[
        int | None, typer.Option(help="How many jobs at once.", show_default="JOBSTREAM_SLOTS, 50", min=1)
    ] = None,
) -> None:
    """Be a worker, as `arq workers.main.WorkerSettings` is: its settings, its signals, its exit codes."""
    become(WORKER, JOBSTREAM_SLOTS=slots)


@command
async def demo(terminal: Terminal, *, prompt: Annotated[str, typer.Option(help="What to ask.")] = PROMPT) -> Exit:
    """Ask three providers at once and watch their answers grow, on a product started for this alone."""
    await run_demo(prompt, environment(), terminal.output)
    return Exit.DONE


def become(arguments: tuple[str, ...], **settings: object) -> NoReturn:
    """Put the program in this process's place: it hears each signal itself, and its exit code is the only one.

    Nothing of the folder that we are in is imported in place of ours (-P)."""
    given: Mapping[str, str] = {name: str(value) for name, value in settings.items() if value is not None}
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, [sys.executable, "-P", *arguments], os.environ | given)  # noqa: S606  # our own programs
