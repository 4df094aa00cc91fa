"""The API's settings: read once where the process starts, frozen, and handed down as plain values."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, IPvAnyNetwork, SecretStr, StringConstraints, ValidationError
from pydantic_settings import NoDecode, SettingsConfigDict

from jobs.kinds import KINDS
from jobs.sessions import SESSION_DAYS
from jobs.settings import StoreSettings
from service.feed import PING_SECONDS
from service.wire import PATIENCE


def _listed(value: object) -> object:
    return [each.strip() for each in value.split(",") if each.strip()] if isinstance(value, str) else value


def _copy_input(value: object) -> object:
    """The object that the JSON spells, once the kind has taken it; what is wrong is told by name, without values."""
    given = json.loads(value) if isinstance(value, str) else value
    if given is not None and (kind := KINDS.get("copy-records")):
        try:
            kind.input.model_validate(given)
        except ValidationError as error:
            found = error.errors(include_url=False, include_context=False, include_input=False)
            wrong = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in found)
            raise ValueError("; ".join(wrong)) from None
    return given


Origin = Annotated[str, StringConstraints(pattern=r"^https?://[a-z0-9.-]+(:[0-9]{1,5})?$")]
"""As a browser sends it: in lower case, without a path, and with a port only where it is not the usual one."""

Seconds = Annotated[float, Field(gt=0)]


CopyInput = Annotated[dict[str, Any] | None, NoDecode, BeforeValidator(_copy_input)]
"""The input of a `copy-records` job, as JSON."""


class Settings(StoreSettings):
    """Every variable that the API process reads; each may stand in `.env`."""

    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8888, ge=0, le=65535)
    background_function_auth_token: SecretStr | None = None
    jobstream_operator_secret: SecretStr | None = None
    jobstream_signing_key: SecretStr | None = None
    jobstream_origins: Annotated[tuple[Origin, ...], NoDecode, BeforeValidator(_listed)] = ()
    jobstream_hosts: Annotated[tuple[str, ...] | None, NoDecode, BeforeValidator(_listed)] = None
    jobstream_openapi: bool = False
    jobstream_trusted_hops: Annotated[tuple[IPvAnyNetwork, ...], NoDecode, BeforeValidator(_listed)] = ()
    jobstream_queue_cap: int = Field(default=100_000, ge=1)
    jobstream_head_seconds: Seconds = PATIENCE.head_seconds
    jobstream_body_seconds: Seconds = PATIENCE.body_seconds
    jobstream_send_seconds: Seconds = PATIENCE.send_seconds
    jobstream_ping_seconds: Seconds = PING_SECONDS
    jobstream_session_days: float = Field(default=SESSION_DAYS, gt=0, le=3660)
    jobstream_compat: bool = True
    jobstream_compat_copy: CopyInput = None
    jobstream_sse: Literal["direct", "portable"] = "direct"
    jobstream_operator: bool = False
    jobstream_demo: bool = False
    jobstream_web: Path = Path(__file__).parent.parent / "web"

    @property
    def hosts(self) -> tuple[str, ...] | None:
        """The names, beside loopback's, by which the service may be called; None for any. Demo mode signs in whoever
        calls, so it takes none that it was not told."""
        return () if self.jobstream_demo and self.jobstream_hosts is None else self.jobstream_hosts

    @property
    def documents_served(self) -> bool:
        """Whether the OpenAPI and AsyncAPI documents are there for everybody."""
        return self.jobstream_openapi or self.jobstream_demo
