"""The settings that both processes share: where the store is, and which refusals of it are lifted."""

import os
from functools import cached_property
from pathlib import Path
from typing import Annotated

from dotenv import dotenv_values
from pydantic import AfterValidator, BeforeValidator, SecretStr, StringConstraints
from pydantic_settings import NoDecode, SettingsConfigDict

from jobs.encryption import Sealer, sealer_of
from jobs.endpoints import Endpoints
from jobs.logs import LogSettings
from jobs.records.connections import Connections, read_connections
from jobs.signing import read_secrets
from jobs.telemetry import TraceSettings


def _usable(keys: SecretStr) -> SecretStr:
    sealer_of(keys.get_secret_value())
    return keys


def _signing(secrets: SecretStr) -> SecretStr:
    read_secrets(secrets.get_secret_value())
    return secrets


def _listed(value: object) -> object:
    return [each.strip() for each in value.split(",") if each.strip()] if isinstance(value, str) else value


Place = Annotated[str, StringConstraints(pattern=r"^([a-z0-9.-]+|\[[0-9a-f:.]+\]):[0-9]{1,5}$")]
"""A host, in lower case, and its port."""


class StoreSettings(TraceSettings, LogSettings):
    """What either process needs to find the store, and to read it."""

    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True)

    redis_url: SecretStr | None = None
    jobstream_data: Path = Path(".jobstream")
    jobstream_allow_volatile: bool = False
    jobstream_allow_plain_redis: bool = False
    data_encryption_key: Annotated[SecretStr, AfterValidator(_usable)] | None = None
    jobstream_encryption_migrating: bool = False
    jobstream_webhook_secret: Annotated[SecretStr, AfterValidator(_signing)] | None = None
    jobstream_webhook_hosts: Annotated[tuple[Place, ...], NoDecode, BeforeValidator(_listed)] = ()

    @property
    def store_url(self) -> str | None:
        """The store that was named, None for the embedded one."""
        return self.redis_url.get_secret_value() if self.redis_url else None

    @cached_property
    def connections(self) -> Connections:
        """The named connections for bulk data; ConnectionInvalid says which cannot stand."""
        written = {name: value for name, value in dotenv_values(".env").items() if value}
        return read_connections(written | os.environ)

    @property
    def endpoints(self) -> Endpoints:
        """Where webhooks may go, and what signs them."""
        secret = self.jobstream_webhook_secret
        return Endpoints(read_secrets(secret.get_secret_value() if secret else ""), self.jobstream_webhook_hosts)

    @property
    def sealer(self) -> Sealer:
        """What seals the contents of jobs; to be made once."""
        keys = self.data_encryption_key.get_secret_value() if self.data_encryption_key else None
        return sealer_of(keys, migrating=self.jobstream_encryption_migrating)
