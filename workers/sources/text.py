"""What formats of text share: gzip is undone, lines are counted, and none of them fills the memory."""

import gzip
from collections.abc import Iterator
from typing import BinaryIO, cast

from workers.source import MOST_BYTES, Spot

GZIP = b"\x1f\x8b"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def unpacked(stream: BinaryIO) -> BinaryIO:
    """The file's text, whether it is packed by gzip or not."""
    packed = stream.read(2) == GZIP
    stream.seek(0)
    return cast("BinaryIO", gzip.GzipFile(fileobj=stream)) if packed else stream


class Lines:
    """The lines of a text from a spot on; `after` is the place behind the last one that was read."""

    def __init__(self, text: BinaryIO, spot: Spot) -> None:
        self._text = text
        self._line, self._offset = spot.line, spot.offset
        text.seek(spot.offset)

    @property
    def after(self) -> Spot:
        return Spot(self._line, self._offset)

    def __iter__(self) -> Iterator[bytes]:
        """Each line with its end; of one that is too long, its beginning."""
        while line := self._text.readline(MOST_BYTES):
            self._offset += len(line)
            rest = line
            while len(rest) == MOST_BYTES and not rest.endswith(b"\n"):
                rest = self._text.readline(MOST_BYTES)
                self._offset += len(rest)
            self._line += 1
            yield line.removeprefix(BYTE_ORDER_MARK) if self._line == 1 else line
