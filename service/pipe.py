"""A WebSocket's way out for those who push: whole messages, beside what the socket's own task says and hears."""

from collections.abc import Callable

from service.flow import Flow

TEXT = 0x81
"""The first byte of a text message in one frame (RFC 6455, section 5.2)."""


def message(text: bytes) -> bytes:
    """The UTF-8 as one text message of a server, which masks nothing."""
    length = len(text)
    if length < 126:
        return b"%c%c%b" % (TEXT, length, text)
    if length < 1 << 16:
        return b"%c%c%b%b" % (TEXT, 126, length.to_bytes(2, "big"), text)
    return b"%c%c%b%b" % (TEXT, 127, length.to_bytes(8, "big"), text)


class Pipe(Flow):
    """What is written here leaves between two messages of the socket's task, which alone closes it."""

    __slots__ = ("_give_up", "_is_open")

    def __init__(
        self,
        write: Callable[[bytes], None],
        *,
        is_open: Callable[[], bool],
        give_up: Callable[[], None],
        send_seconds: float,
    ) -> None:
        super().__init__(send_seconds=send_seconds)
        self.write = write
        self._is_open = is_open
        self._give_up = give_up

    @property
    def ended(self) -> bool:
        return not self._is_open()

    def send(self, data: bytes) -> None:
        """Write a message, unless the last one was written already."""
        if self._is_open():
            self.write(data)

    def finish(self) -> None:
        """Nothing: the socket's task says the last word."""

    def abort(self) -> None:
        self._give_up()
