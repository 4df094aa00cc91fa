"""The talkers, by name."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Protocol

from tests.sandbox.talker import Talker
from tests.sandbox.talkers.anthropic import anthropic_talker
from tests.sandbox.talkers.google import google_talker
from tests.sandbox.talkers.openai_chat import chat_talker
from tests.sandbox.talkers.openai_responses import responses_talker


class Connect(Protocol):
    """Makes a talker to the sandbox at an address."""

    def __call__(self, url: str, *, patience_seconds: float = ...) -> AbstractAsyncContextManager[Talker]: ...


TALKERS: Mapping[str, Connect] = {
    "responses": responses_talker,
    "chat": chat_talker,
    "anthropic": anthropic_talker,
    "google-v1": partial(google_talker, version="v1"),
    "google-v1beta": partial(google_talker, version="v1beta"),
}
