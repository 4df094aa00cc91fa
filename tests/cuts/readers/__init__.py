"""Plain clients for each transport: add one here, and it is cut."""

from tests.cuts.reader import Reader
from tests.cuts.readers.asking import Polling, Updates
from tests.cuts.readers.server_sent import Multiplex, Sse
from tests.cuts.readers.sockets import Socket, Sockets

OF_ONE_JOB: tuple[type[Reader], ...] = (Sse, Socket, Polling, Updates)
OF_MANY_JOBS: tuple[type[Reader], ...] = (Multiplex, Sockets)
