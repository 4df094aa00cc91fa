"""What a client may say on a WebSocket of many jobs."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from service.errors import InvalidRequest


class _Op(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Subscribe(_Op):
    """Follow a job, from a cursor if there is one, with a token of its own if the connection's is not enough."""

    op: Literal["subscribe"]
    job: str
    after: str | None = None
    token: str | None = None


class Unsubscribe(_Op):
    """Follow a job no more."""

    op: Literal["unsubscribe"]
    job: str


class Cancel(_Op):
    """Ask for the end of a job."""

    op: Literal["cancel"]
    job: str


class Ping(_Op):
    """Ask for a sign of life."""

    op: Literal["ping"]


Op = Subscribe | Unsubscribe | Cancel | Ping

_OPS: TypeAdapter[Op] = TypeAdapter(Annotated[Op, Field(discriminator="op")])


def read_op(text: str) -> Op:
    """The op that the message spells; InvalidRequest for all else."""
    try:
        return _OPS.validate_json(text)
    except ValidationError:
        raise InvalidRequest("A message is one op: subscribe, unsubscribe, cancel or ping.") from None
