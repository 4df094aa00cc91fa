"""A dialect's question as a chat job of one provider, by the same checks and limits as a native submission."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar, get_args

from fastapi import Depends
from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from jobs.errors import InvalidInput, JobNotFound, Violation
from jobs.kind import AnyKind, ProviderName
from jobs.log import Head
from jobs.model import JobId, JsonObject
from service.api import AccessOf, Api, ApiOf, GuestOf, RequestId
from service.auth import NO_SUCH_JOB, Access
from service.body import read_json
from service.intake import take
from service.limits import Guest
from service.submission import SubmissionBody, violations
from service.threads import Threads

KIND = "chat"
PROVIDERS: tuple[str, ...] = get_args(ProviderName)

Body = TypeVar("Body", bound=BaseModel)


@dataclass(frozen=True)
class Caller:
    """Who asks, and through which doors the answer comes."""

    api: Api
    access: Access
    guest: Guest | None
    request_id: str

    @property
    def _kind(self) -> AnyKind:
        return self.api.kinds[KIND]

    async def body(self, request: Request, model: type[Body]) -> Body:
        """The request's body as its type; InvalidInput names every field that is wrong."""
        return _valid(model, await read_json(request, limit=self._kind.body_limit))

    async def ask(
        self, chat: JsonObject, *, metadata: dict[str, str] | None = None, thread: tuple[str, str] | None = None
    ) -> JobId:
        """The job that answers. A thread is a dialect and a conversation's name in it; this is its newest job."""
        room = await self.api.limits.submission(self.guest)
        body = _valid(SubmissionBody, {"kind": KIND, "input": chat, "metadata": metadata or {}})
        submitted = await take(self.api, self.access, body, key=None, request_id=self.request_id, room=room)
        if thread is not None:
            dialect, name = thread
            subject = self.access.subject_for(KIND, None)
            await Threads(self.api.client, dialect).begin(subject, name, submitted.job_id)
        return submitted.job_id

    async def newest(self, dialect: str, thread: str, scope: str) -> tuple[JobId, Head] | None:
        """The thread's newest job, if there is one that the caller may do this with."""
        subject = self.access.own_subject(scope)
        job_id = await Threads(self.api.client, dialect).newest(subject, thread)
        if job_id is None:
            return None
        try:
            head = await self.api.log.head(job_id)
        except JobNotFound:
            return None
        self.access.check(scope, job_id, head.subject)
        return job_id, head

    async def chat(self, job_id: str) -> tuple[JobId, Head]:
        """The job, if it is a chat that the caller may read."""
        known, head = await self.api.readable(job_id, self.access)
        if head.kind != KIND:
            raise JobNotFound(NO_SUCH_JOB)
        return known, head


async def caller_of(api: ApiOf, access: AccessOf, guest: GuestOf, request_id: RequestId) -> Caller:
    return Caller(api, access, guest, request_id)


CallerOf = Annotated[Caller, Depends(caller_of)]


def answered_by(model: str | None) -> JsonObject:
    """The part of a chat's input that says who answers: `<provider>/<model>`, or `<provider>` with its default
    model; without a word the first provider that is configured."""
    if model is None:
        return {"provider": "first"}
    provider, slash, name = model.partition("/")
    if provider not in PROVIDERS or (slash and not name):
        wrong = Violation("/model", f"must be one of {', '.join(PROVIDERS)}, or <provider>/<model>")
        raise InvalidInput("There is no such model.", violations=(wrong,))
    return {"models": {provider: name}} if name else {"provider": provider}


def conversation(said: Sequence[tuple[str, str]]) -> JsonObject:
    """The part of a chat's input that is the conversation; whoever is neither user nor assistant instructs both.
    Messages without text are left out."""
    turns = [{"role": role, "content": text} for role, text in said if role in ("user", "assistant") and text]
    system = "\n\n".join(text for role, text in said if role not in ("user", "assistant") and text)
    return {"messages": turns, **({"system": system} if system else {})}


def not_taken(pointer: str, what: str) -> InvalidInput:
    """The refusal of something that can't be left out without changing what was asked."""
    return InvalidInput("The request asks for more than is served here.", violations=(Violation(pointer, what),))


def _valid(model: type[Body], sent: JsonObject) -> Body:
    try:
        return model.model_validate(sent)
    except ValidationError as error:
        raise InvalidInput("The request is not valid.", violations=violations(error)) from None
