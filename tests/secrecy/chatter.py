"""A process that logs in every way there is, as its variables have it: `python -m tests.secrecy.chatter`."""

import asyncio
import logging
import sys
import threading
import warnings

import structlog

from jobs.logs import LogSettings, begin_logs, say

PROMPT = "canary-of-the-prompt"
SECRET = "canary-of-the-chatter"


def main() -> None:
    """Say one thing in each way; end by a fault."""
    logging.getLogger("arq").addHandler(logging.StreamHandler(sys.stdout))
    begin_logs(LogSettings(), process="chatter")
    ours = structlog.get_logger("workers.chatter")
    for level in ("debug", "info", "warning", "error"):
        getattr(ours, level)(f"ours at {level}", secret=SECRET)
    for name in ("arq", "httpx2", "sse_starlette", "uvicorn.error"):
        logging.getLogger(name).debug("frame: %s", PROMPT)
        logging.getLogger(name).info("frame: %s", PROMPT)
        logging.getLogger(name).warning("a warning of %s with \x1b[31m%s", name, SECRET)
    warnings.warn(f"[input_value={PROMPT!r}]", stacklevel=1)
    asyncio.run(forget())
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    say(f"as it stands: {SECRET}")
    fail()


async def forget() -> None:
    """Leave behind what nobody asked for: a task's fault, and a callback's."""
    asyncio.get_running_loop().call_soon(fail_with, PROMPT)
    task = asyncio.create_task(asyncio.to_thread(fail))
    await asyncio.wait({task})


def fail_with(words: str) -> None:
    """As careless code does."""
    raise ValueError(words)


def fail() -> None:
    """With the prompt in its message."""
    fail_with(PROMPT)


if __name__ == "__main__":
    main()
