"""What Prometheus is told of this process of the API."""

import time
from collections import Counter as Counts
from functools import partial

from prometheus_client import Counter, Gauge, Histogram

from jobs.clock import MICROSECONDS
from jobs.updates import Entry
from jobs.vitals import Vitals
from service.witness import Beginning, Transport

ONE_IN = 16
"""Of so many batches of updates, one is timed: when all who waited for it were written to."""

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "WS"})

_REQUEST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120)
_DELIVERY = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)


class Meters(Vitals):
    """The service's witness, which counts (service.witness.Witness)."""

    def __init__(self) -> None:
        super().__init__()
        counter, histogram = partial(Counter, registry=self.registry), partial(Histogram, registry=self.registry)
        gauge = partial(Gauge, registry=self.registry)
        said = "Requests by the template of their route; WS is a WebSocket's."
        self._requests = counter("jobstream_http_requests", said, ["method", "route", "status"])
        said = "From a request's coming to the head of its answer."
        self._seconds = histogram("jobstream_http_request_seconds", said, ["method", "route"], buckets=_REQUEST)
        self._refusals = counter("jobstream_refusals", "What clients were refused, by the problem's slug.", ["code"])
        said = "Connections that listen here, by what they speak."
        self._streams = gauge("jobstream_streams", said, ["transport"])
        said = "Streams of a job that began here, by how."
        self._starts = counter("jobstream_stream_starts", said, ["how"])
        said = "From an update's being stored to its last reader here; one batch in 16 is timed."
        self._delivery = histogram("jobstream_delivery_seconds", said, buckets=_DELIVERY)
        said = "How far this process's clock is ahead of the store's, as of this scrape."
        self._ahead = gauge("jobstream_clock_ahead_seconds", said)
        self._ahead_seconds = 0.0
        self._batches = 0
        self.open: Counts[Transport] = Counts()
        """How many connections listen here, by what they speak."""

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        method = method if method in METHODS else "other"
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def refused(self, code: str) -> None:
        self._refusals.labels(code).inc()

    def opened(self, transport: Transport) -> None:
        self.open[transport] += 1
        self._streams.labels(transport).inc()

    def closed(self, transport: Transport) -> None:
        self.open[transport] -= 1
        self._streams.labels(transport).dec()

    def began(self, how: Beginning) -> None:
        self._starts.labels(how).inc()

    def delivered(self, newest: Entry) -> None:
        self._batches += 1
        if self._batches % ONE_IN == 0:
            stored_at = newest.cursor.us / MICROSECONDS + self._ahead_seconds
            self._delivery.observe(max(0.0, time.time() - stored_at))

    def compare(self, store_us: int, asked: float, answered: float) -> None:
        """Learn how far this clock is ahead of the store's, which was read between these two moments of ours; what
        that leaves open is taken for nothing."""
        ahead = (asked + answered) / 2 - store_us / MICROSECONDS
        self._ahead_seconds = ahead if abs(ahead) > (answered - asked) / 2 else 0.0
        self._ahead.set(self._ahead_seconds)
