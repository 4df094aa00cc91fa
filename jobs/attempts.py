"""Attempts: who tried a job when, and how that ended; and which providers were asked on the way."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, get_args

import orjson
from pydantic import JsonValue

from jobs import keys
from jobs.connection import Client, store_faults
from jobs.contents import Contents, field_of
from jobs.errors import JobNotFound
from jobs.kind import Answer, ProviderName, answer_step, leads_to
from jobs.model import JobId, JsonObject

UNASKED: JsonObject = {
    "model": None,
    "attempt": None,
    "started_at": None,
    "elapsed": None,
    "first_token": None,
    "input_tokens": None,
    "output_tokens": None,
    "cost": None,
}
"""What is not known of a call before it is answered."""

_OF_AN_ANSWER = {field.name for field in fields(Answer)} - {"calls"}
_RECORD = ["subject", "request_id", "claimed_at", "token", "run", "attempt"]


class Attempts:
    """The past of the jobs of one store, as far as it is kept with them."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def history(self, snapshot: JsonObject) -> JsonObject:
        """How the job came to be as its snapshot has it: `attempts`, oldest first, the newest hundred and the one
        under way; `calls` of providers; `failures`; and the `request_id` that it came with. None of it tells what
        the job was given, said or made."""
        job_id = JobId(snapshot["id"])
        with store_faults():
            async with self._client.pipeline(transaction=False) as pipe:
                pipe.hmget(keys.job(job_id), _RECORD)
                pipe.lrange(keys.attempts(job_id), 0, -1)
                pipe.lrange(keys.failures(job_id), 0, -1)
                pipe.hgetall(keys.kept(job_id))
                facts, attempts, failures, kept = await pipe.execute()
        if facts[0] is None:
            raise JobNotFound("No job has this id, or it has expired.")
        record = {name: (value or b"").decode() for name, value in zip(_RECORD, facts, strict=True)}
        contents = Contents(self._client.sealer, job_id, record["subject"] or None)
        failed = [orjson.loads(contents.open_inside(failure)) for failure in failures]
        return {
            "attempts": _attempts([orjson.loads(each) for each in attempts], record, failed),
            "calls": list(_calls(snapshot, dict(_opened(contents, kept)))),
            "failures": failed,
            "request_id": record["request_id"] or None,
        }


def _attempts(ended: list[JsonObject], record: Mapping[str, str], failures: list[JsonObject]) -> list[JsonObject]:
    """The attempts, each with the type of the error that it failed with."""
    types = {(each["run"], each["attempt"]): (each["error"] or {}).get("type") for each in failures}
    for attempt in ended:
        if attempt["outcome"] == "retrying":
            attempt["error_type"] = types.get((attempt["run"], attempt["attempt"]))
    return [*ended, *_under_way(record)]


def _under_way(record: Mapping[str, str]) -> Iterator[JsonObject]:
    if record["claimed_at"]:
        yield {
            "run": int(record["run"]),
            "attempt": int(record["attempt"]),
            "worker": record["token"].rpartition("-")[0],
            "started_at": record["claimed_at"],
            "finished_at": None,
            "outcome": None,
            "error_type": None,
        }


def _opened(contents: Contents, kept: dict[bytes, bytes]) -> Iterator[tuple[str, JsonValue]]:
    for name, value in kept.items():
        yield name.decode(), orjson.loads(contents.open(field_of("kept", name.decode()), value))


def _calls(snapshot: JsonObject, kept: dict[str, JsonValue]) -> Iterator[JsonObject]:
    """Each answer that a step kept, and each part that has none: a provider is answering it, or has failed."""
    parts, steps = snapshot["parts"], {step["name"]: step for step in snapshot["steps"]}
    answered = set()
    for name, value in kept.items():
        if isinstance(value, dict) and value.keys() >= _OF_AN_ANSWER:
            part = _part_of(name, parts)
            answered.add(part)
            yield _call(part, name, value, steps.get(name))
    for part, said in parts.items():
        if part not in answered and _was_asked(said):
            step = answer_step(part)
            yield _call(part, step, said, steps.get(step))


def _was_asked(part: JsonObject) -> bool:
    """Whether a provider was asked into the part; one that was merely shown is complete at once, of no model."""
    return part["model"] is not None or part["state"] in ("running", "failed")


def _call(part: str | None, step: str, said: Mapping[str, Any], about: JsonObject | None) -> JsonObject:
    usage = said["usage"] or {}
    return {
        "part": part,
        "step": step,
        "provider": part if part in get_args(ProviderName) else None,
        **UNASKED,
        **{name: said[name] for name in ("model", "elapsed", "first_token")},
        **{name: usage.get(name) for name in ("input_tokens", "output_tokens", "cost")},
        **({name: about[name] for name in ("attempt", "started_at")} if about else {}),
    }


def _part_of(step: str, parts: JsonObject) -> str | None:
    """The part that the step answered into, None where its name does not say."""
    return next((part for part in parts if leads_to(part, step)), None)
