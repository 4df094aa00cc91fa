"""`doctor`: what is misconfigured, and how to mend it."""

import asyncio
import os
from collections.abc import Iterable
from typing import Annotated

import typer
from dotenv import dotenv_values
from rich.text import Text

from jobstream.client import AsyncClient, JobstreamError, RequestRefused, Unauthorized
from jobstream.command import asks
from jobstream.examinations import examine_rooms
from jobstream.exits import Exit
from jobstream.findings import Finding
from jobstream.printable import on_one_line
from jobstream.terminal import Terminal
from jobstream.variables import unread

ANSWER_SECONDS = 8.0
RUNNING = frozenset({"no-worker", "service-unreachable", "store-unreachable"})
"""What can only be found well while the product runs."""


@asks
async def doctor(
    service: AsyncClient,
    terminal: Terminal,
    *,
    before_start: Annotated[
        bool, typer.Option("--before-start", help="Leave out what is only there while the product runs.")
    ] = False,
) -> Exit:
    """Find what is misconfigured here, and say how to mend it.

    Looks at the environment and .env of this folder as the processes would that are started in it, at the store, and
    at the service. Nothing is changed, and no secret shown. Each finding has a code that stays."""
    async with asyncio.TaskGroup() as tasks:
        rooms = tasks.create_task(examine_rooms())
        client = tasks.create_task(_wrong_with_client(service))
    read = {name for room in rooms.result() for name in room.variables}
    all_known = all(room.variables for room in rooms.result())
    mistyped = unread(read, written=dotenv_values(".env"), inherited=os.environ) if all_known else ()
    found = [*(each for room in rooms.result() for each in room.findings), *mistyped, *client.result()]
    told = [finding for finding in dict.fromkeys(found) if not (before_start and finding.code in RUNNING)]
    _tell(terminal, told)
    return Exit.MISCONFIGURED if told else Exit.DONE


async def _wrong_with_client(service: AsyncClient) -> list[Finding]:
    """Whether the service answers a client of these settings."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await service.kinds()
    except Unauthorized:
        detail = "The service does not take the credential that clients have here"
        mend = "set JOBSTREAM_TOKEN, or BACKGROUND_FUNCTION_AUTH_TOKEN, to the secret of the service"
        return [Finding(code="credential-refused", detail=detail, mend=mend)]
    except RequestRefused as error:
        return [Finding(code="service-troubled", detail=on_one_line(error), mend="see what the service logs")]
    except (JobstreamError, TimeoutError):
        detail = "No service answers where clients look for it"
        mend = "start it (jobstream serve), or set JOBSTREAM_URL"
        return [Finding(code="service-unreachable", detail=detail, mend=mend)]
    return []


def _tell(terminal: Terminal, found: Iterable[Finding]) -> None:
    if terminal.as_json:
        terminal.tell({"findings": [finding.model_dump() for finding in found]})
        return
    for finding in found:
        terminal.show(Text.assemble((finding.code, "bold red"), f": {finding.detail}."))
        terminal.show(Text(f"    {finding.mend}"))
    if not found:
        terminal.show(Text("Nothing is misconfigured.", "green"))
