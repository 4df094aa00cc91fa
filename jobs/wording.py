"""How a log record is put into words: on one line, with the error that it brings, and without secrets."""

import logging
import os
import re
import sys
from typing import Literal

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor, WrappedLogger

from jobs.redaction import Redactor
from jobs.stderr import DESCRIPTOR
from jobs.tracebacks import told

Form = Literal["json", "text"]

SHARED: tuple[Processor, ...] = (structlog.contextvars.merge_contextvars, structlog.processors.add_log_level)
"""What our own loggers and those of the libraries have in common."""


class Wording(ProcessorFormatter):
    """Makes a line of a record, in JSON or for a reader at a terminal; `process` is named in each."""

    def __init__(self, form: Form, redactor: Redactor, process: str | None) -> None:
        self.redactor = redactor
        self._process = process
        super().__init__(
            foreign_pre_chain=[*SHARED, structlog.stdlib.add_logger_name],
            processors=[
                ProcessorFormatter.remove_processors_meta,
                self._in_short,
                self._with_error,
                self._without_secrets,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                _rendered(form),
            ],
        )

    def _in_short(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return {**event, "event": in_short(event["logger"], event["event"])} if "logger" in event else event

    def _with_error(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        error = error_of(event.pop("exc_info", None))
        return {**event, "exception": told(error)} if error else event

    def _without_secrets(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        exception = event.pop("exception", None)
        said = {**self.redactor.fields(event)}
        if exception:
            said["exception"] = self.redactor.text(exception, lines=True)
        return {**said, "process": self._process} if self._process else said


def in_short(logger: str, sentence: str) -> str:
    """The sentence without what these libraries quote: the arguments of a call, the value that was warned of."""
    match logger:
        case "asyncio":
            return re.split(r"[(\n]", sentence, maxsplit=1)[0]
        case "py.warnings":
            return ": ".join(sentence.split(": ", 2)[:2])
    return sentence


def error_of(exc_info: object) -> BaseException | None:
    """The error that a record brings, in whichever way it was given."""
    match exc_info:
        case BaseException():
            return exc_info
        case (_, BaseException() as error, _):
            return error
        case True:
            return sys.exc_info()[1]
    return None


def record_of(level: int, sentence: str, **fields: object) -> logging.LogRecord:
    """A record as our own loggers make them, for who cannot use one."""
    name = logging.getLevelName(level)
    event = {"event": sentence, **fields, "level": name.lower()}
    return logging.makeLogRecord({"levelno": level, "levelname": name, "msg": event, "_logger": None, "_name": ""})


def _rendered(form: Form) -> Processor:
    if form == "json":
        return structlog.processors.JSONRenderer()
    return structlog.dev.ConsoleRenderer(colors=os.isatty(DESCRIPTOR))
