"""A job's contents on their way into the store and out of it: what of them is sealed, and for which field."""

import re
from collections import OrderedDict
from dataclasses import dataclass

import orjson

from jobs.encryption import SEALED, UNSEALED, Sealer
from jobs.errors import IntegrityError
from jobs.model import POISON

MOST_FAMILIAR = 50_000
"""Of some 200 bytes each."""

_WRITTEN_BY_THE_STORE = frozenset({"state", "end"})
"""The scripts put these together from plain facts and from what they were given sealed, which stands in their JSON
bare, as no JSON does; a quote inside a string has a backslash before it, so that no text looks like it."""

_BARE = SEALED + rb"[^,}]+"
_SEALED_INSIDE = re.compile(rb'"(result|error)":(%s)' % _BARE)
_DIGEST_INSIDE = re.compile(rb'"([^"]+)":(\{"state":"\w+","length":\d+,"sha256":)(%s)' % _BARE)
_ANY_INSIDE = re.compile(rb'(?<=\w":)%s' % _BARE)


@dataclass(frozen=True)
class Contents:
    """The contents of one job."""

    sealer: Sealer
    job_id: str
    subject: str | None

    def seal(self, field: str, value: bytes) -> bytes:
        """The value as the store keeps it in this field."""
        return self.sealer.seal(field, value, subject=self.subject, job_id=self.job_id)

    def open(self, field: str, value: bytes) -> bytes:
        """What was stored in this field; IntegrityError where it cannot be opened."""
        return self.sealer.open(field, value, subject=self.subject, job_id=self.job_id)

    def seal_update(self, event: str, body: bytes) -> bytes:
        """The update as the log keeps it."""
        return self.seal(f"update:{event}", body)

    def open_update(self, event: str, body: bytes) -> bytes:
        """The update as clients get it."""
        return self.open_inside(body) if event in _WRITTEN_BY_THE_STORE else self.open(f"update:{event}", body)

    def seal_head(self, part: str, head: str) -> str:
        """What the store must know of a part; the digest in it is sealed, or it would confirm a guess of the text."""
        state, _, proof = head.partition("|")
        length, _, digest = proof.partition("|")
        return f"{state}|{length}|{self.seal(_digest_of(part), digest.encode()).decode()}" if digest else head

    def open_inside(self, json: bytes) -> bytes:
        """JSON that the store put together, with all that is sealed in it opened; one line, if what was sealed is."""
        if self.sealer.strict:
            self._refuse_plain(_ANY_INSIDE.sub(b"null", json))
        if b":" + SEALED not in json:
            return json
        json = _DIGEST_INSIDE.sub(self._opened_digest, json)
        return _SEALED_INSIDE.sub(self._opened, json)

    def _opened(self, found: re.Match[bytes]) -> bytes:
        field, sealed = found.groups()
        return b'"%s":%s' % (field, self.open(field.decode(), sealed))

    def _opened_digest(self, found: re.Match[bytes]) -> bytes:
        part, facts, sealed = found.groups()
        return b'"%s":%s"%s"' % (part, facts, self.open(_digest_of(part.decode()), sealed))

    def _refuse_plain(self, facts: bytes) -> None:
        """IntegrityError for contents among the plain facts; the one error that the store knows itself is none."""
        try:
            told = orjson.loads(facts)
        except ValueError:
            raise IntegrityError("What the store holds of this was changed.") from None
        contents = {field: told.get(field) for field in ("result", "error")}
        contents |= {_digest_of(part): end["sha256"] for part, end in told.get("parts", {}).items()}
        for field, value in contents.items():
            if value is not None and value != POISON.model_dump():
                self.open(field, orjson.dumps(value))


class Familiar:
    """The contents of the jobs whose record was read last; whose they are is taken from there and nowhere else."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer
        self._held: OrderedDict[str, Contents] = OrderedDict()
        self._plain = Contents(sealer, "", None) if sealer is UNSEALED else None

    def learn(self, job_id: str, subject: str | None) -> Contents:
        """The job's contents, as its record was just read; IntegrityError where it was another subject's before."""
        held = self._held.get(job_id) or Contents(self._sealer, job_id, subject)
        if held.subject != subject:
            raise IntegrityError("The store answered about another subject's job.")
        if self._plain is None:
            self._held[job_id] = held
            self._held.move_to_end(job_id)
            if len(self._held) > MOST_FAMILIAR:
                self._held.popitem(last=False)
        return held

    def known(self, job_id: str) -> Contents | None:
        """The job's contents; None where they are sealed, and nobody has read here whose they are."""
        return self._plain or self._held.get(job_id)


def field_of(what: str, name: str = "") -> str:
    """The field of a part or a step, or of the job itself."""
    return f"{what}:{name}" if name else what


def _digest_of(part: str) -> str:
    return field_of("digest", part)
