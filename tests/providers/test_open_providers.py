"""Which providers are there, and where their questions go."""

import pytest
from pydantic import SecretStr

from tests.providers.asking import ask, outcome_of
from tests.providers.raw import raw_server, reply
from tests.providers.samples import SAMPLES
from tests.providers.subjects import CHAT, KEY
from workers.providers import ProviderCredentials, api_at, open_providers

NOWHERE = "http://127.0.0.1:9"


async def test_a_provider_without_a_key_is_not_there() -> None:
    async with open_providers(ProviderCredentials(google_api_key=SecretStr(KEY))) as providers:
        assert list(providers) == ["google"]


async def test_a_model_may_be_chosen_for_a_provider() -> None:
    chosen = ProviderCredentials(anthropic_api_key=SecretStr(KEY), anthropic_model="chosen")

    async with open_providers(chosen) as providers:
        assert providers["anthropic"].default_model == "chosen"


async def test_the_sandbox_answers_for_all_whatever_else_is_set(
    sandbox_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("OPENAI_BASE_URL", "ANTHROPIC_BASE_URL", "GOOGLE_GEMINI_BASE_URL", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(variable, NOWHERE)
    credentials = ProviderCredentials(
        openai_base_url=NOWHERE,
        openai_api_key=SecretStr(KEY),
        google_base_url=NOWHERE,
        sandbox_url=f"{sandbox_url}/",
    )

    async with open_providers(credentials) as providers:
        outcomes = {name: await outcome_of(provider, ask()) for name, provider in providers.items()}

    assert list(outcomes) == ["openai", "anthropic", "google"]
    assert [outcome.fault for outcome in outcomes.values()] == [None, None, None]


async def test_the_environment_does_not_move_a_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", NOWHERE)
    async with raw_server(reply(SAMPLES[CHAT.id].body)) as server:
        chosen = ProviderCredentials(openai_api_key=SecretStr(KEY), openai_base_url=f"{server.url}/v1")
        async with open_providers(chosen) as providers:
            outcome = await outcome_of(providers["openai"], ask())

    assert outcome.finish is not None
    assert server.received[0].head.startswith("POST /v1/chat/completions ")


@pytest.mark.parametrize(
    ("base_url", "api"),
    [
        (None, "responses"),
        ("https://api.openai.com/v1", "responses"),
        ("https://eu.api.openai.com/v1", "responses"),
        ("https://api.openai.com.evil.example/v1", "chat"),
        ("https://llm.example/v1", "chat"),
        ("http://127.0.0.1:8000/v1", "chat"),
    ],
)
def test_a_compatible_server_is_spoken_to_in_chat_completions(base_url: str | None, api: str) -> None:
    assert api_at(base_url) == api


def test_credentials_show_no_key() -> None:
    assert KEY not in repr(ProviderCredentials(openai_api_key=SecretStr(KEY)))
