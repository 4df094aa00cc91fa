"""Dead letters in bulk: two hundred run again or deleted by one act, and what is told of it."""

import pytest

from jobs.model import JobId, JsonObject
from tests.api import Api
from tests.jobs.doors import Doors, idle_kind
from tests.operator.asking import CHAT, done, failed, ids, told

MANY = 200
OTHER = idle_kind("copy-records")


async def many(doors: Doors) -> list[JobId]:
    """Two hundred of one kind and error; beside them one of another error, and one of another kind."""
    await failed(doors, code="poison")
    await failed(doors, kind=OTHER)
    return [await failed(doors) for _ in range(MANY)]


async def groups(operator: Api) -> dict[tuple[str, str], int]:
    items = (await told(operator, "dead-letters", group="error"))["items"]
    return {(each["kind"], each["error_type"]): each["count"] for each in items}


async def test_a_whole_group_is_run_again_and_the_others_are_left_alone(operator: Api, doors: Doors) -> None:
    """Each begins its next run, and is a dead letter no more."""
    letters = await many(doors)

    outcome = await done(operator, "dead-letters/retry", {"kind": "chat", "type": "timeout"})

    assert outcome == {"done": MANY, "left": 0, "refused": []}
    assert await groups(operator) == {("chat", "poison"): 1, ("copy-records", "timeout"): 1}
    runs = [await doors.snapshot(job_id) for job_id in letters]
    assert {(run["state"], run["run"]) for run in runs} == {("queued", 2)}


async def test_a_whole_group_is_deleted_as_far_as_was_asked(operator: Api, doors: Doors) -> None:
    """The newest first; how many are left is told."""
    letters = await many(doors)
    group: JsonObject = {"kind": "chat", "type": "timeout"}

    some = await done(operator, "dead-letters/delete", group | {"most": 150})
    left = await ids(operator, "dead-letters", type="timeout", kind="chat", limit=100)
    rest = await done(operator, "dead-letters/delete", group)

    assert some == {"done": 150, "left": 50, "refused": []}
    assert left == letters[:50][::-1]
    assert rest == {"done": 50, "left": 0, "refused": []}
    gone = await operator.http.get(f"/v1/operator/jobs/{letters[0]}")
    assert gone.status_code == 404


@pytest.mark.parametrize("act", ["retry", "delete"])
async def test_those_that_are_named_are_done_and_the_rest_is_told_why_not(
    operator: Api, doors: Doors, act: str
) -> None:
    """One that goes on, one that never was, and one that is no id refuse by themselves; twice named is named once."""
    letters, alive = [await failed(doors) for _ in range(5)], await doors.submit(CHAT)
    refusing = [alive, "u" * 32, "short"]

    outcome = await done(operator, f"dead-letters/{act}", {"ids": [*letters, *letters, *refusing]})

    assert (outcome["done"], outcome["left"]) == (5, 3)
    assert [each["id"] for each in outcome["refused"]] == refusing
    assert all(each["detail"] for each in outcome["refused"])


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"ids": []},
        {"ids": ["x"], "kind": "chat", "type": "timeout"},
        {"kind": "chat"},
        {"type": "timeout"},
        {"ids": ["x"] * 1001},
        {"ids": [1]},
        {"kind": "chat", "type": "timeout", "most": 1001},
        {"kind": "chat", "type": "timeout", "most": 0},
        {"ids": ["x"], "surprise": 1},
    ],
    ids=str,
)
async def test_letters_that_are_not_named_clearly_are_refused_before_anything_is_done(
    operator: Api, body: JsonObject
) -> None:
    """And nothing is noted."""
    for act in ("retry", "delete"):
        answer = await operator.http.post(f"/v1/operator/dead-letters/{act}", json=body)
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
    assert (await told(operator, "audit"))["items"] == []
