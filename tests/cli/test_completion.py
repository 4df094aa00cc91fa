"""Completion: what a shell is offered, and that it never stumbles."""

import subprocess

import pytest

from tests.cli.shell import PATIENCE_SECONDS, Shell, command
from tests.system import wait_until


def completed(shell: Shell, line: str, **variables: str) -> list[str]:
    """What bash is offered for the last word of the line; nothing may be said beside it."""
    words = line.split(" ")
    said = shell.run(
        _JOBSTREAM_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=str(len(words) - 1), **variables
    )
    assert (said.code, said.beside) == (0, "")
    return said.out.split()


def test_commands_and_options_are_offered(shell: Shell) -> None:
    assert completed(shell, "jobstream dead-letters re") == ["retry"]
    assert "--idempotency-key" in completed(shell, "jobstream submit chat --")


def test_the_kinds_of_the_service_are_offered(shell: Shell) -> None:
    """Where it answers in time, which a busy machine may not do at once."""
    wait_until(lambda: completed(shell, "jobstream submit transcript") == ["transcript-to-journey"], PATIENCE_SECONDS)
    wait_until(lambda: "chat" in completed(shell, "jobstream list --kind "), PATIENCE_SECONDS)


@pytest.mark.parametrize(
    "variables",
    [
        {"JOBSTREAM_URL": "http://127.0.0.1:1"},  # where nobody listens: no service has so low a port
        {"JOBSTREAM_URL": "nonsense"},
        {"JOBSTREAM_URL": "http://[:"},
        {"JOBSTREAM_TOKEN": "wrong"},
    ],
    ids=str,
)
def test_no_service_is_no_error(shell: Shell, variables: dict[str, str]) -> None:
    assert completed(shell, "jobstream submit ch", **variables) == []


def test_nothing_that_the_line_names_is_read_while_it_is_completed(shell: Shell) -> None:
    """Standard input would be waited for, a file that is not there complained of."""
    assert completed(shell, "jobstream submit chat --input @- --prio") == ["--priority"]
    assert completed(shell, "jobstream submit chat --input @nowhere --prio") == ["--priority"]


def test_a_shell_is_given_its_script(shell: Shell) -> None:
    """By which shell asks; bash understands it."""
    line = " ".join(command("--show-completion"))
    ran = subprocess.run(
        ["bash", "-c", f"{line} > script && bash -n script && cat script"],
        cwd=shell.folder,
        env=shell.environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    assert "complete_bash" in ran.stdout
