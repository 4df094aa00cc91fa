"""What a process logs, and in which form: its variables say so, in the environment or in `.env`."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.secrecy.chatter import PROMPT, SECRET
from tests.system import READY_SECONDS, ROOT, Process, free_port, wait_until

SAYS = "as it stands: "
LEVELS = ("debug", "info", "warning", "error")


def chatter(folder: Path, **variables: str) -> str:
    """What the process that logs in every way has written, which ends by a fault."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "CHATTER_TOKEN": SECRET, **variables}
    command = [sys.executable, "-m", "tests.secrecy.chatter"]
    ended = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=READY_SECONDS, check=False
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    return ended.stderr


def test_every_record_is_one_line_of_json_that_quotes_nobody(tmp_path: Path) -> None:
    """Those of libraries too, of tasks and threads that nobody asked for, and of what ends the process. What is to be
    shown is shown as it stands."""
    text = chatter(tmp_path)

    lines = [json.loads(line) for line in text.splitlines() if not line.startswith(SAYS)]
    events = [line["event"] for line in lines]
    assert {line["process"] for line in lines} == {"chatter"}
    assert [event for event in events if event.startswith("ours")] == [f"ours at {level}" for level in LEVELS[1:]]
    assert len([event for event in events if event.startswith("a warning of")]) == 4
    assert any(re.fullmatch(r".*chatter\.py:\d+: UserWarning", event) for event in events)
    assert "Exception in callback fail_with" in events
    assert "a thread ended by a fault" in events
    assert events[-1] == "the process ends by a fault that nobody foresaw"
    assert "in fail_with" in lines[-1]["exception"]
    assert PROMPT not in text
    assert text.count(SECRET) == text.count(f"{SAYS}{SECRET}") == 1
    assert "\x1b" not in text


@pytest.mark.parametrize("level", LEVELS)
def test_the_level_is_of_our_own_records_alone(level: str, tmp_path: Path) -> None:
    """Whatever it is, libraries are heard from warning on: what they say below that holds frames and statements."""
    text = chatter(tmp_path, JOBSTREAM_LOG_LEVEL=level)

    assert [each for each in LEVELS if f"ours at {each}" in text] == [*LEVELS[LEVELS.index(level) :]]
    assert "a warning of arq" in text
    assert "frame: " not in text


def test_a_reader_at_a_terminal_is_shown_the_same_without_what_a_terminal_obeys(tmp_path: Path) -> None:
    text = chatter(tmp_path, JOBSTREAM_LOGS="text")

    assert "ours at info" in text
    assert "in fail_with" in text
    assert not any(line.startswith("{") for line in text.splitlines())
    assert PROMPT not in text
    assert text.count(SECRET) == 1
    assert "\x1b" not in text


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[tuple[Process, str]]:
    """The API in a folder whose `.env` has all that it is told, and where it is."""
    port = free_port()
    settings = {"JOBSTREAM_DEMO": "1", "JOBSTREAM_DATA": "data", "PORT": str(port), "OPENAI_API_KEY": SECRET}
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "CANARY_KEY": "canary-of-the-environment"}
    api = Process("api", tmp_path, [sys.executable, "-m", "service"], environment, where=tmp_path)
    api.start()
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: _lives(url), READY_SECONDS, api.output.read_text)
        yield api, url
    finally:
        api.end()


def test_secrets_of_the_env_file_and_of_the_demo_are_hidden_too(demo: tuple[Process, str], tmp_path: Path) -> None:
    """The demo's is shown once, when it is made."""
    api, url = demo
    secret = (tmp_path / "data" / "demo-secret").read_text()

    for word in (secret, SECRET):
        httpx2.get(f"{url}/v1/{word}")
    api.end()

    written = api.output.read_text()
    assert written.count("/v1/[hidden]") == 2
    assert written.count(secret) == written.count(f"the service secret is {secret}") == 1
    assert SECRET not in written


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells what a process was given")
def test_the_embedded_store_is_given_none_of_our_variables(demo: tuple[Process, str], tmp_path: Path) -> None:
    (store,) = [each for each in Path("/proc").glob("[0-9]*") if _folder(each) == tmp_path / "data"]

    assert (store / "environ").read_bytes().strip(b"\0") == b""


def _folder(process: Path) -> Path | None:
    """Where the process works."""
    try:
        return (process / "cwd").readlink()
    except OSError:
        return None  # it has ended meanwhile, or is another user's


def _lives(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/healthz", timeout=2).status_code == 200
    except httpx2.HTTPError:
        return False
