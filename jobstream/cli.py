"""The `jobstream` command."""

import typer

from jobstream.command import hear_options
from jobstream.commands import dead_letters, doctor, jobs, processes, submit, watch
from jobstream.exits import Exit
from jobstream.options import TAKES_IDS

EPILOG = "Exit codes: " + "; ".join(f"{code.value} {code.meaning}" for code in Exit) + "; 128 + n: ended by signal n."

app = typer.Typer(
    help="Live results for long-running AI work.",
    epilog=EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.callback()(hear_options)
app.command("submit")(submit.submit)
app.command("watch", context_settings=TAKES_IDS)(watch.watch)
app.command("list")(jobs.list_jobs)
app.command("show", context_settings=TAKES_IDS)(jobs.show)
app.command("cancel", context_settings=TAKES_IDS)(jobs.cancel)
app.command("retry", context_settings=TAKES_IDS)(jobs.retry)
app.add_typer(dead_letters.commands, name="dead-letters")
app.command("serve")(processes.serve)
app.command("worker")(processes.worker)
app.command("demo")(processes.demo)
app.command("doctor")(doctor.doctor)


def main() -> None:
    """Do what the command line says, and exit with what `Exit` says of how that ended."""
    app(prog_name="jobstream")
