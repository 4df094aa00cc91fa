"""Calls about events, which start the jobs of the kinds that are subscribed to them."""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from jobstream.client.call import Call, given, place
from jobstream.client.replies import EventStory, Sent

URGENT = 10


def send(
    name: str,
    data: Mapping[str, Any],
    *,
    priority: int | None = None,
    delay: timedelta | float | None = None,
    run_at: datetime | None = None,
    idempotency_key: str | None = None,
    subject: str | None = None,
) -> Call[Sent]:
    """The jobs that the event started; it is sent again where the reply is lost, and starts them once."""
    body = given(
        name=name,
        data=data,
        priority=priority,
        delay=delay,
        run_at=run_at,
        idempotency_key=idempotency_key or secrets.token_urlsafe(24),
        subject=subject,
    )
    return Call("POST", place("events"), Sent.model_validate_json, body=body)


def send_urgent(
    name: str, data: Mapping[str, Any], *, idempotency_key: str | None = None, subject: str | None = None
) -> Call[Sent]:
    """An event whose jobs go before all others."""
    return send(name, data, priority=URGENT, idempotency_key=idempotency_key, subject=subject)


def send_delayed(
    name: str,
    data: Mapping[str, Any],
    delay: timedelta | float,
    *,
    priority: int | None = None,
    idempotency_key: str | None = None,
    subject: str | None = None,
) -> Call[Sent]:
    """An event whose jobs begin after the delay (in seconds, if it is a number)."""
    return send(name, data, delay=delay, priority=priority, idempotency_key=idempotency_key, subject=subject)


def send_scheduled(
    name: str,
    data: Mapping[str, Any],
    run_at: datetime,
    *,
    priority: int | None = None,
    idempotency_key: str | None = None,
    subject: str | None = None,
) -> Call[Sent]:
    """An event whose jobs begin at that moment, which names its time zone."""
    return send(name, data, run_at=run_at, priority=priority, idempotency_key=idempotency_key, subject=subject)


def find(event_id: str) -> Call[EventStory]:
    """What became of the event, for a week."""
    return Call("GET", place("events", event_id), EventStory.model_validate_json)
