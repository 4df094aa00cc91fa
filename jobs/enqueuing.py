"""arq's enqueue with one of our scripts in its transaction, which writes arq's entry and our record as one act."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

from arq.connections import ArqRedis
from redis.asyncio.client import Pipeline
from redis.exceptions import NoScriptError

from jobs import keys
from jobs.connection import Client, script_text, store_faults
from jobs.model import JobId

ARQ_FUNCTION = "run_job"
"""The one arq function that runs every kind."""

LIFETIME_SECONDS = 30 * 24 * 3600
"""How long a job that nobody runs is kept once it is due; arq's default would drop it after a day."""


@dataclass(frozen=True)
class Enqueuing:
    """One write to the queue: the script that goes with arq's entry, and the keys that must not exist yet."""

    job_id: JobId
    script: str
    arguments: list[str | bytes]
    new: list[str] = field(default_factory=list)
    expires_seconds: float = LIFETIME_SECONDS

    @property
    def sha(self) -> str:
        """How the store knows the script."""
        return hashlib.sha1(script_text(self.script).encode(), usedforsecurity=False).hexdigest()


async def enqueue(client: Client, enqueuing: Enqueuing) -> bytes | None:
    """What the script answered, empty for one that says nothing; None if nothing was written, be it that a key
    was there already or that the connection was lost on the way."""
    arq = _Arq(client, enqueuing)
    with store_faults():
        try:
            await arq.enqueue_job(
                ARQ_FUNCTION,
                enqueuing.job_id,
                _job_id=enqueuing.job_id,
                _expires=enqueuing.expires_seconds,
            )
        except NoScriptError:  # a new or restarted store; nothing was written
            await client.script_load(script_text(enqueuing.script))
            return None
    return arq.answer


class _Arq(ArqRedis):
    """arq's client for one write: what it enqueues carries our script."""

    def __init__(self, client: Client, enqueuing: Enqueuing) -> None:
        super().__init__(
            client.connection_pool, client.job_serializer, client.job_deserializer, client.default_queue_name
        )
        self._enqueuing = enqueuing
        self.answer: bytes | None = None

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> "_Transaction":  # noqa: FBT001, FBT002  # arq calls it so
        pipeline = _Transaction(self.connection_pool, self.response_callbacks, transaction, shard_hint)
        pipeline.arq, pipeline.enqueuing = self, self._enqueuing
        return pipeline


class _Transaction(Pipeline):
    """arq's transaction, which watches our keys too and hands arq's entry to our script. The script also sets the
    place in the queue: arq would take it from the enqueuer's clock, and the store's is the one that all share."""

    arq: _Arq
    enqueuing: Enqueuing
    _entry: tuple[Any, ...] = ()

    async def watch(self, *names: Any) -> None:  # type: ignore[override]  # the stubs disagree with each other
        await super().watch(*names, *self.enqueuing.new)

    def exists(self, *_names: Any) -> Any:
        """Whether the job is there: its record says so, since arq's own entry may be what a lost write left."""
        return super().exists(*self.enqueuing.new, *_NEVER)

    def psetex(self, name: Any, time_ms: Any, value: Any) -> Any:  # noqa: ARG002
        """arq's entry goes with the script: written by itself, it would stay where the store lacks the script."""
        self._entry = (time_ms, value)
        return self

    def zadd(self, name: Any, mapping: Any, *_arguments: Any, **_options: Any) -> Any:  # noqa: ARG002
        return self.evalsha(self.enqueuing.sha, 0, *self.enqueuing.arguments, *self._entry)  # type: ignore[arg-type]  # bytes are fine

    async def execute(self, raise_on_error: bool = True) -> list[Any]:  # noqa: FBT001, FBT002  # redis-py has it so
        answers: list[Any] = await super().execute(raise_on_error)
        if answers:
            self.arq.answer = answers[-1] or b""
        return answers


_NEVER = (f"{keys.PREFIX}never",)
"""EXISTS wants a name, also where no key must be new."""
