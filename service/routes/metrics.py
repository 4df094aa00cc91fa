"""Metrics for Prometheus: what the store holds, and who listens to this process."""

from collections.abc import Iterator

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.responses import Response

from jobs.figures import Figures, figures
from service.api import AccessOf, ApiOf
from service.shapes import PlainText

router = APIRouter(tags=["health"])


@router.get("/metrics", response_class=PlainText)
async def metrics(api: ApiOf, access: AccessOf) -> Response:
    """Figures of the store and of this process, for the operator's secret alone."""
    access.check_operator()
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Told(await figures(api.client), followed=api.feed.followed, listeners=api.feed.listeners))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class _Told(Collector):
    """The figures under the names that Prometheus knows them by."""

    def __init__(self, held: Figures, *, followed: int, listeners: int) -> None:
        self._held = held
        self._followed = followed
        self._listeners = listeners

    def collect(self) -> Iterator[Metric]:
        """Each figure, once."""
        held = self._held
        yield _jobs(
            {"waiting": held.waiting, "scheduled": held.scheduled, "parked": held.parked, "running": held.running}
        )
        yield GaugeMetricFamily(
            "jobstream_dead_letters", "Jobs that failed for good and are kept.", held.dead_letters
        )
        yield _ended(held)
        yield GaugeMetricFamily("jobstream_workers", "Workers that live.", held.workers)
        yield GaugeMetricFamily("jobstream_worker_slots", "Jobs that the workers can run at once.", held.slots)
        yield GaugeMetricFamily("jobstream_store_memory_bytes", "Memory that the store uses.", held.memory)
        yield GaugeMetricFamily("jobstream_followed_jobs", "Jobs that are followed in this process.", self._followed)
        yield GaugeMetricFamily("jobstream_listeners", "Who follows a job in this process.", self._listeners)


def _jobs(counts: dict[str, int]) -> Metric:
    family = GaugeMetricFamily("jobstream_jobs", "Jobs that go on, by what they do.", labels=["state"])
    for state, count in counts.items():
        family.add_metric([state], count)
    return family


def _ended(held: Figures) -> Metric:
    family = CounterMetricFamily(
        "jobstream_jobs_ended", "Runs that ended, by kind and state.", labels=["kind", "state"]
    )
    for (kind, state), count in held.ended.items():
        family.add_metric([kind, state], count)
    return family
