"""Who may do what: finds a request's credential, and decides what it is enough for."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from jobs.errors import JobNotFound
from jobs.model import JobId
from service.credentials import Browser, Caller, Keyring, Operator, Service, Watcher
from service.errors import Forbidden, NoCredential, Unauthorized

COOKIE = "__Host-jobstream"
HEADER = "x-background-function-auth-token"


@dataclass(frozen=True)
class Access:
    """What one caller may do."""

    caller: Caller

    @property
    def expires(self) -> float | None:
        """When the credential ends, in seconds since the epoch; None for a secret."""
        return self.caller.expires if isinstance(self.caller, Browser | Watcher) else None

    def subject_for(self, kind: str, asked: str | None) -> str | None:
        """Whose job a submission becomes; Forbidden where the caller may not submit it."""
        match self.caller:
            case Service() | Operator():
                return asked
            case Browser(subject=subject):
                if f"submit:{kind}" not in self.caller.scopes:
                    raise Forbidden(f"This token may not submit {kind} jobs.")
                if asked not in (None, subject):
                    raise Forbidden("A browser token submits for its own subject alone.")
                return subject
        raise Forbidden("A stream token reads one job, and submits none.")

    def check_read(self, job_id: JobId, subject: str | None) -> None:
        """JobNotFound unless the caller may read the job: a foreign job looks like none."""
        match self.caller:
            case Service() | Operator():
                return
            case Browser():
                self._own(subject, "read")
            case Watcher(job_id=own):
                if own != job_id:
                    raise JobNotFound(NO_SUCH_JOB)

    def reads(self, job_id: JobId, subject: str | None) -> bool:
        """Whether the caller may read the job."""
        try:
            self.check_read(job_id, subject)
        except (JobNotFound, Forbidden):
            return False
        return True

    def check_cancel(self, subject: str | None) -> None:
        """JobNotFound or Forbidden unless the caller may cancel the job."""
        match self.caller:
            case Service() | Operator():
                return
            case Browser():
                self._own(subject, "cancel")
            case Watcher():
                raise Forbidden("A stream token reads one job, and cancels none.")

    def check_submit_own(self, kind: str, subject: str | None) -> None:
        """JobNotFound or Forbidden unless the caller may start the job again."""
        match self.caller:
            case Service() | Operator():
                return
            case Browser():
                self._own(subject, f"submit:{kind}")
            case Watcher():
                raise Forbidden("A stream token reads one job, and starts none.")

    def own_subject(self, scope: str) -> str | None:
        """Whose things the caller may list: None for everybody's; Forbidden without the scope."""
        match self.caller:
            case Service() | Operator():
                return None
            case Browser():
                self._own(self.caller.subject, scope)
                return self.caller.subject
        raise Forbidden("A stream token reads one job, and no lists.")

    def sender(self, asked: str | None) -> str | None:
        """Whose event it becomes; Forbidden where the caller may not send for that subject."""
        match self.caller:
            case Service() | Operator():
                return asked
            case Browser(subject=subject) if asked in (None, subject):
                return subject
        raise Forbidden("This token sends no events for that subject.")

    def check_service(self) -> None:
        """Forbidden unless the caller holds a secret."""
        if not isinstance(self.caller, Service | Operator):
            raise Forbidden("This needs the service secret.")

    def check_mint(self) -> None:
        """Forbidden unless the caller may make tokens for browsers."""
        if not isinstance(self.caller, Service | Operator):
            raise Forbidden("Only the service secret makes browser tokens.")

    def _own(self, subject: str | None, scope: str) -> None:
        assert isinstance(self.caller, Browser)  # noqa: S101  # for the type checker
        if scope not in self.caller.scopes:
            raise Forbidden(f"This token has no {scope} scope.")
        if subject != self.caller.subject:
            raise JobNotFound(NO_SUCH_JOB)


NO_SUCH_JOB = "No job has this id, or it has expired."


class Auth:
    """Finds the credential of a request: the first of its places counts, even if a later one would be better."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def access(self, connection: HTTPConnection, *, in_url: bool = False) -> Access:
        """What the caller may do. `in_url` reads `?token=` too, for streams alone: EventSource has no headers."""
        if not self._keyring.configured:
            self._keyring.identify("")  # says what to set, whatever was sent
        return Access(self._keyring.identify(self._presented(connection, in_url=in_url)))

    def accesses(self, connection: HTTPConnection) -> list[Access]:
        """What each credential of a stream over many jobs allows; `?token=` may come once for each job."""
        if connection.headers.get("authorization") or connection.headers.get(HEADER):
            return [self.access(connection)]
        tokens = connection.query_params.getlist("token")
        if len(tokens) <= 1:
            return [self.access(connection, in_url=True)]
        return [Access(self._keyring.identify(token)) for token in tokens]

    def _presented(self, connection: HTTPConnection, *, in_url: bool) -> str:
        if authorization := _only(connection, "authorization"):
            scheme, _, credential = authorization.partition(" ")
            if scheme.lower() != "bearer":
                raise Unauthorized("Send the credential as a bearer token.")
            return credential.strip()
        if secret := _only(connection, HEADER):
            return secret
        if in_url and (token := connection.query_params.get("token")):
            return token
        if (cookie := connection.cookies.get(COOKIE)) and _same_origin(connection):
            return cookie
        raise NoCredential("Send a credential.")


def _only(connection: HTTPConnection, name: str) -> str | None:
    """The header's value; a credential sent twice is none, since two readers could take different ones."""
    values = connection.headers.getlist(name)
    if len(values) > 1:
        raise Unauthorized(f"The header {name} came more than once.")
    return values[0] if values else None


def _same_origin(connection: HTTPConnection) -> bool:
    """Whether our own page sent the cookie: no other site may act in its visitor's name."""
    if site := connection.headers.get("sec-fetch-site"):
        return site == "same-origin"
    if not (origin := connection.headers.get("origin")):
        return False
    return urlsplit(origin).netloc == connection.headers.get("host")
