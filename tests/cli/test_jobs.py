"""`list`, `show`, `cancel`, `retry` and `dead-letters`: for people, and for programs."""

import json
from uuid import uuid4

import pytest

from sandbox.answer import text_for
from tests.cli.shell import Shell
from tests.system import System

REFUSED = {"openai": "sandbox-400"}


def chat(shell: Shell, message: str, models: dict[str, str], *words: str, expects: int = 0) -> str:
    """The id of a chat with these models that was submitted."""
    said = shell.run("submit", "chat", "--input", json.dumps({"message": message, "models": models}), *words)
    assert said.code == expects, said.beside
    return said.out.strip()


@pytest.fixture
def letter(shell: Shell) -> str:
    """A job that failed for good."""
    job_id = chat(shell, "Nobody answers", REFUSED)
    assert shell.run("watch", job_id).code == 1
    return job_id


def test_a_page_shows_what_was_written(shell: Shell) -> None:
    job_id = chat(shell, "Hello", {"openai": "gpt-sandbox"})
    assert shell.run("watch", job_id).code == 0

    said = shell.run("show", job_id, COLUMNS="400")

    assert said.code == 0
    assert f"chat {job_id} completed" in said.out
    assert text_for("openai", "Hello").split("\n")[0] in said.out
    assert shell.snapshot(job_id)["state"] == "completed"


def test_a_log_is_told_update_by_update(shell: Shell) -> None:
    """As JSON, each line is what `watch --json` would have printed; for people it is a line, too."""
    job_id = shell.submit()
    assert shell.run("watch", job_id).code == 0

    told = shell.run("show", job_id, "--updates", "--json").lines
    read = shell.run("show", job_id, "--updates").out.splitlines()

    assert [each["event"] for each in told][:2] == ["state", "state"]
    assert [each["id"] for each in told] == [line.split()[0] for line in read]
    assert told[-1]["event"] == "end"


def test_a_list_is_narrowed_and_cut(shell: Shell) -> None:
    """One job a line: JSON for programs, else columns with tabulators between them."""
    ids = [shell.submit("Later", "--delay", "3600") for _ in range(3)]

    told = shell.run("list", "--kind", "chat", "--state", "scheduled", "--limit", "2", "--json")
    read = shell.run("list", "--state", "scheduled", "--limit", "3")

    assert [job["id"] for job in told.lines] == ids[:0:-1]
    assert [line.split("\t")[0] for line in read.out.splitlines()] == ids[::-1]
    assert {line.split("\t")[2] for line in read.out.splitlines()} == {"scheduled"}
    for job_id in ids:
        assert shell.run("cancel", job_id).code == 0


def test_a_list_has_all_there_is_where_that_is_wanted(shell: Shell) -> None:
    subject = f"many-{uuid4()}"
    ids = {shell.submit("Later", "--delay", "3600", "--subject", subject) for _ in range(2)}

    everything = {job["id"] for job in shell.run("list", "--all", "--json").lines}

    assert ids <= everything


def test_a_job_is_cancelled_and_run_again(shell: Shell) -> None:
    job_id = shell.submit("Later", "--delay", "3600")

    cancelled = shell.run("cancel", job_id, "--json")
    watched = shell.run("watch", job_id)
    again = shell.run("retry", job_id, "--from-start", "--json")

    assert (cancelled.code, cancelled.document["state"]) == (0, "cancelled")
    assert watched.code == 8
    assert (again.code, again.document["run"]) == (0, 2)
    assert shell.run("watch", job_id).code == 0


def test_one_part_is_asked_again(shell: Shell) -> None:
    job_id = shell.submit("Hello")
    assert shell.run("watch", job_id).code == 0

    again = shell.run("retry", job_id, "--part", "google", "--json")
    refused = shell.run("retry", job_id)

    assert again.document["run"] == 2
    assert again.document["parts"]["openai"]["state"] == "completed"
    assert refused.code == 6


def test_dead_letters_are_listed_counted_and_inspected(shell: Shell, letter: str) -> None:
    listed = shell.run("dead-letters", "list", "--kind", "chat", "--all", "--json").lines
    counted = shell.run("dead-letters", "groups", "--json").lines
    inspected = shell.run("dead-letters", "show", letter, "--json").document
    page = shell.run("dead-letters", "show", letter, COLUMNS="300").out
    table = shell.run("dead-letters", "groups").out

    assert letter in {job["id"] for job in listed}
    group = next(each for each in counted if each["kind"] == "chat")
    assert group["count"] >= 1
    assert "\t".join((str(group["count"]), "chat", group["error_type"])) in table
    assert inspected["input"]["message"] == "Nobody answers"
    assert inspected["failures"][-1]["outcome"] == "failed"
    assert "Nobody answers" in page
    assert inspected["error"]["type"] in page


def test_a_dead_letter_is_run_again_and_deleted(shell: Shell, letter: str) -> None:
    again = shell.run("dead-letters", "retry", letter)
    assert shell.run("watch", letter).code == 1
    deleted = shell.run("dead-letters", "delete", letter, "--json")

    assert again.code == 0
    assert again.out.startswith(f"chat {letter} ")
    assert deleted.document == {"id": letter, "deleted": True}
    assert shell.run("dead-letters", "show", letter).code == 5


def test_what_is_written_moves_no_cursor(shell: Shell, system: System) -> None:
    """Whatever a caller writes, a terminal is sent no control sequence of it."""
    job_id = shell.submit("Hello", "--metadata", "note=\x1b[2J\x07gone", "--delay", "3600")

    page = shell.run("show", job_id).out
    told = shell.run("show", job_id, "--json")

    assert "\x1b" not in page + told.out
    assert "gone" in page
    assert told.document["metadata"]["note"] == "\x1b[2J\x07gone"
    assert shell.run("cancel", job_id).code == 0
