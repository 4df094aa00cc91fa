"""The providers that every test of the contract runs over: add one here, and it is tested."""

from collections.abc import Callable
from dataclasses import dataclass

import httpx2

import sandbox.question
from jobs.kind import Question
from workers.provider import Provider
from workers.providers.anthropic import Anthropic
from workers.providers.google import Google
from workers.providers.limits import Limits
from workers.providers.openai import OpenAI

KEY = "sk-canary-4242"


@dataclass(frozen=True)
class Subject:
    """A provider with the wire format that it is to speak."""

    id: str
    provider: sandbox.question.Provider
    open: Callable[[httpx2.AsyncClient, str, str, Limits], Provider]
    """From connections, base URL of a server, key and limits."""


def _responses(http: httpx2.AsyncClient, url: str, key: str, limits: Limits) -> Provider:
    return OpenAI(http, api_key=key, base_url=f"{url}/v1", api="responses", limits=limits)


def _chat(http: httpx2.AsyncClient, url: str, key: str, limits: Limits) -> Provider:
    return OpenAI(http, api_key=key, base_url=f"{url}/v1", api="chat", limits=limits)


def _anthropic(http: httpx2.AsyncClient, url: str, key: str, limits: Limits) -> Provider:
    return Anthropic(http, api_key=key, base_url=url, limits=limits)


def _google(http: httpx2.AsyncClient, url: str, key: str, limits: Limits) -> Provider:
    return Google(http, api_key=key, base_url=url, limits=limits)


RESPONSES = Subject("openai-responses", "openai", _responses)
CHAT = Subject("openai-chat", "openai", _chat)
ANTHROPIC = Subject("anthropic", "anthropic", _anthropic)
GOOGLE = Subject("google", "google", _google)

SUBJECTS = (RESPONSES, CHAT, ANTHROPIC, GOOGLE)


def in_sandbox(question: Question, subject: Subject) -> sandbox.question.Question:
    """The same question as the sandbox understands it."""
    return sandbox.question.Question(
        provider=subject.provider,
        model=question.model or "",
        turns=tuple(sandbox.question.Turn(turn.role, turn.content) for turn in question.turns),
        streamed=True,
        system=question.system or "",
        max_tokens=question.max_output_tokens,
    )
