"""The worker's settings: read once where the process starts, frozen, and handed down as plain values."""

from typing import Annotated, Literal, NamedTuple

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

from jobs.settings import StoreSettings
from workers.providers import ProviderCredentials


class Listening(NamedTuple):
    """Where to listen."""

    host: str
    port: int


def _listening(text: object) -> object:
    if text is None:
        return None
    host, _, port = str(text).rpartition(":")
    if not (host and port.isdigit()):
        raise ValueError("an address and a port, as in 127.0.0.1:9100")
    return Listening(host.strip("[]"), int(port))


class Settings(StoreSettings):
    """Every variable that a worker reads; each may stand in `.env`."""

    jobstream_slots: int = Field(default=50, ge=1, le=1000)
    jobstream_lease: float = Field(default=6.0, ge=1.0, le=300.0)
    jobstream_conversation_hours: float = Field(default=24.0, gt=0, le=24 * 366)
    jobstream_worker_metrics: Annotated[Listening | None, NoDecode, BeforeValidator(_listening)] = None
    jobstream_sandbox_url: str | None = None
    openai_api_key: SecretStr | None = None
    openai_base_url: str | None = None
    jobstream_openai_api: Literal["responses", "chat"] | None = None
    anthropic_api_key: SecretStr | None = None
    anthropic_base_url: str | None = None
    gemini_api_key: SecretStr | None = None
    google_gemini_base_url: str | None = None
    google_genai_api_version: str | None = None
    jobstream_model_openai: str | None = None
    jobstream_model_anthropic: str | None = None
    jobstream_model_google: str | None = None

    @property
    def credentials(self) -> ProviderCredentials:
        """What the providers need of them."""
        return ProviderCredentials(
            openai_api_key=self.openai_api_key,
            openai_base_url=self.openai_base_url,
            openai_api=self.jobstream_openai_api,
            openai_model=self.jobstream_model_openai,
            anthropic_api_key=self.anthropic_api_key,
            anthropic_base_url=self.anthropic_base_url,
            anthropic_model=self.jobstream_model_anthropic,
            google_api_key=self.gemini_api_key,
            google_base_url=self.google_gemini_base_url,
            google_api_version=self.google_genai_api_version,
            google_model=self.jobstream_model_google,
            sandbox_url=self.jobstream_sandbox_url,
        )
