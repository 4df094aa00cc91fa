"""What the edge itself refuses, beside the errors of `jobs`; each with the protocol's code."""

from jobs.errors import JobError


class InvalidJson(JobError):
    """The body is not JSON that can be kept: send RFC 8259 JSON in UTF-8 without NaN, NUL or lone surrogates."""

    code = "invalid-json"
    title = "The body is not usable JSON"


class InvalidRequest(JobError):
    """The request contradicts itself; the message says where."""

    code = "invalid-request"
    title = "The request contradicts itself"


class MalformedRequest(InvalidRequest):
    """The request is not HTTP that can be read in one way only."""

    title = "The request is malformed"


class RequestTimeout(JobError):
    """The request took too long to arrive; send it again."""

    code = "request-timeout"
    title = "The request took too long"


class HeadersTooLarge(JobError):
    """The request line and headers are too large."""

    code = "headers-too-large"
    title = "The headers are too large"


class Unauthorized(JobError):
    """No credential, or one that is wrong or has expired."""

    code = "unauthorized"
    title = "A valid credential is needed"


class NoCredential(Unauthorized):
    """No credential was sent at all."""


class Forbidden(JobError):
    """The credential is right but not enough for this."""

    code = "forbidden"
    title = "The credential does not allow this"


class NotFound(JobError):
    """Nothing is served at this path."""

    code = "not-found"
    title = "Nothing is here"


class MethodNotAllowed(JobError):
    """The path is right, the method is not; `Allow` names those that are."""

    code = "method-not-allowed"
    title = "Not with this method"


class PayloadTooLarge(JobError):
    """The body is over the limit of its kind; GET /v1/kinds names the limits."""

    code = "payload-too-large"
    title = "The body is too large"


class UnsupportedMediaType(JobError):
    """The body is not of a type that is read here; send application/json."""

    code = "unsupported-media-type"
    title = "Send application/json"


class ServerMisconfigured(JobError):
    """No secret is set: set BACKGROUND_FUNCTION_AUTH_TOKEN and start again."""

    code = "server-misconfigured"
    title = "The service has no secret to check callers with"


class NothingSigns(ServerMisconfigured):
    """A webhook was asked for, and no secret is set for its host: set JOBSTREAM_WEBHOOK_SECRET and start again."""

    title = "The service has no secret to sign this webhook with"


class OriginNotAllowed(JobError):
    """The page that sent this is of an origin that may not; name it in JOBSTREAM_ORIGINS."""

    code = "origin-not-allowed"
    title = "Pages of this origin may not do this"


class RateLimited(JobError):
    """This came too often; wait as long as Retry-After says."""

    code = "rate-limited"
    title = "Too many requests"

    def __init__(self, detail: str, *, wait_seconds: float) -> None:
        super().__init__(detail)
        self.wait_seconds = wait_seconds


class TooManyStreams(JobError):
    """As many streams are open as may be; close one, or follow many jobs on one stream."""

    code = "too-many-streams"
    title = "Too many streams at once"
    wait_seconds = 5.0


class TooManyConnections(JobError):
    """This process has as many connections open as it can; come back a little later, or to another one."""

    code = "too-many-connections"
    title = "Too many connections at once"
