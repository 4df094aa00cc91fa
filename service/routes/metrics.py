"""Metrics for Prometheus: what the store holds, and what this process has seen."""

import time
from collections.abc import Iterator, Mapping

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.responses import Response

from jobs.connection import store_faults
from jobs.figures import Figures, figures
from jobs.overview import Counts
from service.api import AccessOf, Api, ApiOf
from service.shapes import PlainText

router = APIRouter(tags=["health"])


@router.get("/metrics", response_class=PlainText)
async def metrics(api: ApiOf, access: AccessOf) -> Response:
    """Figures of the store and of this process, for the operator's secret alone."""
    access.check_operator()
    now_us = await _store_now(api)
    held, counts = await figures(api.client), await api.desk.overview.counts()
    oldest = await api.desk.overview.oldest_waiting(now_us)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Store(held, counts, oldest))
    registry.register(_Listening(followed=api.feed.followed, listeners=api.feed.listeners))
    told = generate_latest(registry) + generate_latest(api.meters.registry)
    return Response(told, media_type=CONTENT_TYPE_LATEST)


async def _store_now(api: Api) -> int:
    """The store's clock, with which this process's is compared."""
    asked = time.time()
    with store_faults():
        now_us = await api.client.now_us()
    api.meters.compare(now_us, asked, time.time())
    return now_us


class _Store(Collector):
    """What the store holds, the same whichever process is asked."""

    def __init__(self, held: Figures, counts: Counts, oldest_waiting: float | None) -> None:
        self._held = held
        self._counts = counts
        self._oldest_waiting = oldest_waiting

    def collect(self) -> Iterator[Metric]:
        """Each figure, once."""
        held = self._held
        going_on = {
            "waiting": held.waiting,
            "scheduled": held.scheduled,
            "parked": held.parked,
            "running": held.running,
        }
        yield _jobs(going_on)
        yield _of_kinds("jobstream_kind_jobs", "Jobs that are not over, by kind and state.", self._counts.by_kind)
        oldest = self._oldest_waiting or 0
        yield _gauge("jobstream_oldest_waiting_seconds", "How long a job has waited that is due, at most.", oldest)
        yield _gauge("jobstream_dead_letters", "Jobs that failed for good and are kept.", held.dead_letters)
        yield _ended(held.ended)
        yield _gauge("jobstream_workers", "Workers that live.", held.workers)
        yield _gauge("jobstream_worker_slots", "Jobs that the workers can run at once.", held.slots)
        yield _gauge("jobstream_store_memory_bytes", "Memory that the store uses.", held.memory)
        said = "Memory that the store may use; 0 where it has no bound of its own."
        yield _gauge("jobstream_store_memory_limit_bytes", said, held.most_memory)


class _Listening(Collector):
    """Who listens to this process."""

    def __init__(self, *, followed: int, listeners: int) -> None:
        self._followed = followed
        self._listeners = listeners

    def collect(self) -> Iterator[Metric]:
        """Each figure, once."""
        yield _gauge("jobstream_followed_jobs", "Jobs that are followed in this process.", self._followed)
        yield _gauge("jobstream_listeners", "Who follows a job in this process.", self._listeners)


def _gauge(name: str, said: str, value: float) -> Metric:
    return GaugeMetricFamily(name, said, value)


def _jobs(counts: Mapping[str, int]) -> Metric:
    family = GaugeMetricFamily("jobstream_jobs", "Jobs that go on, by what they do.", labels=["state"])
    for state, count in counts.items():
        family.add_metric([state], count)
    return family


def _of_kinds(name: str, said: str, counts: Mapping[tuple[str, str], int]) -> Metric:
    family = GaugeMetricFamily(name, said, labels=["kind", "state"])
    for labels, count in counts.items():
        family.add_metric(labels, count)
    return family


def _ended(counts: Mapping[tuple[str, str], int]) -> Metric:
    said = "Runs that ended, by kind and state."
    family = CounterMetricFamily("jobstream_jobs_ended", said, labels=["kind", "state"])
    for labels, count in counts.items():
        family.add_metric(labels, count)
    return family
