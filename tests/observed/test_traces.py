"""One trace follows a job from the request of a browser through the queue to each provider, whoever runs it."""

import secrets
import signal
from collections import Counter

from jobs.model import JsonObject
from tests.api import Api
from tests.figures import Say
from tests.jobs.patience import until
from tests.observed.collector import Span
from tests.observed.watched import Watched, submitted
from tests.system import SECRET

EVERY_ANSWER = ("step answer.openai", "step answer.anthropic", "step answer.google")
FAST_AND_SLOW = {"openai": "gpt-sandbox-slow", "anthropic": "claude-sandbox", "google": "gemini-sandbox-slow"}
SPANS_OF_A_CHAT = 1 + 1 + 2 * len(EVERY_ANSWER)
"""Its request, its attempt, and for each provider a step and a question."""


def begin(*, sampled: bool = True) -> tuple[str, str]:
    """A trace that a browser begins: its id, and what it sends."""
    trace, span = secrets.token_hex(16), secrets.token_hex(8)
    return trace, f"00-{trace}-{span}-{'01' if sampled else '00'}"


def children(spans: list[Span], parent: str) -> list[Span]:
    return [span for span in spans if span.parent == parent]


async def traced(watched: Watched, caller: Api, **given: object) -> tuple[str, list[Span], str]:
    """A chat that was traced from a browser on: what it sent, the spans, and the job's id."""
    trace, sent = begin()
    job_id = await submitted(caller, "chat", {"message": "Why is the sky blue?", **given}, traceparent=sent)
    await caller.ended(job_id)
    await until(lambda: watched.has_told(trace, "run chat"))
    return sent, watched.collector.of_trace(trace), job_id


async def test_a_chat_is_one_trace_from_the_browser_to_each_provider(watched: Watched, caller: Api) -> None:
    """Each span stands below the one that led to it."""
    sent, spans, job_id = await traced(watched, caller)

    (request,) = children(spans, sent.split("-")[2])
    (attempt,) = children(spans, request.id)
    steps = children(spans, attempt.id)
    questions = [question for step in steps for question in children(spans, step.id)]
    assert (request.name, request.process) == ("POST /v1/jobs", "jobstream-api")
    assert (attempt.name, attempt.process) == ("run chat", "jobstream-worker")
    assert attempt.facts["jobstream.job.id"] == job_id
    assert attempt.facts["jobstream.request.id"] == request.facts["jobstream.request.id"]
    assert sorted(step.name for step in steps) == sorted(EVERY_ANSWER)
    assert {question.facts["gen_ai.provider.name"] for question in questions} == {"openai", "anthropic", "gcp.gemini"}
    assert all(question.facts["gen_ai.usage.output_tokens"] for question in questions)
    assert not any(span.failed for span in spans)


async def test_a_long_answer_has_no_more_spans_than_a_short_one(watched: Watched, caller: Api, say: Say) -> None:
    """However many updates it has, and however many streams tell of them."""
    _, spans, job_id = await traced(watched, caller, models=FAST_AND_SLOW, max_output_tokens=4000)
    log = await caller.http.get(f"/v1/jobs/{job_id}/updates")
    deltas = Counter(item["event"] for item in log.json()["items"])["delta"]

    say(f"{len(spans)} spans of a chat with {deltas} deltas")
    assert deltas > 5 * SPANS_OF_A_CHAT
    assert len(spans) == SPANS_OF_A_CHAT


async def test_no_span_holds_what_was_asked_or_answered_or_a_secret(watched: Watched, caller: Api) -> None:
    """Neither in the words of the chat nor in those of an error."""
    _, _, job_id = await traced(watched, caller, models={"openai": "gpt-sandbox:500", "google": "gemini-sandbox"})
    snapshot = await caller.poll(job_id)
    told = b"".join(watched.collector.raw)

    for word in (
        "Why is the sky",
        said_by(snapshot, "google"),
        snapshot["parts"]["openai"]["error"]["detail"],
        SECRET,
    ):
        assert word
        assert word.encode() not in told
    assert not any(span.events for span in watched.collector.spans)


def said_by(snapshot: JsonObject, part: str) -> str:
    """The first words of a provider's answer."""
    return str(snapshot["parts"][part]["text"])[:20]


async def test_a_provider_that_fails_is_told_by_its_code(watched: Watched, caller: Api) -> None:
    """Each of the three times that it was asked; the chat went on without it."""
    _, spans, _ = await traced(watched, caller, models={"openai": "gpt-sandbox:500", "google": "gemini-sandbox"})

    failed = [span for span in spans if span.failed]
    assert [span.facts["jobstream.provider.attempt"] for span in failed if span.name.startswith("chat")] == [1, 2, 3]
    assert {span.facts["error.type"] for span in failed} == {"provider-failed"}
    assert {span.name for span in failed} == {"chat gpt-sandbox:500", "step answer.openai"}


async def test_what_a_killed_worker_began_another_ends_in_the_same_trace(watched: Watched, caller: Api) -> None:
    """What was complete was told by the first, all else by the second, below the same request."""
    trace, sent = begin()
    given: JsonObject = {"message": "What is it to be killed?", "models": FAST_AND_SLOW}
    job_id = await submitted(caller, "chat", given, traceparent=sent)
    await until(lambda: watched.has_told(trace, "step answer.anthropic"))

    watched.product.worker.end(signal.SIGKILL)
    watched.product.worker.start()
    await caller.ended(job_id)
    await until(lambda: watched.has_told(trace, "run chat"))

    spans = watched.collector.of_trace(trace)
    (request,) = children(spans, sent.split("-")[2])
    (attempt,) = children(spans, request.id)
    (complete,) = [span for span in spans if span.name == "step answer.anthropic"]
    assert sorted(step.name for step in children(spans, attempt.id)) == ["step answer.google", "step answer.openai"]
    assert complete.instance != attempt.instance
    assert complete.parent != attempt.id


async def test_a_job_that_is_tried_again_stays_in_its_trace(watched: Watched, caller: Api) -> None:
    """Both attempts stand side by side."""
    trace, sent = begin()
    given: JsonObject = {"transcript": "Ann lost it.", "provider": "openai", "model": "gpt-sandbox:500x3"}
    await caller.ended(await submitted(caller, "transcript-to-journey", given, traceparent=sent))
    await until(lambda: watched.has_told(trace, "run transcript-to-journey"))
    await until(lambda: _ended(watched, trace))

    attempts = [span for span in watched.collector.of_trace(trace) if span.name == "run transcript-to-journey"]
    assert [span.facts["jobstream.outcome"] for span in attempts] == ["retrying", "completed"]
    assert len({span.parent for span in attempts}) == 1


async def _ended(watched: Watched, trace: str) -> bool:
    return any(span.facts.get("jobstream.outcome") == "completed" for span in watched.collector.of_trace(trace))


async def test_what_a_job_starts_goes_on_in_its_trace(watched: Watched, caller: Api) -> None:
    """A tree's sessions are summarised by children, and an event's job is below the event."""
    trace, sent = begin()
    session = {"messages": [{"role": "user", "content": "Hello"}], "tree_id": "tree-1"}
    assert (await caller.http.put("/v1/sessions/session-1", json=session)).is_success
    await caller.ended(await submitted(caller, "summarize-tree", {"tree_id": "tree-1"}, traceparent=sent))
    event = {"name": "chat", "data": {"message": "Hello"}}
    answer = await caller.http.post("/v1/events", json=event, headers={"traceparent": sent})
    await caller.ended(answer.json()["job_ids"][0])

    await until(lambda: watched.has_told(trace, "run summarize-session", "run summarize-tree", "run chat"))
    spans = watched.collector.of_trace(trace)
    (child,) = [span for span in spans if span.name == "run summarize-session"]
    assert child.parent in {span.id for span in spans if span.name.startswith("step ")}


async def test_what_the_browser_does_not_want_traced_is_not(watched: Watched, caller: Api) -> None:
    """The flag in its header decides, as the usual sampler has it."""
    unwanted, sent = begin(sampled=False)
    job_id = await submitted(caller, "chat", {"message": "Hello"}, traceparent=sent)
    await caller.ended(job_id)
    await traced(watched, caller)  # by now the other would have come

    assert watched.collector.of_trace(unwanted) == []


async def test_a_collector_that_is_away_costs_spans_and_nothing_else(watched: Watched, caller: Api) -> None:
    """They are counted, and a worker that stops waits no longer for it than it must."""
    watched.collector.hangs.set()
    try:
        job_id = await submitted(caller, "chat", {"message": "Is anybody there?"})
        assert (await caller.ended(job_id))["state"] == "completed"
        await until(lambda: _lost(watched))
        assert watched.product.worker.end() == 0
    finally:
        watched.collector.hangs.clear()
        watched.product.worker.start()
        watched.product.wait_until_ready()


async def _lost(watched: Watched) -> bool:
    return watched.of_worker().total("jobstream_spans_lost_total") > 0
