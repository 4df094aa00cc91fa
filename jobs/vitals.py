"""How a process is, for Prometheus: what it takes of its machine, and what it could not tell anybody."""

from collections.abc import Iterator

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from jobs import logs


class Vitals:
    """The registry of one process, with what every process tells of itself."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # twice as many series, and who asks when a counter began can see it start
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self.registry.register(_Dropped())
        self._spans = Counter("jobstream_spans_lost", "Spans that no collector took.", registry=self.registry)

    def spans_lost(self, spans: int) -> None:
        """So many spans were taken by no collector."""
        self._spans.inc(spans)


class _Dropped(Collector):
    """The lines that the log has lost, as it counts them."""

    def collect(self) -> Iterator[Metric]:
        said = "Log lines that could not be written in time."
        yield CounterMetricFamily("jobstream_log_lines_dropped", said, value=logs.dropped())
