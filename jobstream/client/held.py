"""What a watch holds of its job: folded from updates, each of which must follow what was held before."""

import json

from pydantic import ValidationError

from jobstream.client.errors import NotUnderstood
from jobstream.client.fold import JsonObject, UpdateMissed, fold
from jobstream.client.job import Job, is_proven
from jobstream.client.sse import Event


class Held:
    """The job as far as it was heard: a snapshot, and the cursor in it."""

    def __init__(self, snapshot: JsonObject) -> None:
        self._snapshot = snapshot if "parts" in snapshot else {}  # those of lists are not whole
        self.cursor: str | None = self._snapshot.get("cursor")
        self.ended = False
        self._disproved: set[str] = set()

    @property
    def job(self) -> Job:
        """The job, typed."""
        try:
            return Job.of(self._snapshot)
        except ValidationError as error:
            raise NotUnderstood("The service tells of a job that is none.") from error

    def take(self, event: Event) -> JsonObject:
        """Fold one update in, and tell what it says; UpdateMissed where it can't follow what is held, or a text is
        not the one written."""
        data = data_of(event)
        try:
            snapshot = fold(self._snapshot, event.name, data, str(event.id))
            if event.name in {"part", "end"}:
                self._check_texts(snapshot)
        except (KeyError, TypeError) as error:
            raise UpdateMissed(f"This {event.name} does not fit what was heard before.") from error
        self._snapshot, self.cursor = snapshot, event.id
        self.ended = event.name == "end"
        return data

    def replace(self, job: Job) -> bool:
        """Hold what polling returned; whether that is news."""
        is_news = job.cursor != self.cursor
        self._snapshot, self.cursor, self.ended = dict(job.snapshot), job.cursor, job.ended
        return is_news

    def confirm(self) -> None:
        """Polling has nothing newer."""
        self.ended = self.job.ended

    def check_newest(self, ping: Event) -> None:
        """UpdateMissed where the ping names an update that was not heard."""
        if data_of(ping).get("cursor") != self.cursor:
            raise UpdateMissed("The job is further than what was heard of it.")

    def drop_place(self) -> None:
        """Begin with a whole snapshot next time."""
        self.cursor = None

    def _check_texts(self, snapshot: JsonObject) -> None:
        """UpdateMissed for a text that fails its proof, once: if the snapshot has it so, too, its reader is told."""
        for name, part in snapshot["parts"].items():
            proof = part.get("sha256")
            known = proof == self._snapshot.get("parts", {}).get(name, {}).get("sha256")
            if proof is None or known or proof in self._disproved:
                continue
            if not is_proven(part["text"], part["length"], proof):
                self._disproved.add(proof)
                raise UpdateMissed(f"The text of {name} is not the one that was written.")


def data_of(event: Event) -> JsonObject:
    """What the event says; UpdateMissed where that is no JSON object."""
    try:
        data = json.loads(event.data)
    except ValueError as error:
        raise UpdateMissed(f"This {event.name} is no JSON.") from error
    if not isinstance(data, dict):
        raise UpdateMissed(f"This {event.name} is no JSON object.")
    return data
