"""The audit log: each act of the operator's is in it, from before it was done, with where it came from."""

from jobs.model import JsonObject
from tests.api import Api
from tests.jobs.doors import Doors
from tests.operator.asking import CHAT, done, failed, told
from tests.service.edge import Edge


async def test_every_act_is_noted_and_looking_is_not(operator: Api, doors: Doors) -> None:
    """Newest first, each with the request that it came by and the address it came from."""
    waiting, letters = await doors.submit(CHAT), [await failed(doors) for _ in range(3)]
    acts = {
        f"jobs/{waiting}/cancel": ("cancel job", waiting),
        f"jobs/{waiting}/retry": ("retry job", waiting),
        "dead-letters/retry": ("retry dead letters", f"1: {letters[0]}"),
        "dead-letters/delete": ("delete dead letters", "chat timeout"),
        "kinds/chat/pause": ("pause kind", "chat"),
        "kinds/chat/resume": ("resume kind", "chat"),
        "schedules/nightly-summaries/run": ("run schedule", "nightly-summaries"),
    }
    bodies: dict[str, JsonObject] = {
        "dead-letters/retry": {"ids": letters[:1]},
        "dead-letters/delete": {"kind": "chat", "type": "timeout"},
    }
    for number, path in enumerate(acts):
        operator.http.headers["X-Request-ID"] = f"request-{number}"
        await done(operator, path, bodies.get(path))
    for path in ("figures", "jobs", f"jobs/{waiting}", "dead-letters", "kinds", "schedules", "audit"):
        await told(operator, path)
    operator.http.headers["X-Request-ID"] = "request-last"
    await told(operator, f"jobs/{waiting}/contents")

    noted = (await told(operator, "audit"))["items"][::-1]

    assert [(each["act"], each["on"]) for each in noted] == [*acts.values(), ("read contents", waiting)]
    assert [each["request_id"] for each in noted[:-1]] == [f"request-{number}" for number in range(len(acts))]
    assert {each["address"] for each in noted} == {"127.0.0.1"}
    assert all(each["at"] for each in noted)


async def test_an_act_that_is_refused_by_the_job_is_noted_all_the_same(operator: Api, doors: Doors) -> None:
    """The note comes first: an act without one cannot be."""
    job_id = await doors.submit(CHAT)

    answer = await operator.http.post(f"/v1/operator/jobs/{job_id}/retry")

    assert answer.status_code == 409
    assert [each["act"] for each in (await told(operator, "audit"))["items"]] == ["retry job"]


async def test_it_is_read_page_by_page_without_a_gap(operator: Api) -> None:
    """From the cursor of each page to the next; a word that is no cursor is refused."""
    for at in range(7):
        operator.http.headers["X-Request-ID"] = f"request-{at}"
        await done(operator, "kinds/chat/pause")
    seen, cursor = [], None
    while True:
        page = await told(operator, "audit", limit=3, **({"cursor": cursor} if cursor else {}))
        seen += [each["request_id"] for each in page["items"]]
        if (cursor := page["next"]) is None:
            break

    assert seen == [f"request-{at}" for at in reversed(range(7))]
    for wrong in ("x", "1", "-", "+", "1-x", "9" * 20 + "-0"):
        answer = await operator.http.get("/v1/operator/audit", params={"cursor": wrong})
        assert answer.status_code == 400


async def test_only_the_newest_ten_thousand_are_kept_and_none_for_longer_than_ninety_days(
    operated: Edge, operator: Api, doors: Doors
) -> None:
    """What is older goes with the next act."""
    old = int((await doors.client.time())[0]) - 91 * 24 * 3600
    async with doors.client.pipeline(transaction=False) as pipe:
        for at in range(20):
            pipe.xadd(
                "js:audit", {"act": "old", "on": "x", "request_id": "", "address": ""}, id=f"{old * 1000}-{at + 1}"
            )
        for _ in range(10_010):
            pipe.xadd("js:audit", {"act": "new", "on": "x", "request_id": "", "address": ""})
        await pipe.execute()

    await done(operator, "kinds/chat/pause")

    assert await doors.client.xlen("js:audit") == 10_000
    assert 0 < await doors.client.ttl("js:audit") <= 90 * 24 * 3600
