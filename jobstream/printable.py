"""Text of others made fit for a terminal: whatever a model or a caller wrote, it moves no cursor."""

import re

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def printable(text: object) -> str:
    """The text with a mark in place of each control character but the tabulator and the end of a line."""
    return _CONTROLS.sub("\ufffd", str(text))


def on_one_line(text: object) -> str:
    """The same without ends of lines."""
    return " ".join(printable(text).split())
