"""Who may do what: finds a request's credential, and decides what it is enough for."""

from dataclasses import dataclass

from starlette.requests import HTTPConnection

from jobs.errors import JobNotFound
from jobs.model import JobId
from service.credentials import Browser, Caller, Keyring, Operator, Service, Watcher
from service.errors import Forbidden, InvalidRequest, NoCredential, Unauthorized
from service.origins import same_origin

COOKIE = "__Host-jobstream"
OPERATOR_COOKIE = "__Host-jobstream-operator"
OPERATOR_PATHS = ("/operator", "/v1/operator/")
HEADER = "x-background-function-auth-token"
MOST_TOKENS = 32

READ, CANCEL = "read", "cancel"
"""Scopes; those that submit are named by `submit`."""


@dataclass(frozen=True)
class Access:
    """What one caller may do."""

    caller: Caller

    @property
    def expires(self) -> float | None:
        """When the credential ends, in seconds since the epoch; None for a secret."""
        return None if isinstance(self.caller, Service) else self.caller.expires

    def subject_for(self, kind: str, asked: str | None) -> str | None:
        """Whose job a submission becomes; Forbidden where the caller may not submit it."""
        match self.caller:
            case Service() | Operator():
                return asked
            case Browser(subject=subject):
                if submit(kind) not in self.caller.scopes:
                    raise Forbidden(f"This token may not submit {kind} jobs.")
                if asked not in (None, subject):
                    raise Forbidden("A browser token submits for its own subject alone.")
                return subject
        raise Forbidden("A stream token reads one job, and submits none.")

    def check(self, scope: str, job_id: JobId, subject: str | None) -> None:
        """JobNotFound for a job that is not the caller's, as for one that never was; Forbidden for one that is,
        where the scope is lacking."""
        match self.caller:
            case Browser(subject=own, scopes=scopes):
                if own != subject:
                    raise JobNotFound(NO_SUCH_JOB)
                if scope not in scopes:
                    raise Forbidden(f"This token has no {scope} scope.")
            case Watcher(job_id=own_job):
                if own_job != job_id:
                    raise JobNotFound(NO_SUCH_JOB)
                if scope != READ:
                    raise Forbidden("A stream token reads one job, and does nothing else.")

    def reads(self, job_id: JobId, subject: str | None) -> bool:
        """Whether the caller may read the job."""
        try:
            self.check(READ, job_id, subject)
        except (JobNotFound, Forbidden):
            return False
        return True

    def own_subject(self, scope: str) -> str | None:
        """Whose things the caller may list: None for everybody's; Forbidden without the scope."""
        match self.caller:
            case Service() | Operator():
                return None
            case Browser(subject=subject, scopes=scopes) if scope in scopes:
                return subject
        raise Forbidden(f"This token has no {scope} scope.")

    def owner(self, scope: str, asked: str | None) -> str | None:
        """Whose conversations, sessions and trees the caller means: a page its own subject's, whatever it asks for; a
        secret those of the subject that it names, or nobody's for None. Forbidden without the scope."""
        match self.caller:
            case Service() | Operator():
                return asked
            case Browser(subject=subject, scopes=scopes) if scope in scopes:
                return subject
        raise Forbidden(f"This token has no {scope} scope.")

    def sender(self, asked: str | None) -> str | None:
        """Whose event it becomes; Forbidden where the caller may not send for that subject."""
        match self.caller:
            case Service() | Operator():
                return asked
            case Browser(subject=subject, scopes=scopes) if asked in (None, subject):
                if any(scope.startswith(submit("")) for scope in scopes):
                    return subject
        raise Forbidden("This token sends no events for that subject.")

    def check_service(self) -> None:
        """Forbidden unless the caller holds a secret."""
        if not isinstance(self.caller, Service | Operator):
            raise Forbidden("This needs the service secret.")

    def check_operator(self) -> None:
        """Forbidden unless the caller is the operator."""
        if not isinstance(self.caller, Operator):
            raise Forbidden("This needs the operator's secret.")

    def check_mint(self) -> None:
        """Forbidden unless the caller may make tokens for browsers."""
        if not isinstance(self.caller, Service | Operator):
            raise Forbidden("Only the service secret makes browser tokens.")


def submit(kind: str) -> str:
    """The scope that submits jobs of the kind, and runs one's own again."""
    return f"submit:{kind}"


NO_SUCH_JOB = "No job has this id, or it has expired."


class Auth:
    """Finds the credential of a request: the first of its places counts, even if a later one would be better."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def access(self, connection: HTTPConnection, *, in_url: bool = False) -> Access:
        """What the caller may do. `in_url` reads `?token=` too, for streams alone: EventSource has no headers."""
        if not self._keyring.configured:
            self._keyring.identify("")  # says what to set, whatever was sent
        if (sent := self._sent(connection, in_url=in_url)) is not None:
            return Access(self._keyring.identify(sent))
        if not same_origin(connection.headers):
            raise NoCredential("Send a credential.")
        return Access(self._of_cookie(connection, streams=in_url))

    def accesses(self, connection: HTTPConnection) -> list[Access]:
        """What each credential of a stream over many jobs allows; `?token=` may come once for each job."""
        if connection.headers.get("authorization") or connection.headers.get(HEADER):
            return [self.access(connection)]
        tokens = connection.query_params.getlist("token")
        if len(tokens) <= 1:
            return [self.access(connection, in_url=True)]
        if len(tokens) > MOST_TOKENS:
            raise InvalidRequest(f"A stream takes {MOST_TOKENS} tokens at most.")
        return [Access(self._keyring.identify(token)) for token in tokens]

    def _sent(self, connection: HTTPConnection, *, in_url: bool) -> str | None:
        """The secret or token that the caller itself put into the request."""
        if authorization := _only(connection, "authorization"):
            scheme, _, credential = authorization.partition(" ")
            if scheme.lower() != "bearer":
                raise Unauthorized("Send the credential as a bearer token.")
            return credential.strip()
        if secret := _only(connection, HEADER):
            return secret
        return connection.query_params.get("token") or None if in_url else None

    def _of_cookie(self, connection: HTTPConnection, *, streams: bool) -> Caller:
        """Whom the browser's cookie stands for; the operator's counts on streams, logs and the operator's paths,
        and on no WebSocket, where a job can be cancelled without a note."""
        operators, pages = (connection.cookies.get(name) for name in (OPERATOR_COOKIE, COOKIE))
        path = connection.scope["path"]
        if operators and path.startswith(OPERATOR_PATHS):
            return self._keyring.identify_operator(operators)
        if operators and connection.scope["type"] == "http" and (streams or path.endswith("/updates")):
            try:
                return self._keyring.identify_operator(operators)
            except Unauthorized:
                if not pages:  # else a session that has ended takes no stream from the page
                    raise
        if pages:
            return self._keyring.identify(pages)
        raise NoCredential("Send a credential.")


def _only(connection: HTTPConnection, name: str) -> str | None:
    """The header's value; a credential sent twice is none, since two readers could take different ones."""
    values = connection.headers.getlist(name)
    if len(values) > 1:
        raise Unauthorized(f"The header {name} came more than once.")
    return values[0] if values else None
