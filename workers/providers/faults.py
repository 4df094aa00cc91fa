"""The sentences that tell a provider's failure: what happened and the provider's own word for it, and never
what was asked or answered, or a key."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite

import anyio
import httpx2

from workers.provider import ProviderError, ProviderTruncated

MAX_RETRY_AFTER_SECONDS = 120.0
"""Longer waits are cut to this: a job rather fails and is tried again later than holds a worker for hours."""

TOO_MANY_REQUESTS = 429
_TRANSIENT_STATUSES = frozenset({408, 409, 425, 429})
_ADVICE = {
    401: "; check its key",
    403: "; check what its key may do",
    404: "; check the model's name and the base URL",
}
_WORD = re.compile(r"[A-Za-z][A-Za-z_]{1,63}")  # no digits: a key is not a word
_LASTING_WORDS = re.compile(
    r"invalid|authenticat|permission|billing|quota|not_found|policy|unsupported|too_large|context_length",
    re.IGNORECASE,
)


def refused(title: str, status: int, *, word: object = None, retry_after: float | None = None) -> ProviderError:
    """The provider answered with an error status; 408, 409, 425, 429 and 5xx are worth another try."""
    lasting = 300 <= status < 500 and status not in _TRANSIENT_STATUSES
    return ProviderError(
        f"{title} refused the request with status {status}{_own(word)}{_ADVICE.get(status, '')}.",
        retryable=not (lasting or word == "insufficient_quota"),
        retry_after=retry_after,
        rate_limited=status == TOO_MANY_REQUESTS,
    )


def failed(title: str, word: object = None) -> ProviderError:
    """The provider took the question and then reported an error; only some kinds of it last."""
    lasting = isinstance(word, str) and _LASTING_WORDS.search(word) is not None
    return ProviderError(f"{title} failed while it was answering{_own(word)}.", retryable=not lasting)


def withheld(title: str, word: object) -> ProviderError:
    """The provider's filter stopped the answer; the same question would be stopped again."""
    return ProviderError(f"{title} stopped its answer{_own(word)}.", retryable=False)


def silent(title: str, seconds: float) -> ProviderError:
    """The provider sent not a byte."""
    return ProviderError(f"{title} sent nothing for {seconds:g} s.", retryable=True)


def stuck(title: str, seconds: float) -> ProviderError:
    """The provider sent keep-alives and nothing else."""
    return ProviderError(f"{title} did not get on with its answer for {seconds:g} s.", retryable=True)


def unreachable(title: str) -> ProviderError:
    """There was no connection to the provider."""
    return ProviderError(f"{title} could not be reached.", retryable=True)


def cut(title: str) -> ProviderTruncated:
    """The answer ended before its terminal marker."""
    return ProviderTruncated(f"{title}'s answer broke off before its end.", retryable=True)


def unreadable(title: str) -> ProviderError:
    """The provider sent something that is not of its wire format."""
    return ProviderError(f"{title} sent something that cannot be read.", retryable=True)


def miscalled(title: str) -> ProviderError:
    """The model wrote a call of a tool that is none."""
    return ProviderError(f"{title} called a tool with arguments that are no JSON object.", retryable=True)


def unsendable(title: str) -> ProviderError:
    """The request cannot be made from what we were given."""
    return ProviderError(
        f"The request to {title} cannot be sent; check its base URL, its key and the model's name.",
        retryable=False,
    )


def of_transport(title: str, error: BaseException | None) -> ProviderError | None:
    """What went wrong below the SDK; None: nothing of HTTP."""
    match error:
        case httpx2.UnsupportedProtocol() | httpx2.LocalProtocolError() | httpx2.InvalidURL():
            return unsendable(title)
        case UnicodeEncodeError():  # its repr would show the key
            return unsendable(title)
        case httpx2.ReadTimeout():
            return silent(title, error.request.extensions["timeout"]["read"])
        case httpx2.ConnectError() | httpx2.ConnectTimeout() | httpx2.PoolTimeout() | httpx2.ProxyError():
            return unreachable(title)
        case httpx2.DecodingError():
            return unreadable(title)
        # Faults of TLS leave httpx2 as anyio's or the operating system's own.
        case httpx2.HTTPError() | anyio.EndOfStream() | anyio.BrokenResourceError() | OSError():
            return cut(title)
    return None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that we are asked to wait: `retry-after-ms`, else `Retry-After`, a number or a date."""
    if (milliseconds := _number(headers.get("retry-after-ms"))) is not None:
        return bounded(milliseconds / 1000)
    value = headers.get("retry-after")
    if (seconds := _number(value)) is not None:
        return bounded(seconds)
    return _until(value) if value else None


def bounded(seconds: float) -> float:
    """A wait that is neither negative nor longer than we accept."""
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS)


def _number(value: str | None) -> float | None:
    try:
        number = float(value or "")
    except ValueError:
        return None
    return number if isfinite(number) else None


def _until(date: str) -> float | None:
    try:
        when = parsedate_to_datetime(date)
    except ValueError:
        return None
    return bounded((when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def _own(word: object) -> str:
    return f" ({word})" if isinstance(word, str) and _WORD.fullmatch(word) else ""
