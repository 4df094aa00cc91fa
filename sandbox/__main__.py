"""The sandbox as a process: `python -m sandbox`."""

import logging
import signal
import socket
import sys
from types import FrameType

import uvicorn

from sandbox.app import create_app
from sandbox.settings import Settings

_BACKLOG = 2048


def main() -> None:
    """Serve until SIGTERM or SIGINT, then exit 0 at once, whatever is being answered."""
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _exit)
    settings = Settings()
    with _listen(settings) as listener:
        host, port = listener.getsockname()[:2]
        logging.getLogger("sandbox").info("The sandbox listens on http://%s:%d", host, port)
        # Critical, because a connection that was to be cut, or was open at the end, is an error to uvicorn.
        config = uvicorn.Config(
            create_app(settings), log_level="critical", lifespan="off", timeout_graceful_shutdown=0, ws="none"
        )
        uvicorn.Server(config).run(sockets=[listener])


def _listen(settings: Settings) -> socket.socket:
    host, port = (settings.url.host or "127.0.0.1").strip("[]"), settings.url.port or 80
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        sys.exit(f"The sandbox can't listen on {settings.url}: {error.strerror}; set JOBSTREAM_SANDBOX_URL.")


def _exit(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)  # uvicorn raises the signal again once it has shut down


if __name__ == "__main__":
    main()
