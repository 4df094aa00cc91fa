"""The contract of a command: what each of them can be told, and what becomes of how it ends."""

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Any

import typer

from jobstream.client import AsyncClient, JobstreamError
from jobstream.client.surroundings import URL, environment, service_url
from jobstream.errors import Misconfigured, NobodyReads
from jobstream.exits import Exit, exit_of_error
from jobstream.given import read_url
from jobstream.options import ASKED, SAID, AsJson, NoColor, Token, Url
from jobstream.stopping import until_stopped
from jobstream.terminal import Terminal

Work = Callable[..., Coroutine[Any, Any, Exit]]


def command(work: Work) -> Callable[..., None]:
    """The command line's form of work that needs a terminal: it does the work, and exits with what that came to."""

    def run(given: dict[str, Any], context: typer.Context) -> int:
        said = _taken(given, context, SAID)
        terminal = Terminal(as_json=said["as_json"], colored=not said["no_color"])
        return _ended(terminal, lambda: work(terminal, **given))

    return _with_options(work, 1, SAID, run)


def asks(errand: Work) -> Callable[..., None]:
    """The command line's form of an errand to the service: it opens a client of it, and is a command in all else."""

    def run(given: dict[str, Any], context: typer.Context) -> int:
        said = _taken(given, context, ASKED)
        terminal = Terminal(as_json=said["as_json"], colored=not said["no_color"])

        async def work() -> int:
            async with AsyncClient(said["url"] or _known_url(), said["token"]) as client:
                return await errand(client, terminal, **given)

        return _ended(terminal, work)

    return _with_options(errand, 2, ASKED, run)


def hear_options(
    context: typer.Context,
    *,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
    no_color: NoColor = False,
) -> None:
    """What was said before the command's name holds for the command, where it says nothing else."""
    before = context.obj or {}
    heard = {"url": url, "token": token, "as_json": as_json, "no_color": no_color}
    context.obj = {name: value or before.get(name) for name, value in heard.items()}


def _with_options(
    work: Callable[..., Any], own: int, options: dict[str, Any], run: Callable[[dict[str, Any], typer.Context], int]
) -> Callable[..., None]:
    """A function with the parameters of the work, but for its first ones, and those of the options."""

    @wraps(work)
    def wrapped(context: typer.Context, **given: Any) -> None:
        raise typer.Exit(run(given, context))

    parameters = list(signature(work).parameters.values())[own:]
    optional = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=False if name in SAID else None, annotation=annotation)
        for name, annotation in options.items()
    ]
    context = Parameter("context", Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    wrapped.__signature__ = Signature([context, *parameters, *optional])  # type: ignore[attr-defined]
    wrapped.__annotations__ = {each.name: each.annotation for each in (context, *parameters, *optional)}
    return wrapped


def _taken(given: dict[str, Any], context: typer.Context, names: dict[str, Any]) -> dict[str, Any]:
    """These options, out of what was given to the command, else to what stands before it."""
    before = context.obj or {}
    return {name: given.pop(name) or before.get(name) for name in names}


def _ended(terminal: Terminal, work: Callable[[], Coroutine[Any, Any, int]]) -> int:
    """The exit code of the work; an error is told once, here."""
    try:
        return asyncio.run(until_stopped(work()))
    except JobstreamError as error:
        terminal.complain(error)
        return exit_of_error(error)
    except NobodyReads:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python would complain as it ends
        return Exit.FAILED


def _known_url() -> str:
    url = service_url(environment())
    try:
        return read_url(url)
    except typer.BadParameter as error:
        raise Misconfigured(f"{URL} is no URL: {error.message}.") from None
