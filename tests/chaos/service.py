"""An API that knows the chaos kinds, in a process of its own: `python -m tests.chaos.service`."""

import asyncio
from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict

from jobs.logs import configure_logs
from service.app import create_app, open_api
from service.server import Server, server_config
from service.settings import Settings as ServiceSettings
from tests.chaos.kinds import chaos_kinds
from tests.chaos.witness import Witness
from tests.service.serving import KEYRING


class Settings(BaseSettings):
    """What a test tells its API."""

    model_config = SettingsConfigDict(env_prefix="chaos_", frozen=True)

    redis_url: str
    witness: Path
    port: int


async def serve(settings: Settings) -> None:
    """Serve until a signal."""
    async with open_api(settings.redis_url, chaos_kinds(Witness(settings.witness)), KEYRING) as api:
        its_own = ServiceSettings(_env_file=None, port=settings.port)
        await Server(server_config(create_app(api, web=None), its_own), api.feed).serve()


if __name__ == "__main__":
    configure_logs()
    asyncio.run(serve(Settings()))
