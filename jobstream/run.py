"""Everything in one terminal: the processes of the Procfile, set up for a first visit (`make run`)."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from jobstream import samples

SANDBOX_URL = "http://127.0.0.1:8889"
PROVIDER_KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY")

Settings = Mapping[str, str | None]


def main() -> None:
    """Become honcho; it gets no `.env`, which our processes read themselves and by other rules."""
    given = dotenv_values(".env") | os.environ
    added = first_visit(given)
    if samples.connections(_data(given)).items() <= added.items():
        samples.write_lake(_data(given))
    settings = given | added
    programs = Path(sys.executable).parent
    environment = os.environ | added | {"PATH": f"{programs}:{os.environ['PATH']}"}
    start = ["start", "--port", settings.get("PORT") or "8888", *processes(settings)]
    os.execve(programs / "honcho", ["honcho", "--env", os.devnull, *start], environment)  # noqa: S606


def first_visit(given: Settings) -> dict[str, str]:
    """What to set where nothing is set: demo mode, the sandbox if no provider has a key, and in demo mode the
    operator's view, and something to copy if there is no connection."""
    keyless = not any(given.get(key) for key in PROVIDER_KEYS)
    wanted = {"JOBSTREAM_DEMO": "1"} | ({"JOBSTREAM_SANDBOX_URL": SANDBOX_URL} if keyless else {})
    demo = (given.get("JOBSTREAM_DEMO") or "1") == "1"
    wanted |= {"JOBSTREAM_OPERATOR": "1"} if demo else {}
    connected = any(name.startswith("JOBSTREAM_CONNECTION_") and value for name, value in given.items())
    if not connected and demo:
        wanted |= samples.connections(_data(given))
    return {name: value for name, value in wanted.items() if not given.get(name)}


def processes(settings: Settings) -> list[str]:
    """The lines of the Procfile that are needed; the API first, since honcho counts PORT up from line to line."""
    needed = {
        "api": True,
        "worker": True,
        "sandbox": bool(settings.get("JOBSTREAM_SANDBOX_URL")),
        "store": not settings.get("REDIS_URL"),
    }
    return [name for name, is_needed in needed.items() if is_needed]


def _data(given: Settings) -> Path:
    return Path(given.get("JOBSTREAM_DATA") or ".jobstream")


if __name__ == "__main__":
    main()
