"""What a client makes of updates, held against what the service makes of them."""

import copy

import pytest

from jobs import updates
from jobs.updates import Cursor
from jobstream.client.fold import JsonObject, UpdateMissed, fold, utf16_length

PART: JsonObject = {"state": "running", "text": "h\U0001f680", "model": "m", "attempt": 1, "error": None}
JOB: JsonObject = {
    "id": "a-job",
    "state": "running",
    "run": 1,
    "seq": 7,
    "cursor": "100-7",
    "attempt": 1,
    "started_at": "then",
    "next_attempt_at": None,
    "finished_at": None,
    "expires_at": None,
    "progress": {"percent": 1.0, "message": "Begins"},
    "parts": {"openai": PART},
    "steps": [{"name": "fetch", "state": "running", "attempt": 1}],
    "result": None,
    "error": None,
}
STATE: JsonObject = {"state": "queued", "run": 1, "attempt": 0, "next_attempt_at": None, "started_at": None}
END: JsonObject = {
    "state": "completed",
    "result": {"ok": True},
    "error": None,
    "finished_at": "now",
    "expires_at": "later",
    "parts": {"openai": {"state": "cancelled", "length": None, "sha256": None}},
}
UPDATES: dict[str, tuple[str, JsonObject]] = {
    "handed back": ("state", {**STATE, "error": None, "reason": "handed-back"}),
    "retried by hand": ("state", {**STATE, "run": 2, "error": None}),
    "retried from the start": ("state", {**STATE, "run": 2, "error": None, "from": "start"}),
    "progress": ("progress", {"percent": 40.0, "total": 3}),
    "a step that ends": ("step", {"name": "fetch", "state": "completed", "attempt": 1}),
    "a new step": ("step", {"name": "store", "state": "running", "attempt": 1}),
    "a part that begins": ("part", {"part": "google", "state": "running", "text": ""}),
    "a part that begins again": ("part", {"part": "openai", "text": "", "attempt": 2}),
    "a part that ends": ("part", {"part": "openai", "state": "completed", "length": 3, "sha256": "x"}),
    "words": ("delta", {"part": "openai", "text": "i", "at": 3}),
    "the end": ("end", END),
    "something new": ("sparkle", {"state": "sparkling"}),
}


@pytest.mark.parametrize(("event", "data"), UPDATES.values(), ids=UPDATES.keys())
def test_the_client_folds_as_the_service_does(event: str, data: JsonObject) -> None:
    before = copy.deepcopy(JOB)

    after = fold(JOB, event, data, "200-8")

    assert after == updates.fold(JOB, event, data, Cursor(200, 8))
    assert before == JOB


def test_a_snapshot_replaces_all_that_was_known() -> None:
    assert fold(JOB, "snapshot", {"id": "a-job", "seq": 9, "reason": "gap"}, "300-9") == {"id": "a-job", "seq": 9}


def test_words_for_another_place_are_refused() -> None:
    with pytest.raises(UpdateMissed):
        fold(JOB, "delta", {"part": "openai", "text": "i", "at": 2}, "200-8")


def test_words_go_where_javascript_counts_them() -> None:
    """One character outside the basic plane takes two places there, and one here."""
    after = fold(JOB, "delta", {"part": "openai", "text": "\U0001f680!", "at": 3}, "200-8")

    assert fold(after, "delta", {"part": "openai", "text": "?", "at": 6}, "200-9")["parts"]["openai"]["text"] == (
        "h\U0001f680\U0001f680!?"
    )


def test_an_update_before_any_snapshot_is_refused() -> None:
    with pytest.raises(UpdateMissed):
        fold({}, "progress", {"percent": 1.0}, "1-1")


@pytest.mark.parametrize(
    ("text", "length"),
    [("", 0), ("hé", 2), ("\uffff", 1), ("h\U0001f680", 3), ("e\u0301\U0001f468\u200d\U0001f680", 7)],
)
def test_text_is_as_long_as_javascript_says(text: str, length: int) -> None:
    assert utf16_length(text) == length
