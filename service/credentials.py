"""Who is asking: the credentials that callers hold, and the tokens that are made for browsers."""

import hashlib
import hmac
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import jwt

from jobs import clock
from jobs.model import JobId
from service.errors import ServerMisconfigured, Unauthorized

ALGORITHM = "HS256"
STREAM = "stream"
BROWSER = "browser"
OPERATOR = "operator"
LEEWAY_SECONDS = 30
LONGEST_SECRET = 512
LONGEST_TOKEN = 4096


@dataclass(frozen=True)
class Service:
    """The app's own server: everything but the operator's."""


@dataclass(frozen=True)
class Operator:
    """Whoever runs the service: everything; until a moment if it is a cookie that says so."""

    expires: float | None = None


@dataclass(frozen=True)
class Browser:
    """A page of one subject: what its scopes name, on the subject's own jobs."""

    subject: str
    scopes: frozenset[str]
    expires: float


@dataclass(frozen=True)
class Watcher:
    """Whoever holds a job's stream token: reads that one job."""

    job_id: JobId
    expires: float


Caller = Service | Operator | Browser | Watcher


@dataclass(frozen=True)
class Token:
    """A signed token, and when it ends as the wire writes it."""

    token: str
    expires_at: str


class Keyring:
    """Checks secrets and tokens, and signs tokens with the first of its keys; two of each allow rotation."""

    def __init__(self, *, service: Sequence[str], operator: Sequence[str], signing: Sequence[str]) -> None:
        self._service = [_digest(secret) for secret in service]
        self._operator = [_digest(secret) for secret in operator]
        self._signing = [_key(secret) for secret in signing or service or operator]
        self._signing_operator = [_key(secret) for secret in operator]

    @property
    def configured(self) -> bool:
        """Whether there is any secret to check a caller with."""
        return bool(self._service or self._operator)

    def identify(self, presented: str) -> Caller:
        """Whose secret or token it is; Unauthorized if nobody's."""
        if not self.configured:
            raise ServerMisconfigured("Set BACKGROUND_FUNCTION_AUTH_TOKEN and start the service again.")
        if len(presented) > LONGEST_TOKEN or not presented.isascii():
            raise Unauthorized("The credential is not valid.")
        if len(presented) <= LONGEST_SECRET:
            digest = _digest(presented)
            if _among(digest, self._operator):
                return Operator()
            if _among(digest, self._service):
                return Service()
        return _caller(_claims(presented, self._signing, [STREAM, BROWSER]))

    def stream_token(self, job_id: JobId, *, seconds: float) -> Token:
        """A token that reads this one job."""
        return _sign({"aud": STREAM, "job": job_id}, self._signing, seconds)

    def browser_token(self, subject: str, scopes: frozenset[str], *, seconds: float) -> Token:
        """A token for a page of the subject, for what the scopes name."""
        return _sign({"aud": BROWSER, "sub": subject, "scopes": sorted(scopes)}, self._signing, seconds)

    def operator_token(self, *, seconds: float) -> Token:
        """What the operator's cookie holds; the operator secret alone signs it, so no other one can make it."""
        return _sign({"aud": OPERATOR}, self._signing_operator, seconds)

    def identify_operator(self, cookie: str) -> Operator:
        """Whoever the operator's cookie belongs to; Unauthorized if it is no good any more."""
        claims = _claims(cookie, self._signing_operator, [OPERATOR])
        return Operator(expires=float(claims["exp"]))


def _sign(claims: dict[str, object], keys: list[bytes], seconds: float) -> Token:
    if not keys:
        raise ServerMisconfigured("Set BACKGROUND_FUNCTION_AUTH_TOKEN and start the service again.")
    expires = int(time.time() + seconds)
    token = jwt.encode({**claims, "exp": expires}, keys[0], algorithm=ALGORITHM)
    return Token(token, clock.stamp(datetime.fromtimestamp(expires, UTC)))


def _claims(token: str, keys: list[bytes], audience: list[str]) -> dict[str, Any]:
    """What the token says; Unauthorized unless one of the keys has signed it for this use, and it still holds."""
    for key in keys:
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=audience,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "aud"]},
            )
        except jwt.InvalidTokenError:
            continue
        return claims
    raise Unauthorized("The credential is not valid, or it has expired.")


def _caller(claims: dict[str, Any]) -> Browser | Watcher:
    match claims:
        case {"aud": "stream", "job": str(job_id), "exp": int(expires)}:
            return Watcher(JobId(job_id), float(expires))
        case {"aud": "browser", "sub": str(subject), "scopes": list(scopes), "exp": int(expires)}:
            return Browser(subject, frozenset(str(scope) for scope in scopes), float(expires))
    raise Unauthorized("The credential is not valid.")


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _among(digest: bytes, known: list[bytes]) -> bool:
    """Compared in the same time, whatever fits and whichever it is."""
    fits = [hmac.compare_digest(digest, each) for each in known]
    return any(fits)


def _key(secret: str) -> bytes:
    """A signing key made of a secret, so that no signature tells anything of the secret itself."""
    return hmac.digest(secret.encode(), b"jobstream token signing 1", "sha256")
