"""`submit`: what is handed over, how it is given, and what is said of it."""

import json
from pathlib import Path
from uuid import uuid4

import pytest

from tests.cli.shell import Shell

HELLO = {"message": "Hello"}


def test_it_prints_the_id_and_beside_it_how_to_go_on(shell: Shell) -> None:
    """The id alone, so that a script can take it."""
    said = shell.run("submit", "chat", "--input", json.dumps(HELLO))

    job_id = said.out.rstrip("\n")
    assert said.code == 0
    assert shell.snapshot(job_id)["kind"] == "chat"
    assert f"jobstream watch {job_id}" in said.beside


def test_every_option_comes_to_what_the_service_is_told(shell: Shell) -> None:
    key = f"key-{uuid4()}"
    words = ("submit", "chat", "--input", json.dumps(HELLO), "--json", "--priority", "7", "--subject", "a-typist")
    more = ("--run-at", "2027-01-31T09:30:00Z", "--metadata", "page=1", "--metadata", "via=cli=2")
    said = shell.run(*words, *more, "--idempotency-key", key)
    again = shell.run(*words, *more, "--idempotency-key", key)

    job = said.document
    assert (job["priority"], job["subject"], job["metadata"]) == (7, "a-typist", {"page": "1", "via": "cli=2"})
    assert (job["state"], job["run_at"]) == ("scheduled", "2027-01-31T09:30:00.000Z")
    assert job["stream_token"]
    assert again.document["id"] == job["id"]
    assert shell.run("cancel", job["id"]).code == 0


def test_an_input_may_stand_in_a_file_or_on_standard_input(shell: Shell) -> None:
    (shell.folder / "input.json").write_text(json.dumps(HELLO))

    from_file = shell.run("submit", "chat", "--input", "@input.json", "--delay", "3600", "--json")
    from_input = shell.run("submit", "chat", "--input", "@-", "--delay", "3600", "--json", given=json.dumps(HELLO))

    assert [from_file.document["state"], from_input.document["state"]] == ["scheduled"] * 2


def test_with_watch_it_tells_the_whole_story(shell: Shell) -> None:
    """As JSON the first line is the job that was accepted, with its token, and the last its end."""
    said = shell.run("submit", "chat", "--input", json.dumps(HELLO), "--watch", "--json")

    first, *_, last = said.lines
    assert (said.code, said.beside) == (0, "")
    assert (first["event"], first["data"]["reason"]) == ("snapshot", "initial")
    assert first["data"]["stream_token"]
    assert (last["event"], last["data"]["state"]) == ("end", "completed")


def test_with_wait_it_is_the_job_that_has_ended(shell: Shell) -> None:
    said = shell.run("submit", "chat", "--input", json.dumps(HELLO), "--wait", "60", "--json")

    assert (said.code, said.document["state"]) == (0, "completed")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--input", "{"], "it is no JSON"),
        (["--input", "[1]"], "it is no JSON object"),
        (["--input", "@nowhere.json"], "nowhere.json cannot be read"),
        (["--input", "{}", "--metadata", "page"], "it is NAME=VALUE"),
        (["--input", "{}", "--run-at", "soon"], "it is a moment"),
        (["--input", "{}", "--watch", "--wait", "5"], "exclude each other"),
        (["--input", "{}", "--priority", "11"], "less than or equal to 10"),
        ([], "--input"),
    ],
)
def test_what_cannot_be_understood_is_not_sent(shell: Shell, words: list[str], reason: str) -> None:
    said = shell.run("submit", "chat", *words, "--url", "http://127.0.0.1:1")

    assert said.code == 2
    assert reason in " ".join(said.beside.replace("│", "").split())
    assert said.out == ""


def test_a_refusal_names_what_is_wrong_with_the_input(shell: Shell) -> None:
    said = shell.run("submit", "chat", "--input", '{"massage": "Hello"}')

    assert said.code == 6
    assert "/input/massage: Extra inputs are not permitted" in said.beside


def test_a_relative_moment_is_of_this_machine(shell: Shell, tmp_path: Path) -> None:
    """A moment without an offset is what the clock on the wall shows."""
    said = shell.run(
        "submit", "chat", "--input", json.dumps(HELLO), "--run-at", "2027-01-31T09:30", "--json", TZ="Etc/GMT-2"
    )

    assert said.document["run_at"] == "2027-01-31T07:30:00.000Z"
