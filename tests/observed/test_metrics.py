"""What happens in the product is seen in what it tells Prometheus."""

import pytest

from tests.observed.day import Day

TRANSCRIPT, INSIGHTS = "transcript-to-journey", "generate-insights"


def test_a_chat_is_picked_up_run_and_counted(day: Day) -> None:
    """Once, and each of its three answers is a step."""
    assert day.moved("jobstream_pickup_seconds_count", kind="chat") == 1
    assert day.moved("jobstream_attempt_seconds_count", kind="chat", outcome="completed") == 1
    assert day.moved("jobstream_steps_total", kind="chat", state="completed") == 2
    assert day.moved("jobstream_jobs_ended_total", kind="chat", state="completed") == 1
    assert day.moved("jobstream_append_updates_sum") >= day.moved("jobstream_append_updates_count") > 0


def test_a_job_that_fails_for_good_is_a_failure_and_a_dead_letter(day: Day) -> None:
    """It was tried once, and nothing says that it will be again."""
    assert day.moved("jobstream_failures_total", kind=INSIGHTS, reason="do-not-retry") == 1
    assert day.moved("jobstream_attempt_seconds_count", kind=INSIGHTS) == 1
    assert day.moved("jobstream_retries_total", kind=INSIGHTS) == 0
    assert day.moved("jobstream_dead_letters") == 1


def test_a_job_that_is_tried_again_is_a_retry_and_no_failure(day: Day) -> None:
    """Two attempts, each picked up when it was due: the pause between them is no waiting."""
    assert day.moved("jobstream_retries_total", kind=TRANSCRIPT, reason="provider-failed") == 1
    assert day.moved("jobstream_failures_total", kind=TRANSCRIPT) == 0
    assert day.moved("jobstream_pickup_seconds_count", kind=TRANSCRIPT) == 2
    assert day.moved("jobstream_attempt_seconds_count", kind=TRANSCRIPT, outcome="retrying") == 1
    assert day.moved("jobstream_attempt_seconds_count", kind=TRANSCRIPT, outcome="completed") == 1


def test_every_question_to_a_provider_is_counted_with_what_it_cost(day: Day) -> None:
    """Three that openai refused, one that it answered after them, and one for the chat, as google's."""
    assert day.moved("jobstream_provider_requests_total", provider="openai") == 5
    assert day.moved("jobstream_provider_errors_total", provider="openai", code="provider-failed") == 3
    assert day.moved("jobstream_provider_requests_total", provider="google") == 1
    assert day.moved("jobstream_provider_errors_total", provider="google") == 0
    for sample in ("first_token_seconds_count", "answer_seconds_count"):
        assert day.moved(f"jobstream_provider_{sample}", provider="openai") == 2
    for direction in ("input", "output"):
        named = {"provider": "openai", "model": "gpt-sandbox-slow", "direction": direction}
        assert day.moved("jobstream_provider_tokens_total", **named) > 0


@pytest.mark.parametrize("transport", ["sse", "multiplexed", "websocket", "long-poll"])
def test_who_listens_is_counted_while_it_does(day: Day, transport: str) -> None:
    """One of each kind, and none once the chat has ended."""
    assert day.listened.total("jobstream_streams", transport=transport) == 1
    assert day.after.api.total("jobstream_streams", transport=transport) == 0


def test_how_streams_begin_is_told_apart(day: Day) -> None:
    """A cursor that the log holds, one that it doesn't, the last, and none at all."""
    starts = {how: day.moved("jobstream_stream_starts_total", how=how) for how in ("resumed", "gap", "ended")}
    assert starts == {"resumed": 1, "gap": 1, "ended": 1}
    assert day.moved("jobstream_stream_starts_total", how="initial") >= 4


def test_deliveries_are_timed_and_take_no_negative_time(day: Day) -> None:
    """Some of them."""
    assert day.moved("jobstream_delivery_seconds_count") >= 1
    assert day.moved("jobstream_delivery_seconds_sum") >= 0


def test_requests_are_counted_by_route_and_refusals_by_slug(day: Day) -> None:
    """No id is in a label, and a WebSocket's request is one, too."""
    route = "/v1/jobs/{job_id}"
    assert day.moved("jobstream_http_requests_total", method="POST", route="/v1/jobs", status="202") == 3
    assert day.moved("jobstream_http_requests_total", method="GET", route=route, status="401") == 1
    assert day.moved("jobstream_http_requests_total", method="WS", route=f"{route}/ws", status="101") == 1
    assert day.moved("jobstream_http_request_seconds_count", route=f"{route}/stream") >= 5
    assert day.moved("jobstream_refusals_total", code="unauthorized") == 1


def test_no_label_names_a_job_or_a_subject(day: Day) -> None:
    """What may be named is known beforehand, but for models, which are bounded."""
    known = {"kind", "state", "outcome", "reason", "provider", "code", "model", "direction", "transport", "le"}
    known |= {"method", "route", "status", "how"}
    families = [*day.after.api.own.values(), *day.after.worker.own.values()]

    labels = {name for family in families for sample in family.samples for name in sample.labels}

    assert labels <= known


def test_both_processes_tell_of_themselves(day: Day) -> None:
    """How much of the machine they take, and that no line of their logs was lost."""
    for look in (day.after.api, day.after.worker):
        assert look.total("process_cpu_seconds_total") > 0
        assert look.total("process_resident_memory_bytes") > 0
        assert look.total("jobstream_log_lines_dropped_total") == 0
