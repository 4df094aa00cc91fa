"""`submit`: a job handed to the service."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import typer

from jobstream.client import AsyncClient, Job
from jobstream.command import asks
from jobstream.commands.watch import Seconds, follow
from jobstream.exits import Exit, exit_of_job
from jobstream.following import beginning
from jobstream.given import Pair, kinds_that_begin, read_input, read_moment, read_pair
from jobstream.pages import show_job
from jobstream.terminal import Terminal
from jobstream.updates import show_update


@asks
async def submit(
    service: AsyncClient,
    terminal: Terminal,
    *,
    kind: Annotated[str, typer.Argument(help="The kind of job.", autocompletion=kinds_that_begin, metavar="KIND")],
    given: Annotated[
        Mapping[str, Any],
        typer.Option(
            "--input",
            help="What it is given: JSON, @FILE, or @- for standard input.",
            parser=read_input,
            metavar="JSON",
        ),
    ],
    watch: Annotated[bool, typer.Option("--watch", help="Watch it to its end.")] = False,
    wait: Annotated[
        int | None,
        typer.Option(help="Hold the answer until it has ended, 120 s at most.", min=1, max=120, metavar="SECONDS"),
    ] = None,
    seconds: Seconds = None,
    priority: Annotated[int | None, typer.Option(help="0 to 10, the most urgent.", min=0, max=10)] = None,
    delay: Annotated[float | None, typer.Option(help="Not before so many seconds.", min=0, metavar="SECONDS")] = None,
    run_at: Annotated[
        datetime | None, typer.Option(help="Not before this moment.", parser=read_moment, metavar="MOMENT")
    ] = None,
    subject: Annotated[str | None, typer.Option(help="Whose job it is.")] = None,
    idempotency_key: Annotated[
        str | None, typer.Option(help="The same key and input: the same job.", metavar="KEY")
    ] = None,
    metadata: Annotated[
        list[Pair] | None,
        typer.Option(help="A note to keep with it; may be repeated.", parser=read_pair, metavar="NAME=VALUE"),
    ] = None,
    webhook: Annotated[str | None, typer.Option(help="Where to tell of its end.", metavar="URL")] = None,
) -> Exit:
    """Submit a job. Prints its id; with --watch or --wait what comes of it.

    It is sent again where the reply is lost, and exactly one job comes of it."""
    if watch and wait is not None:
        raise typer.BadParameter("--watch and --wait exclude each other", param_hint="--wait")
    job = await service.submit(
        kind,
        given,
        priority=priority,
        delay=delay,
        run_at=run_at,
        subject=subject,
        wait=wait,
        idempotency_key=idempotency_key,
        metadata=dict(metadata) if metadata else None,
        webhook=webhook,
    )
    if watch:
        if terminal.as_json:
            show_update(terminal, job.id, beginning(job))
        return await follow(service, terminal, [job], seconds=seconds)
    if wait is not None:
        return _answered(terminal, job)
    if terminal.as_json:
        terminal.tell(job.snapshot)
    else:
        terminal.show(job.id)
        terminal.note(f"It is {job.state}. Watch it with: jobstream watch {job.id}")
    return Exit.DONE


def _answered(terminal: Terminal, job: Job) -> Exit:
    """What became of it in the time that it was given."""
    show_job(terminal, job)
    return exit_of_job(job) if job.ended else Exit.TIMED_OUT
