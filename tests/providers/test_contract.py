"""What every provider promises, on its real SDK against the sandbox."""

import asyncio
from dataclasses import replace

import httpx2
import pytest

from jobs.kind import Question, Turn
from sandbox.answer import answer_to
from tests.providers.asking import ask, fault_of, outcome_of
from tests.providers.subjects import KEY, Subject, in_sandbox
from workers.provider import Finish, Provider, ProviderTruncated
from workers.providers.connections import open_connections
from workers.providers.limits import DEFAULT_LIMITS

IMPATIENT = replace(DEFAULT_LIMITS, first_byte_seconds=0.2, idle_seconds=0.3)


def opened(subject: Subject, http: httpx2.AsyncClient, url: str) -> Provider:
    return subject.open(http, url, KEY, DEFAULT_LIMITS)


async def test_an_answer_is_what_the_provider_said_in_pieces(
    subject: Subject, http: httpx2.AsyncClient, sandbox_url: str
) -> None:
    question = ask("Größe und Grüße 👋🏽, 東京?", model="sandbox-model")

    outcome = await outcome_of(opened(subject, http, sandbox_url), question)

    expected = answer_to(in_sandbox(question, subject))
    assert outcome.fault is None
    assert outcome.text == expected.text
    assert outcome.pieces > 10


async def test_finish_names_the_model_and_counts_the_tokens(
    subject: Subject, http: httpx2.AsyncClient, sandbox_url: str
) -> None:
    question = ask(model="sandbox-model")

    outcome = await outcome_of(opened(subject, http, sandbox_url), question)

    expected = answer_to(in_sandbox(question, subject))
    assert outcome.finish == Finish("sandbox-model", expected.input_tokens, expected.output_tokens)


async def test_a_question_without_a_model_goes_to_the_default_model(
    subject: Subject, http: httpx2.AsyncClient, sandbox_url: str
) -> None:
    provider = opened(subject, http, sandbox_url)

    outcome = await outcome_of(provider, ask())

    assert outcome.finish is not None
    assert outcome.finish.model == provider.default_model


async def test_the_system_prompt_and_every_turn_reach_the_provider(
    subject: Subject, http: httpx2.AsyncClient, sandbox_url: str
) -> None:
    turns = (Turn("user", "Who are you?"), Turn("assistant", "A sandbox."), Turn("user", "What is a tide?"))
    question = Question(provider="", turns=turns, model="sandbox-model", system="Be brief, and be kind.")

    outcome = await outcome_of(opened(subject, http, sandbox_url), question)

    expected = answer_to(in_sandbox(question, subject))
    assert outcome.text == expected.text, "it tells of the earlier turns"
    assert outcome.finish is not None
    assert outcome.finish.input_tokens == expected.input_tokens, "it counts the system prompt"


async def test_an_answer_that_reaches_its_limit_of_tokens_is_complete(
    subject: Subject, http: httpx2.AsyncClient, sandbox_url: str
) -> None:
    question = replace(ask(model="sandbox-model"), max_output_tokens=20)

    outcome = await outcome_of(opened(subject, http, sandbox_url), question)

    assert outcome.text == answer_to(in_sandbox(question, subject)).text
    assert outcome.finish is not None


async def test_several_questions_at_once_do_not_mix(
    subject: Subject, http: httpx2.AsyncClient, sandbox_url: str
) -> None:
    provider = opened(subject, http, sandbox_url)
    questions = [ask(f"What is the number {number}?", model="sandbox-model") for number in range(5)]

    outcomes = await asyncio.gather(*(outcome_of(provider, question) for question in questions))

    expected = [answer_to(in_sandbox(question, subject)).text for question in questions]
    assert [outcome.text for outcome in outcomes] == expected


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504, 529])
async def test_a_status_that_may_pass_is_worth_another_try(
    subject: Subject, status: int, http: httpx2.AsyncClient, sandbox_url: str
) -> None:
    fault = await fault_of(opened(subject, http, sandbox_url), ask(model=f"sandbox-{status}"))

    assert fault.retryable
    assert str(status) in fault.detail


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
async def test_a_status_that_lasts_is_not_worth_another_try(
    subject: Subject, status: int, http: httpx2.AsyncClient, sandbox_url: str
) -> None:
    fault = await fault_of(opened(subject, http, sandbox_url), ask(model=f"sandbox-{status}"))

    assert not fault.retryable
    assert str(status) in fault.detail


@pytest.mark.parametrize("status", [429, 503, 529])
async def test_a_provider_that_asks_to_wait_is_heard(
    subject: Subject, status: int, http: httpx2.AsyncClient, sandbox_url: str
) -> None:
    fault = await fault_of(opened(subject, http, sandbox_url), ask(model=f"sandbox-{status}"))

    assert fault.retry_after == 1


async def test_a_refusal_is_not_tried_again_behind_our_back(
    subject: Subject, http: httpx2.AsyncClient, sandbox_url: str
) -> None:
    provider = opened(subject, http, sandbox_url)
    question = ask(f"Only once, {subject.id}!", model="sandbox-429x1")

    first = await outcome_of(provider, question)
    second = await outcome_of(provider, question)

    assert first.fault is not None
    assert second.finish is not None


@pytest.mark.parametrize("broken", ["cut", "eof"])
async def test_a_stream_without_its_terminal_marker_is_a_failure(
    subject: Subject, broken: str, http: httpx2.AsyncClient, sandbox_url: str
) -> None:
    outcome = await outcome_of(opened(subject, http, sandbox_url), ask(model=f"sandbox-{broken}"))

    assert isinstance(outcome.fault, ProviderTruncated)
    assert outcome.fault.retryable
    assert outcome.finish is None
    assert outcome.text, "what came before is handed on"


@pytest.mark.parametrize("broken", ["malformed", "error"])
async def test_a_broken_frame_and_an_error_in_the_stream_are_worth_another_try(
    subject: Subject, broken: str, http: httpx2.AsyncClient, sandbox_url: str
) -> None:
    outcome = await outcome_of(opened(subject, http, sandbox_url), ask(model=f"sandbox-{broken}"))

    assert outcome.fault is not None
    assert outcome.fault.retryable
    assert outcome.finish is None
    assert outcome.text, "what came before is handed on"


async def test_a_provider_that_falls_silent_is_given_up(subject: Subject, sandbox_url: str) -> None:
    async with open_connections(IMPATIENT, proxied=False) as http:
        outcome = await outcome_of(opened(subject, http, sandbox_url), ask(model="sandbox-stall"))

    assert outcome.fault is not None
    assert outcome.fault.detail.endswith("sent nothing for 0.3 s.")
    assert outcome.fault.retryable
    assert outcome.text, "what came before is handed on"


async def test_a_provider_that_never_begins_is_given_up(subject: Subject, sandbox_url: str) -> None:
    async with open_connections(IMPATIENT, proxied=False) as http:
        fault = await fault_of(opened(subject, http, sandbox_url), ask(model="sandbox-silent"))

    assert fault.detail.endswith("sent nothing for 0.2 s.")
    assert fault.retryable
