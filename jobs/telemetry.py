"""Whether and how this process is traced: OpenTelemetry's own variables, and the tracer that comes of them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Literal

from opentelemetry.trace import Tracer
from pydantic import AfterValidator, Field, HttpUrl, SecretStr, TypeAdapter
from pydantic_settings import BaseSettings, SettingsConfigDict

from jobs.records.extras import extra
from jobs.traces import UNTRACED

Sampler = Literal[
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
]

_URL: TypeAdapter[HttpUrl] = TypeAdapter(HttpUrl)


def _address(text: str) -> str:
    _URL.validate_python(text)
    return text


Address = Annotated[str, AfterValidator(_address)]


class TraceSettings(BaseSettings):
    """OpenTelemetry's variables, as far as they may stand in `.env` or a wrong value would go unseen; the SDK reads
    the others from the environment by itself."""

    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True)

    otel_exporter_otlp_endpoint: Address | None = None
    otel_exporter_otlp_traces_endpoint: Address | None = None
    otel_exporter_otlp_headers: SecretStr | None = None
    otel_exporter_otlp_protocol: Literal["http/protobuf"] = "http/protobuf"
    otel_service_name: str | None = None
    otel_resource_attributes: str | None = None
    otel_traces_sampler: Sampler | None = None
    otel_traces_sampler_arg: float | None = Field(default=None, ge=0, le=1)
    otel_bsp_max_queue_size: int = Field(default=2048, ge=1)
    otel_sdk_disabled: bool = False

    @property
    def traced(self) -> bool:
        """Whether a collector is named, and tracing is not switched off."""
        named = self.otel_exporter_otlp_endpoint or self.otel_exporter_otlp_traces_endpoint
        return named is not None and not self.otel_sdk_disabled

    @property
    def trace_environment(self) -> dict[str, str]:
        """What the SDK must find in the environment, wherever it was set."""
        given = self.model_dump(include=set(TraceSettings.model_fields), exclude_none=True)
        return {name.upper(): _plain(value) for name, value in given.items()}


@contextmanager
def open_tracer(settings: TraceSettings, *, service: str, lost: Callable[[int], object]) -> Iterator[Tracer]:
    """The tracer of this process, whose spans have left, or are given up, when the block ends; one that records
    nothing where no collector is named. `lost` is told how many spans no collector took.

    It is handed down, and never made the process's own: libraries that look for that one trace what was said."""
    if not settings.traced:
        yield UNTRACED
        return
    with extra("otel"):
        from jobs import collector  # noqa: PLC0415
    most = settings.otel_bsp_max_queue_size
    with collector.open_tracer(settings.trace_environment, service=service, most=most, lost=lost) as tracer:
        yield tracer


def _plain(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)
