"""Where the sandbox listens and how fast it speaks."""

from pydantic import Field, HttpUrl
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """The sandbox's settings, from `JOBSTREAM_SANDBOX_URL` and `JOBSTREAM_SANDBOX_PACE` where not given."""

    model_config = SettingsConfigDict(
        env_prefix="JOBSTREAM_SANDBOX_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    url: HttpUrl = HttpUrl("http://127.0.0.1:8889")
    pace: float = Field(default=1.0, ge=0, description="multiplies every wait: 0 is as fast as possible")
