"""What an analysis does with what goes wrong: which attempt follows when, and what none of them asks again."""

import json
from collections.abc import Sequence
from datetime import datetime

import pytest

from jobs.connection import Client
from jobs.kind import Call, CallResult
from jobs.kinds.generate_insights import GENERATE_INSIGHTS, MOST_CALLS, MOST_CHARTS, TOO_MANY_CALLS
from jobs.model import JsonObject
from tests.insights.laboratory import FINDINGS, Analyst, Laboratory, Said, looking
from tests.jobs.doors import Doors
from workers.provider import ProviderError

DATA = {"rows": [{"time": f"2026-03-01T{hour:02}:00:00Z", "voltage": 12.0 + hour / 10} for hour in range(24)]}
LOOKS: Sequence[Said] = (looking("list_metrics"), looking("describe_metric", metric="voltage"), "That is enough.")
AWAY = ProviderError("OpenAI could not be reached.", retryable=True)
TOO_OFTEN = ProviderError("OpenAI refused the request with status 429.", retryable=True, rate_limited=True)
TRIES = 3
"""How often a provider is asked within one attempt."""


@pytest.fixture
def laboratory(redis: Client) -> Laboratory:
    """Where a test runs its job."""
    return Laboratory(Doors(redis))


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pauses between the tries of one attempt are another test's."""
    monkeypatch.setattr("workers.asking.FIRST_BACK_OFF_SECONDS", 0.0)


def citing(call: str) -> str:
    """Findings that rest on the call."""
    evidence = [{"call": call, "says": "3.5 V"}]
    finding = {"title": "Low", "severity": "high", "evidence": evidence, "recommendation": "Charge it."}
    return json.dumps({"summary": "It is low.", "findings": [finding]})


def seconds_until_next(snapshot: JsonObject) -> float:
    """How long after its failure the next attempt begins."""
    due, began = (datetime.fromisoformat(snapshot[name]) for name in ("next_attempt_at", "started_at"))
    return (due - began).total_seconds()


async def test_what_a_tool_returns_is_told_to_the_model(laboratory: Laboratory) -> None:
    """Under the name by which a finding may cite it; and the findings are asked for with all of the talk."""
    await laboratory.submit({"analysis_data": DATA})
    analyst = Analyst([*LOOKS, FINDINGS])

    ended = await laboratory.attempt(analyst)

    assert (ended["state"], ended["result"]["iterations"], ended["result"]["metrics"]) == (
        "completed",
        3,
        ["voltage"],
    )
    (result,) = analyst.asked[2].turns[-1].results
    assert isinstance(result, CallResult)
    assert result.content.startswith('[tool.2.1] {"metric":"voltage","count":24')
    *_, last = analyst.asked
    assert (last.tools, last.shape is not None, len(last.turns)) == ((), True, 1)
    assert "[tool.2.1]" in last.turns[0].content


async def test_the_model_looks_no_more_often_than_it_may(laboratory: Laboratory) -> None:
    """After its last turn it is asked for what it has found."""
    await laboratory.submit({"analysis_data": DATA, "max_iterations": 2})

    ended = await laboratory.attempt(Analyst([looking("list_metrics"), looking("list_metrics"), FINDINGS]))

    assert (ended["state"], ended["result"]["iterations"]) == ("completed", 2)


async def test_a_finding_cites_only_what_was_returned(laboratory: Laboratory) -> None:
    """One that cites a call that was never made is sent back once, with the reason."""
    await laboratory.submit({"analysis_data": DATA})
    analyst = Analyst([*LOOKS, citing("tool.9.9"), citing("tool.2.1")])

    ended = await laboratory.attempt(analyst)

    assert ended["result"]["findings"][0]["evidence"] == [{"call": "tool.2.1", "says": "3.5 V"}]
    assert "no call has this name" in analyst.asked[-1].turns[-1].content


async def test_more_calls_than_a_turn_may_have_are_not_made(laboratory: Laboratory) -> None:
    """The model is told so of each."""
    await laboratory.submit({"analysis_data": DATA})
    calls = [Call(f"call-{number}", "list_metrics", {}) for number in range(MOST_CALLS + 3)]
    analyst = Analyst([calls, "Enough.", FINDINGS])

    ended = await laboratory.attempt(analyst)

    told = [result.content for result in analyst.asked[1].turns[-1].results]
    assert told[MOST_CALLS:] == [TOO_MANY_CALLS] * 3
    assert len(ended["parts"]["looks"]["result"]["calls"]) == MOST_CALLS


async def test_the_form_of_findings_lists_no_more_calls_than_providers_take(laboratory: Laboratory) -> None:
    """A finding that cites none of them is sent back all the same."""
    await laboratory.submit({"analysis_data": DATA, "max_iterations": 21})
    calls = [Call(f"call-{number}", "list_metrics", {}) for number in range(MOST_CALLS)]
    analyst = Analyst([*[calls] * 21, citing("tool.9.99"), citing("tool.21.20")])

    ended = await laboratory.attempt(analyst)

    assert (shape := analyst.asked[-1].shape) is not None
    assert "tool.1.1" not in json.dumps(shape.schema)
    assert ended["result"]["findings"][0]["evidence"][0]["call"] == "tool.21.20"


async def test_only_so_many_of_the_metrics_are_drawn(laboratory: Laboratory) -> None:
    """All that were looked at are named."""
    names = [f"m{number:02}" for number in range(MOST_CHARTS + 5)]
    rows = [{"time": f"2026-03-01T{hour:02}:00:00Z", **dict.fromkeys(names, hour)} for hour in range(3)]
    await laboratory.submit({"analysis_data": {"rows": rows}})
    looks = [call for name in names for call in looking("describe_metric", metric=name)]

    ended = await laboratory.attempt(Analyst([looks[:15], looks[15:], "Enough.", FINDINGS]))

    charts = ended["parts"]["looks"]["result"]["charts"]
    assert (ended["result"]["metrics"], [*charts]) == (names, names[:MOST_CHARTS])


async def test_an_analysis_that_is_asked_for_again_looks_again(laboratory: Laboratory) -> None:
    """What a call brought belongs to the answer that made it."""
    job_id = await laboratory.submit({"analysis_data": DATA})
    await laboratory.attempt(Analyst([*LOOKS, FINDINGS]))
    await laboratory.doors.queue.retry(job_id, parts=frozenset({"analysis", "findings"}))
    analyst = Analyst([LOOKS[1], "Enough.", FINDINGS])

    ended = await laboratory.attempt(analyst)

    (result,) = analyst.asked[1].turns[-1].results
    assert result.content.startswith('[tool.1.1] {"metric":"voltage","count":24')
    assert (ended["state"], ended["result"]["iterations"]) == ("completed", 2)


async def test_what_was_looked_at_may_be_shown_again(laboratory: Laboratory) -> None:
    """By whoever asks for that part alone; the model is not asked for it."""
    job_id = await laboratory.submit({"analysis_data": DATA})
    before = await laboratory.attempt(Analyst([*LOOKS, FINDINGS]))
    await laboratory.doors.queue.retry(job_id, parts=frozenset({"looks"}))

    ended = await laboratory.attempt(Analyst([]))

    assert ended["parts"]["looks"] == before["parts"]["looks"] | {"attempt": 2}


async def test_findings_that_hold_what_no_store_can_are_sent_back(laboratory: Laboratory) -> None:
    """As any that do not have their form."""
    await laboratory.submit({"analysis_data": DATA})

    ended = await laboratory.attempt(Analyst([*LOOKS, f'{{"summary": {10**30}}}', FINDINGS]))

    assert (ended["state"], ended["attempt"]) == ("completed", 1)


async def test_a_fault_that_passes_is_waited_for_half_a_minute(laboratory: Laboratory) -> None:
    """And the next attempt goes on with the turn that failed."""
    job_id = await laboratory.submit({"analysis_data": DATA})

    waiting = await laboratory.attempt(Analyst([LOOKS[0], *[AWAY] * TRIES]))
    again = Analyst([LOOKS[1], LOOKS[2], FINDINGS])
    ended = await laboratory.next_attempt(job_id, again)

    assert waiting["state"] == "retrying"
    assert 24 <= seconds_until_next(waiting) < 300
    assert (ended["state"], ended["attempt"], len(again.asked)) == ("completed", 2, 3)


async def test_a_rate_limit_is_waited_for_five_minutes(laboratory: Laboratory) -> None:
    """Or for as long as the provider asks."""
    job_id = await laboratory.submit({"analysis_data": DATA})

    waiting = await laboratory.attempt(Analyst([TOO_OFTEN] * TRIES))
    assert 300 <= seconds_until_next(waiting) < 900

    asked = ProviderError("429", retryable=True, retry_after=120.0, rate_limited=True)
    waiting = await laboratory.next_attempt(job_id, Analyst([asked]))
    assert 120 <= seconds_until_next(waiting) < 300


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"job_id": "no-such-job-0123456789"}, "is gone, or was never there"),
        ({"analysis_data": {}}, "nothing to analyse"),
        ({}, "no connection `measurements`"),
    ],
)
async def test_what_can_never_be_analysed_fails_at_once(laboratory: Laboratory, given: JsonObject, why: str) -> None:
    """Without asking the model anything."""
    await laboratory.submit(given)

    ended = await laboratory.attempt(Analyst([]))

    assert (ended["state"], ended["error"]["type"], ended["attempt"]) == ("failed", "do-not-retry", 1)
    assert why in ended["error"]["detail"]


async def test_the_data_of_an_earlier_job_is_its_subjects_alone(laboratory: Laboratory) -> None:
    """A job of somebody else is as good as none."""
    earlier = await laboratory.submit({"analysis_data": DATA}, subject="ada")
    await laboratory.attempt(Analyst([*LOOKS, FINDINGS]))

    await laboratory.submit({"job_id": earlier}, subject="ada")
    own = await laboratory.attempt(Analyst([*LOOKS, FINDINGS]))
    await laboratory.submit({"job_id": earlier}, subject="bob")
    foreign = await laboratory.attempt(Analyst([]))

    assert (own["state"], own["result"]["metrics"]) == ("completed", ["voltage"])
    assert (foreign["state"], foreign["error"]["type"]) == ("failed", "do-not-retry")


async def test_after_fifteen_retries_it_is_a_dead_letter_that_goes_on_from_its_last_step(
    laboratory: Laboratory,
) -> None:
    """The turns that were paid for are not asked again, not even by whoever retries it by hand."""
    job_id = await laboratory.submit({"analysis_data": DATA})
    snapshot = await laboratory.attempt(Analyst([*LOOKS[:2], *[AWAY] * TRIES]))
    while snapshot["state"] == "retrying":
        snapshot = await laboratory.next_attempt(job_id, Analyst([AWAY] * TRIES))
    assert (snapshot["state"], snapshot["attempt"]) == ("failed", GENERATE_INSIGHTS.max_attempts)
    assert (GENERATE_INSIGHTS.max_attempts, snapshot["error"]["type"]) == (16, "retries-exhausted")

    await laboratory.doors.queue.retry(job_id)
    last = Analyst([LOOKS[2], FINDINGS])
    ended = await laboratory.attempt(last)

    assert (ended["state"], ended["run"], len(last.asked)) == ("completed", 2, 2)


async def test_the_whole_window_is_sent_where_that_is_asked_for(laboratory: Laboratory) -> None:
    """As CSV, beside the tools."""
    await laboratory.submit({"analysis_data": DATA, "full_context_mode": True})
    analyst = Analyst(["I have seen it.", FINDINGS])

    await laboratory.attempt(analyst)

    opening = analyst.asked[0].turns[0].content
    assert opening.count(",voltage,") == 24
    assert "2026-03-01T23:00:00.000Z,voltage,14.3" in opening


async def test_only_the_newest_days_are_looked_at(laboratory: Laboratory) -> None:
    """Counted back from the newest value."""
    rows = [{"time": f"2026-03-{day:02}T00:00:00Z", "voltage": day} for day in range(1, 29)]
    await laboratory.submit({"analysis_data": {"rows": rows}, "context_window_days": 7})
    analyst = Analyst([looking("describe_metric", metric="voltage"), "Done.", FINDINGS])

    await laboratory.attempt(analyst)

    assert '"count":8,"min":21.0' in analyst.asked[1].turns[-1].results[0].content
