"""The settings that both processes share: where the store is, and which refusals of it are lifted."""

from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class StoreSettings(BaseSettings):
    """What either process needs to find the store."""

    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True)

    redis_url: SecretStr | None = None
    jobstream_data: Path = Path(".jobstream")
    jobstream_allow_volatile: bool = False
    jobstream_allow_plain_redis: bool = False

    @property
    def store_url(self) -> str | None:
        """The store that was named, None for the embedded one."""
        return self.redis_url.get_secret_value() if self.redis_url else None
