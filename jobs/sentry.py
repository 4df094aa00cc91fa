"""Faults, told to Sentry: which, where in the code, and in which job or request; never what it was about."""

import logging
from importlib.metadata import version
from typing import Any

import sentry_sdk
from sentry_sdk.types import Event, Hint

from jobs.redaction import Redactor
from jobs.tracebacks import SPEAKING
from jobs.wording import error_of, in_short

FLUSH_SECONDS = 2.0
"""How long a process that ends waits for Sentry to take what is on its way."""

TAGS = ("request_id", "job_id", "kind", "run", "attempt", "step", "part", "provider")
_TOLD = ("exception", "message", "logentry", "tags", "transaction", "contexts", "breadcrumbs")
_DROPPED = ("request", "user", "extra", "modules", "server_name")
_SPEAKING = {kind.__name__ for kind in SPEAKING}


class Sentry(logging.Handler):
    """Reports each record of an error, and of a warning that brings one; what waits to be sent when the process ends
    leaves in time, or is given up."""

    def __init__(
        self, dsn: str, *, redactor: Redactor, process: str, environment: str | None, release: str | None
    ) -> None:
        super().__init__(logging.WARNING)
        self._redactor = redactor
        sentry_sdk.init(
            dsn,
            release=release or f"jobstream@{version('jobstream')}",
            environment=environment,
            before_send=self._clean,
            before_breadcrumb=lambda _crumb, _hint: None,
            max_breadcrumbs=0,
            default_integrations=False,  # they would report what is logged, and more of it
            auto_enabling_integrations=False,
            include_local_variables=False,
            send_default_pii=False,
            max_request_body_size="never",
            auto_session_tracking=False,
            send_client_reports=False,
            enable_metrics=False,
            traces_sample_rate=0,
            spotlight=False,
            shutdown_timeout=FLUSH_SECONDS,
        )
        sentry_sdk.get_global_scope().set_tag("process", process)

    def emit(self, record: logging.LogRecord) -> None:
        """Report the record's error, or its sentence where that is an error by itself."""
        if record.name.startswith(("sentry_sdk", "urllib3")):
            return  # its own troubles
        try:
            self._report(record)
        except Exception:  # noqa: BLE001  # whoever logs must not end by what becomes of it
            self.handleError(record)

    def flush(self) -> None:
        """Return once all is sent, or cannot be in time; `logging` does this as the process ends."""
        sentry_sdk.get_client().flush(timeout=FLUSH_SECONDS)

    def _report(self, record: logging.LogRecord) -> None:
        fields: dict[str, Any] = record.msg if isinstance(record.msg, dict) else {}
        error = error_of(fields.get("exc_info") or record.exc_info)
        if error is None and record.levelno < logging.ERROR:
            return
        with sentry_sdk.new_scope() as scope:
            scope.set_level("fatal" if record.levelno >= logging.CRITICAL else "error")
            for tag in TAGS:
                if fields.get(tag) is not None:
                    scope.set_tag(tag, str(fields[tag]))
            if error:
                sentry_sdk.capture_exception(error)
            else:
                sentry_sdk.capture_message(str(fields.get("event") or in_short(record.name, record.getMessage())))

    def _clean(self, event: Event, _hint: Hint) -> Event:
        """The event without secrets, and without what errors quote."""
        told: dict[str, Any] = {**event}
        for each in told.get("exception", {}).get("values", ()):
            if each.get("type") not in _SPEAKING:
                each["value"] = ""
        for name in _DROPPED:
            told.pop(name, None)
        cleaned: Event = {**told, **{name: self._redactor.value(told[name]) for name in _TOLD if name in told}}  # type: ignore[typeddict-item]
        return cleaned
