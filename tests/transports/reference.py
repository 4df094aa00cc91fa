"""How a client folds a stream, written from the protocol's page and from nothing else."""

from jobs.model import JsonObject

UNTOLD = ("elapsed", "links", "stream_token", "reason")
"""What folding does not tell, or polling does not hold."""


def held_after(held: JsonObject, cursor: str, event: str, data: JsonObject) -> JsonObject:
    """What the client holds after the event; an update that cannot follow what it held is an error."""
    if event == "snapshot":
        assert data["cursor"] == cursor
        return told(data)
    assert _seq(cursor) == held["seq"] + 1
    after = {**held, "seq": held["seq"] + 1, "cursor": cursor}
    match event:
        case "state":
            _take_state(after, data)
        case "progress":
            after["progress"] = {**held["progress"], **data}
        case "step":
            steps = {step["name"]: step for step in held["steps"]}
            after["steps"] = [*(steps | {data["name"]: data}).values()]
        case "part":
            _change_part(after, data["part"], {name: data[name] for name in data if name != "part"})
        case "delta":
            before = held["parts"][data["part"]]["text"]
            assert data["at"] == javascript_length(before)
            _change_part(after, data["part"], {"text": before + data["text"]})
        case "end":
            _take_end(after, data)
        case unknown:
            raise AssertionError(f"the protocol has no update {unknown}")
    return after


def held_after_of_many(held: JsonObject, word: str, event: str, data: JsonObject) -> JsonObject:
    """The same on a stream over many jobs, whose data names job and number, and whose cursor is the connection's."""
    own = {name: data[name] for name in data if name != "job"}
    if event == "snapshot":
        return {**held_after(held, own["cursor"], event, own), "cursor": word}
    number = own.pop("seq")
    return {**held_after(held, f"0-{number}", event, own), "cursor": word}


def told(snapshot: JsonObject) -> JsonObject:
    """The snapshot without what differs from one way of reading to another."""
    return {name: snapshot[name] for name in snapshot if name not in UNTOLD}


def javascript_length(text: str) -> int:
    """In UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def _take_state(after: JsonObject, data: JsonObject) -> None:
    if data["run"] != after["run"]:
        after.update(result=None, finished_at=None, expires_at=None, progress={})
        if data.get("from") == "start":
            after.update(steps=[], parts={})
    for name in ("state", "run", "attempt", "next_attempt_at", "started_at", "error"):
        after[name] = data[name]


def _take_end(after: JsonObject, data: JsonObject) -> None:
    for name in ("state", "result", "error", "finished_at", "expires_at"):
        after[name] = data[name]
    after["next_attempt_at"] = None
    after["steps"] = [{**step, "state": "failed"} if step["state"] == "running" else step for step in after["steps"]]
    for part, how in data["parts"].items():
        assert how["state"] not in ("pending", "running")
        _change_part(after, part, how)


def _change_part(after: JsonObject, part: str, changes: JsonObject) -> None:
    after["parts"] = {**after["parts"], part: {**after["parts"].get(part, {}), **changes}}


def _seq(cursor: str) -> int:
    return int(cursor.partition("-")[2])
