"""What seals the contents of jobs before the store is given them, and opens them again; off without a key."""

import hashlib
import hmac
import os
from base64 import b64decode, b64encode
from collections.abc import Iterable
from functools import lru_cache
from typing import Protocol

import orjson
import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from jobs.errors import IntegrityError

SEALED = b"enc:v1:"
PLAIN = b"enc:v0:"
"""In front of a plain value that begins as a sealed one does: whoever reads it is never in doubt."""

KEY_BYTES = 32
NONCE_BYTES = 12
CIPHERS_HELD = 4096
"""Of some 2 KiB each: one for each job whose contents go through this process."""

log = structlog.get_logger(__name__)


class Sealer(Protocol):
    """Seals values, each for one field of one job of one subject: nowhere else can it be opened.

    Where something else than a job owns the value, its id stands for the job's. An empty value stays empty."""

    @property
    def strict(self) -> bool:
        """Whether a value that is not sealed is refused."""

    def seal(self, field: str, value: bytes, *, subject: str | None, job_id: str) -> bytes:
        """The value as it is stored: on one line, in ASCII if it is sealed."""

    def open(self, field: str, value: bytes, *, subject: str | None, job_id: str) -> bytes:
        """What was sealed; IntegrityError for what is not as it was stored, or was stored for another place."""

    def digest(self, value: bytes) -> str:
        """Tells two values apart, to be stored beside neither; without a key nobody learns from it what they are."""

    def has_digest(self, value: bytes, digest: str) -> bool:
        """Whether the digest is this value's; IntegrityError where that cannot be told."""


class Unsealed:
    """Encryption is off: values are stored as they are, and what is sealed cannot be read."""

    strict = False

    def seal(self, field: str, value: bytes, *, subject: str | None, job_id: str) -> bytes:  # noqa: ARG002  # as Sealer has it
        return PLAIN + value if value.startswith((SEALED, PLAIN)) else value

    def open(self, field: str, value: bytes, *, subject: str | None, job_id: str) -> bytes:  # noqa: ARG002
        if value.startswith(SEALED):
            raise _unreadable("it is sealed, and DATA_ENCRYPTION_KEY is not set", field, job_id)
        return value.removeprefix(PLAIN)

    def digest(self, value: bytes) -> str:
        return hashlib.sha256(value).hexdigest()

    def has_digest(self, value: bytes, digest: str) -> bool:
        if ":" in digest:
            raise _unreadable("its digest has a key, and DATA_ENCRYPTION_KEY is not set", "digest", "")
        return digest == self.digest(value)


UNSEALED = Unsealed()


class Ring:
    """Encryption is on: the first key seals, each of them opens. With `migrating`, what was stored before it was
    switched on may be read; without, a value that is not sealed is refused, since anybody could have put it there.

    Each job has a key of its own, derived from the ring's, so that no key comes near the 2^32 values that random
    nonces of 96 bits allow."""

    def __init__(self, keys: Iterable[bytes], *, migrating: bool = False) -> None:
        self._keys = {_key_id(key): key for key in keys}
        self._current = next(iter(self._keys))
        self.strict = not migrating
        self._cipher = lru_cache(CIPHERS_HELD)(self._derived)

    def seal(self, field: str, value: bytes, *, subject: str | None, job_id: str) -> bytes:
        if not value:
            return value
        key_id, nonce = self._current, os.urandom(NONCE_BYTES)
        cipher = self._cipher(key_id, subject or "", job_id)
        sealed = cipher.encrypt(nonce, value, _place(subject, job_id, field, key_id))
        return b"%s%s:%s" % (SEALED, key_id.encode(), b64encode(nonce + sealed))

    def open(self, field: str, value: bytes, *, subject: str | None, job_id: str) -> bytes:
        if not value:
            return value
        if not value.startswith(SEALED):
            return self._plain(field, value, job_id)
        named, _, text = value[len(SEALED) :].partition(b":")
        key_id = named.decode("ascii", "replace")
        if key_id not in self._keys:
            raise _unreadable("DATA_ENCRYPTION_KEY lacks the key that it was sealed with", field, job_id)
        try:
            nonce, sealed = _taken_apart(text)
            cipher = self._cipher(key_id, subject or "", job_id)
            return cipher.decrypt(nonce, sealed, _place(subject, job_id, field, key_id))
        except (InvalidTag, ValueError):
            raise _unreadable("it was changed, or sealed for another place", field, job_id) from None

    def digest(self, value: bytes) -> str:
        return _keyed_digest(self._current, self._keys[self._current], value)

    def has_digest(self, value: bytes, digest: str) -> bool:
        key_id, keyed, _ = digest.partition(":")
        if not keyed and not self.strict:
            return UNSEALED.has_digest(value, digest)
        if key_id not in self._keys:
            raise _unreadable("DATA_ENCRYPTION_KEY lacks the key of its digest", "digest", "")
        return hmac.compare_digest(digest, _keyed_digest(key_id, self._keys[key_id], value))

    def _plain(self, field: str, value: bytes, job_id: str) -> bytes:
        if self.strict:
            raise _unreadable("it is not sealed, and JOBSTREAM_ENCRYPTION_MIGRATING is not set", field, job_id)
        return UNSEALED.open(field, value, subject=None, job_id=job_id)

    def _derived(self, key_id: str, subject: str, job_id: str) -> AESGCM:
        return AESGCM(hmac.digest(self._keys[key_id], b"jobstream seal " + orjson.dumps([subject, job_id]), "sha256"))


def sealer_of(keys: str | None, *, migrating: bool = False) -> Sealer:
    """The sealer for the value of DATA_ENCRYPTION_KEY; ValueError, which does not repeat it, for a bad one."""
    given = [_key(each) for each in keys.split(",")] if keys else []
    if len(set(given)) < len(given):
        raise ValueError("the same key is there twice")
    return Ring(given, migrating=migrating) if given else UNSEALED


def _key(text: str) -> bytes:
    """A key of 32 bytes in hexadecimal or base64, the usual or the URL-safe one, with or without padding."""
    text = text.strip()
    try:
        padded = text.replace("-", "+").replace("_", "/").rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
        key = bytes.fromhex(text) if len(text) == 2 * KEY_BYTES else b64decode(padded, validate=True)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError("each key is 32 bytes in base64 or hexadecimal: `openssl rand -base64 32` makes one")
    return key


def _key_id(key: bytes) -> str:
    """What tells keys apart; nothing of the key can be learned from it."""
    return hmac.digest(key, b"jobstream key id", "sha256").hex()[:12]


def _keyed_digest(key_id: str, key: bytes, value: bytes) -> str:
    own = hmac.digest(key, b"jobstream digest", "sha256")
    return f"{key_id}:{hmac.digest(own, value, 'sha256').hex()}"


def _place(subject: str | None, job_id: str, field: str, key_id: str) -> bytes:
    return orjson.dumps([subject or "", job_id, field, key_id])


def _taken_apart(text: bytes) -> tuple[bytes, bytes]:
    """Nonce and ciphertext; ValueError for base64 that we did not write, since several may say the same."""
    held = b64decode(text)
    if b64encode(held) != text:
        raise ValueError("not our base64")
    return held[:NONCE_BYTES], held[NONCE_BYTES:]


def _unreadable(why: str, field: str, job_id: str) -> IntegrityError:
    log.error("a stored value cannot be opened", why=why, field=field, job_id=job_id or None)
    return IntegrityError("What the store holds of this cannot be opened.")
