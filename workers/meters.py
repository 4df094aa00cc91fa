"""What Prometheus is told of a worker."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server

from jobs.kind import Answer
from jobs.leases import Claim
from jobs.vitals import Vitals
from workers.outcomes import GaveUp, Lost, Outcome, TryAgain
from workers.witness import OUTCOMES

MOST_MODELS = 32
"""Of one provider, that are told apart: a job may name any."""

MODEL_LENGTH = 64
OTHER = "other"

_PICK_UP = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 120, 600)
_ATTEMPT = (0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3600)
_ANSWER = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
_UPDATES = (1, 2, 3, 5, 10, 20, 50, 100)


class Meters(Vitals):
    """A worker's witness, which counts (workers.witness.Witness)."""

    def __init__(self) -> None:
        super().__init__()
        self._jobs = _JobMeters(self.registry)
        self._providers = _ProviderMeters(self.registry)

    def claimed(self, claim: Claim) -> None:
        if claim.waited_seconds is not None:
            self._jobs.pickup.labels(claim.kind).observe(claim.waited_seconds)

    def settled(self, claim: Claim, outcome: Outcome, seconds: float) -> None:
        self._jobs.attempts.labels(claim.kind, OUTCOMES[type(outcome)]).observe(seconds)
        match outcome:
            case TryAgain(failure=failure):
                self._jobs.retries.labels(claim.kind, failure.type).inc()
            case GaveUp(failure=failure):
                self._jobs.failures.labels(claim.kind, failure.type).inc()
            case Lost():
                self._jobs.lost.labels(claim.kind).inc()

    def stepped(self, claim: Claim, state: str) -> None:
        self._jobs.steps.labels(claim.kind, state).inc()

    def appended(self, updates: int) -> None:
        self._jobs.updates.observe(updates)

    def answered(self, provider: str, answer: Answer) -> None:
        self._providers.answered(provider, answer)

    def refused(self, provider: str, code: str) -> None:
        self._providers.requests.labels(provider).inc()
        self._providers.errors.labels(provider, code).inc()


class _JobMeters:
    """The families that tell of jobs."""

    def __init__(self, registry: CollectorRegistry) -> None:
        counter, histogram = partial(Counter, registry=registry), partial(Histogram, registry=registry)
        said = "From when a job was due to when a worker had it, by the store's clock."
        self.pickup = histogram("jobstream_pickup_seconds", said, ["kind"], buckets=_PICK_UP)
        said = "How long attempts took in this worker, by how they ended."
        self.attempts = histogram("jobstream_attempt_seconds", said, ["kind", "outcome"], buckets=_ATTEMPT)
        said = "Attempts that failed and are followed by another."
        self.retries = counter("jobstream_retries", said, ["kind", "reason"])
        said = "Runs that failed for good, and are dead letters."
        self.failures = counter("jobstream_failures", said, ["kind", "reason"])
        self.lost = counter("jobstream_leases_lost", "Jobs that another worker may hold by now.", ["kind"])
        self.steps = counter("jobstream_steps", "Steps, by how they ended.", ["kind", "state"])
        said = "Updates that went into a log as one act."
        self.updates = histogram("jobstream_append_updates", said, buckets=_UPDATES)


class _ProviderMeters:
    """The families that tell of providers."""

    def __init__(self, registry: CollectorRegistry) -> None:
        counter, histogram = partial(Counter, registry=registry), partial(Histogram, registry=registry)
        self.requests = counter("jobstream_provider_requests", "Times that a provider was asked.", ["provider"])
        said = "Times that a provider gave no whole answer."
        self.errors = counter("jobstream_provider_errors", said, ["provider", "code"])
        said = "From asking a provider to its first words."
        name = "jobstream_provider_first_token_seconds"
        self.first_token = histogram(name, said, ["provider"], buckets=_ANSWER)
        said = "From asking a provider to its whole answer."
        self.answers = histogram("jobstream_provider_answer_seconds", said, ["provider"], buckets=_ANSWER)
        said = "Tokens as the provider counted them, of questions (input) and answers (output)."
        self.tokens = counter("jobstream_provider_tokens", said, ["provider", "model", "direction"])
        said = "US dollars at list price, where the model's price is known."
        self.cost = counter("jobstream_provider_cost_dollars", said, ["provider", "model"])
        self._models: dict[str, set[str]] = defaultdict(set)

    def answered(self, provider: str, answer: Answer) -> None:
        """A provider has given a complete answer."""
        self.requests.labels(provider).inc()
        self.answers.labels(provider).observe(answer.elapsed)
        if answer.first_token is not None:
            self.first_token.labels(provider).observe(answer.first_token)
        if usage := answer.usage:
            model = self._told_apart(provider, answer.model)
            self.tokens.labels(provider, model, "input").inc(usage.input_tokens)
            self.tokens.labels(provider, model, "output").inc(usage.output_tokens)
            self.cost.labels(provider, model).inc(usage.cost or 0)

    def _told_apart(self, provider: str, model: str) -> str:
        model, known = model[:MODEL_LENGTH], self._models[provider]
        if len(known) < MOST_MODELS:
            known.add(model)
        return model if model in known else OTHER


@contextmanager
def served(registry: CollectorRegistry, host: str, port: int) -> Iterator[None]:
    """Answer whoever scrapes there while the block runs; OSError where the port is not to be had."""
    server, thread = start_http_server(port, addr=host, registry=registry)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
