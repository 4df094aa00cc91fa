"""The API's settings: read once where the process starts, frozen, and handed down as plain values."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from jobs.settings import StoreSettings


class Settings(StoreSettings):
    """Every variable that the API process reads; each may stand in `.env`."""

    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8888, ge=0, le=65535)
    background_function_auth_token: SecretStr | None = None
    jobstream_operator_secret: SecretStr | None = None
    jobstream_signing_key: SecretStr | None = None
    jobstream_demo: bool = False
    jobstream_web: Path = Path(__file__).parent.parent / "web"
