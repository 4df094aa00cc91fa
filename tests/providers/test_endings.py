"""The ways in which each wire ends an answer, and what it says where it gives none."""

from collections.abc import Sequence

import httpx2
import pytest

from tests.providers.asking import Outcome, ask, outcome_of
from tests.providers.raw import raw_server, reply
from tests.providers.samples import Json, frame
from tests.providers.subjects import ANTHROPIC, CHAT, GOOGLE, KEY, RESPONSES, Subject
from workers.provider import Finish, ProviderTruncated
from workers.providers.limits import DEFAULT_LIMITS


def _named(*events: Json) -> bytes:
    return b"".join(frame(event, str(event["type"])) for event in events)


def _response(kind: str, **fields: object) -> Json:
    return {"type": kind, "response": {"model": "m", **fields}}


def _chunk(delta: Json, finish_reason: str | None = None, **fields: object) -> bytes:
    return frame({"model": "m", "choices": [{"delta": delta, "finish_reason": finish_reason}], **fields})


def _message(stop_reason: str | None, *, said: str = "", usage: Json | None = None) -> bytes:
    started = {"model": "m", "usage": {"input_tokens": 3, "output_tokens": 1, "cache_read_input_tokens": 100}}
    return _named(
        {"type": "message_start", "message": started},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hmm."}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": said}},
        {"type": "message_delta", "delta": {"stop_reason": stop_reason}, "usage": usage or {"output_tokens": 5}},
        {"type": "message_stop"},
    )


def _candidate(finish_reason: str | None, *parts: Json) -> bytes:
    candidate = {"content": {"role": "model", "parts": list(parts)}, "finishReason": finish_reason}
    usage = {"promptTokenCount": 3, "candidatesTokenCount": 2, "thoughtsTokenCount": 40}
    return frame({"candidates": [candidate], "usageMetadata": usage, "modelVersion": "m"})


_REFUSAL: Json = {"type": "response.refusal.delta", "delta": "No."}

COMPLETE: Sequence[tuple[str, Subject, bytes, str, Finish]] = [
    (
        "a refusal is text",
        RESPONSES,
        _named(_REFUSAL, _response("response.completed")),
        "No.",
        Finish("m"),
    ),
    (
        "reaching the limit of tokens is an end",
        RESPONSES,
        _named(_response("response.incomplete", incomplete_details={"reason": "max_output_tokens"})),
        "",
        Finish("m"),
    ),
    ("a refusal is text", CHAT, _chunk({"refusal": "No."}) + _chunk({}, "stop"), "No.", Finish("m")),
    ("reaching the limit of tokens is an end", CHAT, _chunk({"content": "a"}, "length"), "a", Finish("m")),
    (
        "usage may come with the end",
        CHAT,
        _chunk({"content": "a"}, "stop", usage={"prompt_tokens": 3, "completion_tokens": 5}),
        "a",
        Finish("m", 3, 5),
    ),
    (
        "the last chunk may be one of no choices",
        CHAT,
        _chunk({"content": "a"}, "stop") + frame({"choices": None, "usage": None}),
        "a",
        Finish("m"),
    ),
    ("thinking is not text", ANTHROPIC, _message("end_turn", said="a"), "a", Finish("m", 103, 5)),
    ("reaching the limit of tokens is an end", ANTHROPIC, _message("max_tokens"), "", Finish("m", 103, 5)),
    (
        "the last count of input holds",
        ANTHROPIC,
        _message("end_turn", usage={"input_tokens": 7, "output_tokens": 5}),
        "",
        Finish("m", 7, 5),
    ),
    (
        "thoughts are not text, but cost",
        GOOGLE,
        _candidate(None, {"text": "Hmm.", "thought": True}) + _candidate("STOP", {"text": "a"}, {"text": "b"}),
        "ab",
        Finish("m", 3, 42),
    ),
    ("reaching the limit of tokens is an end", GOOGLE, _candidate("MAX_TOKENS"), "", Finish("m", 3, 42)),
]

LASTING: Sequence[tuple[str, Subject, bytes]] = [
    (
        "content_filter",
        RESPONSES,
        _named(_response("response.incomplete", incomplete_details={"reason": "content_filter"})),
    ),
    ("invalid_prompt", RESPONSES, _named(_response("response.failed", error={"code": "invalid_prompt"}))),
    ("insufficient_quota", RESPONSES, _named({"type": "error", "code": "insufficient_quota", "message": "x"})),
    ("content_filter", CHAT, _chunk({"content": "a"}) + _chunk({}, "content_filter")),
    ("invalid_request_error", CHAT, frame({"error": {"type": "invalid_request_error", "message": "x"}})),
    ("refusal", ANTHROPIC, _message("refusal", said="I")),
    ("billing_error", ANTHROPIC, _named({"type": "error", "error": {"type": "billing_error", "message": "x"}})),
    ("SAFETY", GOOGLE, _candidate("SAFETY", {"text": "I"})),
    ("PROHIBITED_CONTENT", GOOGLE, frame({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}})),
    ("INVALID_ARGUMENT", GOOGLE, frame({"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "x"}})),
]

PASSING: Sequence[tuple[str, Subject, bytes]] = [
    ("server_error", RESPONSES, _named(_response("response.failed", error={"code": "server_error"}))),
    ("rate_limit_exceeded", RESPONSES, _named({"type": "error", "code": "rate_limit_exceeded", "message": "x"})),
    ("", RESPONSES, _named(_response("response.failed", error=None))),
    ("server_error", CHAT, frame({"error": {"type": "server_error", "message": "x"}})),
    ("overloaded_error", ANTHROPIC, _named({"type": "error", "error": {"type": "overloaded_error"}})),
    ("", ANTHROPIC, _named({"type": "error"})),
    ("UNAVAILABLE", GOOGLE, frame({"error": {"code": 503, "status": "UNAVAILABLE", "message": "x"}})),
]


CUT: Sequence[tuple[str, Subject, bytes]] = [
    ("CONTINUATION", GOOGLE, _candidate("CONTINUATION", {"text": "a"})),
    ("OTHER", GOOGLE, _candidate("OTHER", {"text": "a"})),
    ("an end without a reason", GOOGLE, _candidate("FINISH_REASON_UNSPECIFIED", {"text": "a"})),
    ("[DONE] without a reason", CHAT, _chunk({"content": "a"}) + frame("[DONE]")),
]


async def _outcome(subject: Subject, http: httpx2.AsyncClient, body: bytes) -> Outcome:
    async with raw_server(reply(body)) as server:
        return await outcome_of(subject.open(http, server.url, KEY, DEFAULT_LIMITS), ask(model="m"))


@pytest.mark.parametrize(
    ("subject", "body", "text", "finish"),
    [
        pytest.param(subject, body, text, finish, id=f"{subject.id}-{name}")
        for name, subject, body, text, finish in COMPLETE
    ],
)
async def test_a_complete_answer_has_its_text_its_model_and_its_tokens(
    subject: Subject, body: bytes, text: str, finish: Finish, http: httpx2.AsyncClient
) -> None:
    outcome = await _outcome(subject, http, body)

    assert outcome.fault is None
    assert (outcome.text, outcome.finish) == (text, finish)


@pytest.mark.parametrize(
    ("word", "subject", "body"), LASTING, ids=[f"{subject.id}-{word}" for word, subject, _ in LASTING]
)
async def test_what_would_happen_again_is_not_worth_another_try(
    word: str, subject: Subject, body: bytes, http: httpx2.AsyncClient
) -> None:
    outcome = await _outcome(subject, http, body)

    assert outcome.fault is not None
    assert not outcome.fault.retryable
    assert f"({word})" in outcome.fault.detail


@pytest.mark.parametrize(
    ("word", "subject", "body"), PASSING, ids=[f"{subject.id}-{word}" for word, subject, _ in PASSING]
)
async def test_what_may_pass_is_worth_another_try(
    word: str, subject: Subject, body: bytes, http: httpx2.AsyncClient
) -> None:
    outcome = await _outcome(subject, http, body)

    assert outcome.fault is not None
    assert outcome.fault.retryable
    assert word in outcome.fault.detail


@pytest.mark.parametrize(
    ("subject", "body"),
    [pytest.param(subject, body, id=f"{subject.id}-{name}") for name, subject, body in CUT],
)
async def test_an_end_that_is_none_is_a_cut(subject: Subject, body: bytes, http: httpx2.AsyncClient) -> None:
    outcome = await _outcome(subject, http, body)

    assert isinstance(outcome.fault, ProviderTruncated)
    assert outcome.finish is None


async def test_google_says_in_the_body_how_long_to_wait(http: httpx2.AsyncClient) -> None:
    body = b'{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "details": [{}, {"retryDelay": "7.5s"}]}}'
    async with raw_server(reply(body, status="429 Too Many Requests")) as server:
        outcome = await outcome_of(GOOGLE.open(http, server.url, KEY, DEFAULT_LIMITS), ask())

    assert outcome.fault is not None
    assert outcome.fault.retry_after == 7.5


async def test_a_model_that_would_leave_its_place_in_the_path_is_not_asked(http: httpx2.AsyncClient) -> None:
    async with raw_server(reply(b"")) as server:
        google = GOOGLE.open(http, server.url, KEY, DEFAULT_LIMITS)
        for model in ("../../v1/files", "m?alt=json", "m#", "/m", "m%2f..", "m\n"):
            outcome = await outcome_of(google, ask(model=model))

            assert outcome.fault is not None
            assert not outcome.fault.retryable
        assert server.received == []


async def test_an_answer_that_google_would_continue_is_not_asked_for_again(http: httpx2.AsyncClient) -> None:
    candidate = {"content": {"parts": [{"text": "a"}]}, "finishReason": "CONTINUATION", "continuationToken": "eA=="}
    async with raw_server(reply(frame({"candidates": [candidate]}))) as server:
        outcome = await outcome_of(GOOGLE.open(http, server.url, KEY, DEFAULT_LIMITS), ask())

    assert isinstance(outcome.fault, ProviderTruncated)
    assert len(server.received) == 1
