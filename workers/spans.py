"""The spans of a worker, named as OpenTelemetry's conventions have it: an attempt, its steps, and what providers are
asked. None of them holds a word of what was asked or answered."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Tracer
from opentelemetry.util.types import AttributeValue

from jobs import traces
from jobs.errors import JobError
from jobs.kind import Answer
from jobs.leases import Claim
from workers.outcomes import Outcome
from workers.witness import OUTCOMES

_PROVIDERS: Mapping[str, str] = {"google": "gcp.gemini"}
"""Who is called otherwise in the conventions for generative AI than here."""

Facts = dict[str, AttributeValue]


def attempt(tracer: Tracer, claim: Claim) -> AbstractContextManager[Span]:
    """The attempt's span, in the trace of whoever submitted the job."""
    facts: Facts = {
        "jobstream.job.id": claim.job_id,
        "jobstream.job.kind": claim.kind,
        "jobstream.job.run": claim.run,
        "jobstream.job.attempt": claim.attempt,
        "jobstream.request.id": claim.request_id,
    }
    return _span(tracer, f"run {claim.kind}", facts, SpanKind.CONSUMER, traces.after(claim.trace))


def ended(span: Span, outcome: Outcome) -> None:
    """How the attempt ended."""
    span.set_attribute("jobstream.outcome", OUTCOMES[type(outcome)])
    if failure := getattr(outcome, "failure", None):
        traces.fail(span, failure.type)


def step(tracer: Tracer, name: str) -> AbstractContextManager[Span]:
    """A step's span, around all that it does."""
    return _span(tracer, f"step {name}", {"jobstream.step.name": name}, SpanKind.INTERNAL)


def question(tracer: Tracer, provider: str, model: str, attempt: int) -> AbstractContextManager[Span]:
    """The span of one question to a provider, the `attempt`th time that it is put."""
    facts: Facts = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": _PROVIDERS.get(provider, provider),
        "gen_ai.request.model": model,
        "jobstream.provider.attempt": attempt,
    }
    return _span(tracer, f"chat {model}", facts, SpanKind.CLIENT)


def answered(span: Span, answer: Answer) -> None:
    """What the provider says of its answer."""
    span.set_attribute("gen_ai.response.model", answer.model)
    if answer.first_token is not None:
        span.set_attribute("jobstream.provider.first_token_seconds", answer.first_token)
    if answer.usage:
        span.set_attribute("gen_ai.usage.input_tokens", answer.usage.input_tokens)
        span.set_attribute("gen_ai.usage.output_tokens", answer.usage.output_tokens)


@contextmanager
def _span(tracer: Tracer, name: str, facts: Facts, kind: SpanKind, place: Context | None = None) -> Iterator[Span]:
    """A span around the block; of what fails in it the SDK would note message and traceback, so that we do it."""
    with tracer.start_as_current_span(
        name, place, kind, facts, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield span
        except Exception as error:
            traces.fail(span, error.code if isinstance(error, JobError) else type(error).__name__)
            raise
