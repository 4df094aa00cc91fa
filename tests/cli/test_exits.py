"""Exit codes: each way to end has its own, and standard output holds nothing but what was asked for."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from jobstream.exits import Exit
from tests.cli.shell import Shell
from tests.system import SECRET, System, free_port


def test_a_service_that_is_away_is_said_to_be(shell: Shell) -> None:
    said = shell.run("list", "--url", f"http://127.0.0.1:{free_port()}", "--json")

    assert (said.code, said.out) == (Exit.UNREACHABLE, "")
    assert json.loads(said.beside)["exit"] == Exit.UNREACHABLE


def test_what_answers_and_is_no_service_is_no_service(shell: Shell, system: System) -> None:
    """The sandbox speaks HTTP, too."""
    said = shell.run("show", "x" * 20, "--url", system.sandbox_url)

    assert said.code in (Exit.UNREACHABLE, Exit.NOT_FOUND)
    assert "Traceback" not in said.beside


@pytest.mark.parametrize("words", [["list"], ["show", "x" * 20], ["watch", "x" * 20], ["cancel", "x" * 20]], ids=str)
def test_a_wrong_credential_is_told_with_where_it_comes_from(shell: Shell, words: list[str]) -> None:
    said = shell.run(*words, "--token", "wrong")

    assert (said.code, said.out) == (Exit.NOT_ALLOWED, "")
    assert "JOBSTREAM_TOKEN" in said.beside
    assert SECRET not in said.beside


def test_a_credential_that_is_not_enough_is_no_better(shell: Shell) -> None:
    """A job's stream token reads that job, and does nothing to it."""
    submitted = shell.run("submit", "chat", "--input", '{"message": "Hello"}', "--json").document
    token = submitted["stream_token"]

    assert shell.run("watch", submitted["id"], "--token", token).code == Exit.DONE
    assert shell.run("cancel", submitted["id"], "--token", token).code == Exit.NOT_ALLOWED


@pytest.mark.parametrize("command", ["show", "watch", "cancel", "retry"])
def test_what_is_not_there_is_not_found(shell: Shell, command: str) -> None:
    said = shell.run(command, "x" * 20)

    assert (said.code, said.out) == (Exit.NOT_FOUND, "")


def test_a_refusal_is_the_services_own_words(shell: Shell) -> None:
    said = shell.run("submit", "no-such-kind", "--input", "{}", "--json")

    told = json.loads(said.beside)
    assert (said.code, told["exit"]) == (Exit.REFUSED, Exit.REFUSED)
    assert told["problem"]["type"] == "/problems/unknown-kind"


def test_a_service_in_trouble_is_told_from_one_that_refuses(shell: Shell) -> None:
    with answering(b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\nConnection: close\r\n\r\n") as url:
        said = shell.run("list", "--url", url)

    assert said.code == Exit.IN_TROUBLE


@pytest.mark.parametrize(
    "words",
    [[], ["no-such-command"], ["list", "--no-such"], ["list", "--url", "nonsense"], ["watch"], ["watch", "--jsn"]],
    ids=str,
)
def test_a_line_that_cannot_be_understood_is_a_mistake_of_usage(shell: Shell, words: list[str]) -> None:
    assert shell.run(*words).code == Exit.USAGE


def test_a_variable_that_cannot_stand_is_a_misconfiguration(shell: Shell) -> None:
    said = shell.run("list", JOBSTREAM_URL="localhost:8888")

    assert said.code == Exit.MISCONFIGURED
    assert "JOBSTREAM_URL" in said.beside


def test_options_may_stand_before_the_command_or_behind_it(shell: Shell) -> None:
    """Behind it they win."""
    job_id = shell.submit()
    away = f"http://127.0.0.1:{free_port()}"

    before = shell.run("--json", "--url", shell.url, "show", job_id, JOBSTREAM_URL=away)
    behind = shell.run("--url", away, "show", job_id, "--url", shell.url, "--json")
    below = shell.run("--json", "dead-letters", "list", "--limit", "1")

    assert before.document["id"] == behind.document["id"] == job_id
    assert (below.code, len(below.lines)) == (0, len(below.out.splitlines()))


@pytest.mark.parametrize("job_id", ["-" + "x" * 19, "--" + "x" * 18, "-h" + "x" * 18])
def test_an_id_may_begin_with_a_dash(shell: Shell, job_id: str) -> None:
    """As one in sixty-four does."""
    assert [shell.run(name, job_id).code for name in ("show", "watch", "cancel")] == [Exit.NOT_FOUND] * 3
    assert shell.run("dead-letters", "show", job_id, "--json").code == Exit.NOT_FOUND


def test_help_names_every_exit_code(shell: Shell) -> None:
    said = shell.run("--help")

    words = " ".join(said.out.split())
    assert [code for code in Exit if f"{code.value} {code.meaning}" not in words] == []


def test_nobody_reading_on_is_no_disaster(shell: Shell) -> None:
    """As with `| head -1`."""
    job_id = shell.submit()
    with shell.running("watch", job_id, "--json") as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        complaints = process.stderr.read().decode()
        process.wait(60)

    assert "Traceback" not in complaints


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """A server that says this to whoever connects, once."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield "http://{}:{}".format(*server.getsockname())
        thread.join(10)
