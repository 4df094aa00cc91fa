"""The terminal of a command: what was asked for goes to standard output, every other word beside it."""

import io
import json
import sys
from collections.abc import Sequence
from typing import Any, TextIO

from rich.console import Console, RenderableType
from rich.text import Text

from jobstream.client import JobstreamError
from jobstream.errors import NobodyReads
from jobstream.exits import exit_of_error
from jobstream.printable import printable

ADVICE = "The credential is --token, else JOBSTREAM_TOKEN, else BACKGROUND_FUNCTION_AUTH_TOKEN."


class Terminal:
    """Where a command says what it has to say; with `as_json` standard output holds JSON and nothing else."""

    def __init__(self, *, as_json: bool = False, colored: bool = True) -> None:
        self.as_json = as_json
        self.output = _console(sys.stdout, colored=colored)
        self._beside = _console(sys.stderr, colored=colored)

    @property
    def is_live(self) -> bool:
        """Whether somebody looks at standard output, where what was written can be drawn over."""
        return not self.as_json and self.output.file.isatty() and self.output.is_interactive

    def show(self, shown: RenderableType) -> None:
        """Print what was asked for, for people."""
        self.output.print(shown, soft_wrap=isinstance(shown, Text | str))

    def tell(self, value: Any) -> None:
        """Print what was asked for, for programs: a line of JSON, whose every character is ASCII."""
        self._write(json.dumps(value, separators=(",", ":")))

    def row(self, words: Sequence[str]) -> None:
        """Print one row of a list, for people and programs: the words, with tabulators between them."""
        self._write("\t".join(words))

    def note(self, sentence: str, *, style: str = "dim") -> None:
        """Say something beside it."""
        self._beside.print(Text(sentence, style), soft_wrap=True)

    def complain(self, error: JobstreamError) -> None:
        """Say why it failed: for programs as a line of JSON."""
        if self.as_json:
            self._beside.print(Text(json.dumps(_told(error))), soft_wrap=True)
            return
        self.note(printable(error), style="bold red")
        for violation in error.problem.errors if error.problem else ():
            self.note(printable(f"  {violation.pointer}: {violation.detail}"), style="")
        for note in getattr(error, "__notes__", ()):
            self.note(note, style="")
        if error.status == 401:
            self.note(ADVICE, style="")

    def _write(self, line: str) -> None:
        try:
            self.output.file.write(line + "\n")
            self.output.file.flush()
        except BrokenPipeError:
            raise NobodyReads from None


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave in order; rich's own would end the process from within whatever task prints."""
        raise NobodyReads


def _told(error: JobstreamError) -> dict[str, Any]:
    code = exit_of_error(error)
    problem = error.problem.model_dump(mode="json") if error.problem else None
    return {"error": str(error), "exit": int(code), "problem": problem}


def _console(file: TextIO, *, colored: bool) -> Console:
    """A console on the file that prints what it can: a model may use characters that not every output knows."""
    if isinstance(file, io.TextIOWrapper):
        file.reconfigure(errors="replace")
    return _Console(file=file, highlight=False, no_color=None if colored else True)
