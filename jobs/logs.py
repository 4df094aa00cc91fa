"""Structured logs: one line a record on standard error, from our own code and from the libraries, without secrets."""

import logging
import os
import sys
import threading
from collections.abc import Iterable
from functools import cached_property
from types import TracebackType
from typing import Annotated, Literal
from urllib.parse import urlsplit

import structlog
from dotenv import dotenv_values
from pydantic import AfterValidator, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from jobs.records.extras import extra
from jobs.redaction import Redactor, secrets_among
from jobs.stderr import Stderr
from jobs.wording import SHARED, Form, Wording, record_of

OURS = ("jobs", "service", "workers", "access", "__main__")
"""The loggers whose level is set. All others are heard from WARNING on: what libraries say below that holds frames,
statements, addresses with tokens, and prompts."""

log = structlog.get_logger(__name__)


def _address(dsn: SecretStr) -> SecretStr:
    parts = urlsplit(dsn.get_secret_value())
    if not (parts.scheme in ("http", "https") and parts.username and parts.hostname and parts.path.strip("/")):
        raise ValueError("the DSN of a Sentry project is https://key@host/project")
    return dsn


class LogSettings(BaseSettings):
    """What a process logs, in which form, and where its faults are reported."""

    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True)

    jobstream_log_level: Literal["debug", "info", "warning", "error"] = "info"
    jobstream_logs: Form = "json"
    sentry_dsn: Annotated[SecretStr, AfterValidator(_address)] | None = None
    sentry_environment: str | None = None
    sentry_release: str | None = None

    @cached_property
    def redactor(self) -> Redactor:
        """What hides the secrets of the environment and of `.env`, whichever process they are for."""
        return Redactor(secrets_among(dotenv_values(".env") | os.environ))


def begin_logs(settings: LogSettings, *, process: str) -> None:
    """Log as the settings have it, and report faults to Sentry if they name one; ExtraMissing without its library."""
    configure_logs(
        level=logging.getLevelNamesMapping()[settings.jobstream_log_level.upper()],
        form=settings.jobstream_logs,
        redactor=settings.redactor,
        process=process,
    )
    if settings.sentry_dsn:
        with extra("sentry"):
            from jobs.sentry import Sentry  # noqa: PLC0415
        logging.getLogger().addHandler(
            Sentry(
                settings.sentry_dsn.get_secret_value(),
                redactor=settings.redactor,
                process=process,
                environment=settings.sentry_environment,
                release=settings.sentry_release,
            )
        )


def configure_logs(
    *, level: int = logging.INFO, form: Form = "json", redactor: Redactor | None = None, process: str | None = None
) -> None:
    """Send every log of this process through one pipe, also what it ends by; what is logged is written, or given up,
    when the process ends."""
    structlog.configure(
        processors=[*SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    _silence_libraries()
    _replace_handlers(Wording(form, redactor or Redactor(), process))
    for name in OURS:
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_the_end
    threading.excepthook = _log_the_end_of_a_thread
    sys.unraisablehook = _log_what_nobody_caught


def dropped() -> int:
    """How many lines of this process were never written, because nobody read them in time or the disk was full."""
    return sum(pipe.dropped for pipe in _pipes())


def hide(secret: str) -> None:
    """Keep a secret that was made only now out of all that is logged."""
    for pipe in _pipes():
        if isinstance(pipe.formatter, Wording):
            pipe.formatter.redactor.hide(secret)


def say(sentence: str) -> None:
    """Tell whoever started the process, as it stands: it may be a secret that is to be shown."""
    for pipe in (pipes := [*_pipes()]):
        pipe.say(sentence)
    if not pipes:  # the process has not come so far
        print(sentence, file=sys.stderr, flush=True)  # noqa: T201


def _pipes() -> Iterable[Stderr]:
    return (each for each in logging.getLogger().handlers if isinstance(each, Stderr))


def _silence_libraries() -> None:
    """No library has a handler or a level of its own; arq's command line gave its library both."""
    for name in list(logging.Logger.manager.loggerDict):
        library = logging.getLogger(name)
        library.handlers[:] = [each for each in library.handlers if isinstance(each, logging.NullHandler)]
        library.setLevel(logging.NOTSET)


def _replace_handlers(wording: Wording) -> None:
    sentence = "log lines were dropped: nobody read them in time, or they could not be written"
    pipe = Stderr(lambda count: wording.format(record_of(logging.WARNING, sentence, lines=count)))
    pipe.setFormatter(wording)
    root = logging.getLogger()
    for each in root.handlers:
        each.close()
    root.handlers[:] = [pipe]
    root.setLevel(logging.WARNING)


def _log_the_end(kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
    if not issubclass(kind, KeyboardInterrupt):
        log.critical("the process ends by a fault that nobody foresaw", error=kind.__name__, exc_info=error)


def _log_the_end_of_a_thread(ended: threading.ExceptHookArgs) -> None:
    name = ended.thread.name if ended.thread else None
    log.error("a thread ended by a fault", thread=name, error=ended.exc_type.__name__, exc_info=ended.exc_value)


def _log_what_nobody_caught(met: "sys.UnraisableHookArgs") -> None:
    log.error("a fault where nobody can catch it", error=met.exc_type.__name__, exc_info=met.exc_value)
