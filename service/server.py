"""The server of the API process: uvicorn behind our guards, which lets the streams say farewell before it stops."""

import asyncio
import resource
import signal
import socket
from contextlib import suppress
from types import FrameType

import uvicorn
from fastapi import FastAPI

from service.entrance import Entrance
from service.feed import Feed
from service.guard import GuardedHttp, GuardedWebSocket
from service.outlet import Outlet
from service.settings import Settings
from service.wire import Patience
from service.witness import Witness

GRACE_SECONDS = 8
FAREWELL_SECONDS = 3.0
"""How long WebSockets may take to hear farewell; after it uvicorn closes them without a word."""

LASTING = (GuardedWebSocket, Outlet)

WEBSOCKET_BYTES = 64 * 1024
SPARE_FILES = 48
"""How many of the process's files no client may have: the store's connections, and those who are being refused."""

FEWEST_CONNECTIONS = 8
CHECK_SECONDS = 0.05


class Server(uvicorn.Server):
    """uvicorn's server, which says farewell to the streams before it waits for them."""

    def __init__(self, config: uvicorn.Config, feed: Feed) -> None:
        super().__init__(config)
        self._feed = feed
        self._loop = asyncio.get_running_loop()

    def handle_exit(self, sig: int, _frame: FrameType | None) -> None:
        """Stop; a second Ctrl-C is impatient. uvicorn's own would raise the signal once more after serving, and so
        end the process before it has closed what it opened."""
        self._loop.call_soon_threadsafe(self._feed.stop)  # a signal comes in the middle of anything
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more connections, let the streams hear why they end, and wait for the rest as uvicorn does."""
        self._feed.stop()
        for server in self.servers:
            server.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL_SECONDS):
                while any(isinstance(each, LASTING) for each in self.server_state.connections):  # noqa: ASYNC110  # uvicorn tells nobody
                    await asyncio.sleep(CHECK_SECONDS)
        await super().shutdown(sockets)


def server_config(app: FastAPI, settings: Settings) -> uvicorn.Config:
    """How the application is served: behind the guard, and with a word for nobody's addresses but trusted hops'."""
    hops = [str(hop) for hop in settings.jobstream_trusted_hops]
    http, websocket = _guards(settings, app.state.api.witness)
    return uvicorn.Config(
        Entrance(app),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,  # ours has no queries, which may hold tokens
        server_header=False,
        proxy_headers=bool(hops),
        forwarded_allow_ips=hops,
        http=http,
        ws=websocket,
        ws_max_size=WEBSOCKET_BYTES,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def _guards(settings: Settings, watching: Witness) -> tuple[type[GuardedHttp], type[GuardedWebSocket]]:
    """The protocols as the settings want them."""
    given = Patience(
        head_seconds=settings.jobstream_head_seconds,
        body_seconds=settings.jobstream_body_seconds,
        send_seconds=settings.jobstream_send_seconds,
    )

    class Http(GuardedHttp):
        patience = given
        witness = watching
        most_connections = _most_connections()
        hands_over = settings.jobstream_sse == "direct"

    class WebSocket(GuardedWebSocket):
        patience = given
        hands_over = settings.jobstream_sse == "direct"

    return Http, WebSocket


def _most_connections() -> int:
    """As many as there are files for."""
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(FEWEST_CONNECTIONS, most - SPARE_FILES)
