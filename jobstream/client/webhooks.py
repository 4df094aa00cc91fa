"""For who receives webhooks: whether one comes from the service, is fresh, and is new."""

import base64
import hmac
import json
import time
from collections.abc import Iterable, Mapping, MutableSet

from jobstream.client.errors import WebhookRefused, WebhookRepeated
from jobstream.client.fold import JsonObject

TOLERANCE_SECONDS = 300.0
PREFIX = "whsec_"


def verify_webhook(
    secrets: str | Iterable[str],
    headers: Mapping[str, str],
    body: bytes,
    *,
    tolerance_seconds: float = TOLERANCE_SECONDS,
    seen: MutableSet[str] | None = None,
) -> JsonObject:
    """What the webhook tells, `{"type", "timestamp", "data"}`; WebhookRefused for one that is not signed with any of
    the `secrets`, or was longer on its way than it may be, by this machine's clock.

    `body` is the request's as it came: what was parsed and written again has another signature. With `seen`, the ids
    of those that came before, a repeated one is WebhookRepeated; a new one is added. Discard it there if you then
    fail to take what it tells: the next try has the same id."""
    given = {name.lower(): value for name, value in headers.items()}
    message_id, timestamp = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    keys = [_key(secret) for secret in ([secrets] if isinstance(secrets, str) else secrets)]
    _check_signature(keys, f"{message_id}.{timestamp}.".encode() + body, given.get("webhook-signature", ""))
    _check_time(timestamp, tolerance_seconds)
    _check_new(message_id, seen)
    told: JsonObject = json.loads(body)
    return told


def _key(secret: str) -> bytes:
    """The bytes of a secret; ValueError for what is none, since without it nothing could be told from forgeries."""
    key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    if not key:
        raise ValueError("A webhook's secret is whsec_ and some bytes in base64.")
    return key


def _check_signature(keys: list[bytes], signed: bytes, sent: str) -> None:
    expected = [b"v1," + base64.b64encode(hmac.digest(key, signed, "sha256")) for key in keys]
    given = [each.encode() for each in sent.split()]
    if not any(hmac.compare_digest(own, theirs) for own in expected for theirs in given):
        raise WebhookRefused("The webhook has no signature of ours.")


def _check_time(timestamp: str, tolerance_seconds: float) -> None:
    sent_at = int(timestamp) if timestamp.isascii() and timestamp.isdigit() else 0
    if abs(time.time() - sent_at) > tolerance_seconds:
        raise WebhookRefused("The webhook is too old, or comes from the future.")


def _check_new(message_id: str, seen: MutableSet[str] | None) -> None:
    if seen is None:
        return
    if message_id in seen:
        raise WebhookRepeated("This webhook came before.")
    seen.add(message_id)
