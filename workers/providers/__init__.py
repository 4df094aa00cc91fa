"""The providers that are configured, each on its own SDK, all on one set of connections."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import httpx2
from pydantic import SecretStr

from workers.provider import Provider
from workers.providers.anthropic import Anthropic
from workers.providers.connections import open_connections
from workers.providers.google import Google
from workers.providers.limits import DEFAULT_LIMITS, Limits
from workers.providers.openai import BASE_URL, Api, OpenAI

_SANDBOX_KEY = SecretStr("sandbox")


@dataclass(frozen=True)
class ProviderCredentials:
    """What the settings say of the providers; one without a key is not configured. `sandbox_url` sends all
    three to the sandbox that listens there, whatever their keys and base URLs."""

    openai_api_key: SecretStr | None = None
    openai_base_url: str | None = None
    openai_api: Api | None = None
    """None: Responses at OpenAI and at the sandbox, Chat Completions at any other base URL."""
    openai_model: str | None = None
    anthropic_api_key: SecretStr | None = None
    anthropic_base_url: str | None = None
    anthropic_model: str | None = None
    google_api_key: SecretStr | None = None
    google_base_url: str | None = None
    google_api_version: str | None = None
    google_model: str | None = None
    sandbox_url: str | None = None


@asynccontextmanager
async def open_providers(
    credentials: ProviderCredentials, *, limits: Limits = DEFAULT_LIMITS
) -> AsyncGenerator[dict[str, Provider], None]:
    """The configured providers by name, in the order of their cards; leaving closes their connections."""
    async with open_connections(limits, proxied=credentials.sandbox_url is None) as http:
        providers = _configured(_resolved(credentials), http, limits)
        yield {provider.name: provider for provider in providers}


def _resolved(credentials: ProviderCredentials) -> ProviderCredentials:
    if credentials.sandbox_url is None:
        return replace(credentials, openai_api=credentials.openai_api or api_at(credentials.openai_base_url))
    url = credentials.sandbox_url.rstrip("/")
    return replace(
        credentials,
        openai_api_key=_SANDBOX_KEY,
        openai_base_url=f"{url}/v1",
        anthropic_api_key=_SANDBOX_KEY,
        anthropic_base_url=url,
        google_api_key=_SANDBOX_KEY,
        google_base_url=url,
    )


def api_at(openai_base_url: str | None) -> Api:
    """Which of OpenAI's APIs to speak there: what servers call compatible with OpenAI is Chat Completions."""
    host = urlsplit(openai_base_url or BASE_URL).hostname or ""
    return "responses" if host == "api.openai.com" or host.endswith(".api.openai.com") else "chat"


def _configured(credentials: ProviderCredentials, http: httpx2.AsyncClient, limits: Limits) -> Iterator[Provider]:
    if key := credentials.openai_api_key:
        yield OpenAI(
            http,
            api_key=key.get_secret_value(),
            base_url=credentials.openai_base_url,
            api=credentials.openai_api or "responses",
            default_model=credentials.openai_model,
            limits=limits,
        )
    if key := credentials.anthropic_api_key:
        yield Anthropic(
            http,
            api_key=key.get_secret_value(),
            base_url=credentials.anthropic_base_url,
            default_model=credentials.anthropic_model,
            limits=limits,
        )
    if key := credentials.google_api_key:
        yield Google(
            http,
            api_key=key.get_secret_value(),
            base_url=credentials.google_base_url,
            api_version=credentials.google_api_version,
            default_model=credentials.google_model,
            limits=limits,
        )
