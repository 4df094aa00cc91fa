"""Signatures of webhooks, as Standard Webhooks has them, and the secrets that they are made with."""

import hmac
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

PREFIX = "whsec_"
FEWEST_BYTES, MOST_BYTES = 24, 64
MOST_OF_ONE_HOST = 2
"""While one is rotated for the other."""


@dataclass(frozen=True)
class Secret:
    """What signs the webhooks for one host, or, for None, those for every host that has none of its own."""

    host: str | None
    key: bytes


class Secrets:
    """Every secret that webhooks are signed with."""

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        self._secrets = tuple(secrets)

    def keys_for(self, host: str) -> tuple[bytes, ...]:
        """What the host's webhooks are signed with, each by itself; empty where nothing is set for it."""
        return self._of(host) or self._of(None)

    def _of(self, host: str | None) -> tuple[bytes, ...]:
        return tuple(secret.key for secret in self._secrets if secret.host == host)


def read_secrets(text: str) -> Secrets:
    """The secrets that JOBSTREAM_WEBHOOK_SECRET lists: `whsec_...` for all hosts, `host=whsec_...` for one of them.
    ValueError, which repeats none of it, for a list that cannot stand."""
    found = [_secret(each.strip()) for each in text.split(",") if each.strip()]
    if len(set(found)) < len(found):
        raise ValueError("the same secret is there twice")
    if found and max(Counter(secret.host for secret in found).values()) > MOST_OF_ONE_HOST:
        raise ValueError(f"one host has {MOST_OF_ONE_HOST} secrets at most, while one is rotated for the other")
    return Secrets(found)


def signatures(keys: Iterable[bytes], message_id: str, timestamp: int, body: bytes) -> str:
    """The header `webhook-signature`: one signature for each key."""
    signed = b"%s.%d.%s" % (message_id.encode(), timestamp, body)
    return " ".join(f"v1,{b64encode(hmac.digest(key, signed, 'sha256')).decode()}" for key in keys)


def _secret(text: str) -> Secret:
    host, found, encoded = text.rpartition(PREFIX)
    try:
        key = b64decode(encoded, validate=True)
    except ValueError:
        key = b""
    named = host == "" or (host.endswith("=") and len(host) > 1)
    if not found or not named or not FEWEST_BYTES <= len(key) <= MOST_BYTES:
        raise ValueError(
            f"each secret is {PREFIX} and {FEWEST_BYTES} to {MOST_BYTES} bytes in base64, with host= before it if it"
            " is for one host alone: `openssl rand -base64 32` makes the part after whsec_"
        )
    return Secret(host[:-1].lower() or None, key)
