"""One metric over time, and what can be said of it without a model."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from statistics import fmean, median, pstdev

FEWEST_FOR_ANOMALIES = 8
MAD_TO_DEVIATION = 1.4826
"""The median absolute deviation of normally distributed values, times this, is their standard deviation
(Rousseeuw and Croux, Alternatives to the Median Absolute Deviation, 1993)."""


@dataclass(frozen=True)
class Statistics:
    """Values in a few figures; `first` and `last` by time, `deviation` of the whole population."""

    count: int
    min: float
    max: float
    mean: float
    median: float
    deviation: float
    first: float
    last: float


@dataclass(frozen=True)
class Bucket:
    """The values of one stretch of time that begins at `start`, in seconds since 1970."""

    start: float
    count: int
    min: float
    max: float
    mean: float


@dataclass(frozen=True)
class Anomaly:
    """Neighbouring values that lie apart; `score` says by how many deviations the furthest of them, `value`, does."""

    start: float
    end: float
    count: int
    value: float
    score: float


@dataclass(frozen=True)
class Series:
    """The values of a metric, oldest first; `times` are seconds since 1970, as many as there are values."""

    times: Sequence[float]
    values: Sequence[float]

    def __len__(self) -> int:
        return len(self.times)

    def window(self, start: float | None, end: float | None) -> "Series":
        """What lies between the two moments, both included; None is an open end."""
        first = 0 if start is None else bisect_left(self.times, start)
        last = len(self) if end is None else bisect_right(self.times, end)
        return Series(self.times[first:last], self.values[first:last])

    def statistics(self) -> Statistics | None:
        """The figures, None where there is no value."""
        if not len(self):
            return None
        values = self.values
        return Statistics(
            count=len(values),
            min=min(values),
            max=max(values),
            mean=fmean(values),
            median=median(values),
            deviation=pstdev(values),
            first=values[0],
            last=values[-1],
        )

    def buckets(self, seconds: float) -> Iterator[Bucket]:
        """Stretches of so many seconds, counted from 1970, each that holds a value."""
        for start, points in groupby(zip(self.times, self.values, strict=True), lambda each: each[0] // seconds):
            values = [value for _, value in points]
            yield Bucket(start * seconds, len(values), min(values), max(values), fmean(values))

    def anomalies(self, deviations: float) -> list[Anomaly]:
        """Where values are more than so many deviations away from the median, the furthest first.

        The deviation is a robust one, so that a few wild values don't hide themselves by widening it."""
        if len(self) < FEWEST_FOR_ANOMALIES:
            return []
        middle = median(self.values)
        spread = median(abs(value - middle) for value in self.values) * MAD_TO_DEVIATION or pstdev(self.values)
        if not spread:
            return []
        scored = (
            (time, value, abs(value - middle) / spread) for time, value in zip(self.times, self.values, strict=True)
        )
        runs = (list(run) for wild, run in groupby(scored, lambda each: each[2] > deviations) if wild)
        found = [_anomaly(run) for run in runs]
        return sorted(found, key=lambda anomaly: anomaly.score, reverse=True)


def series_of(times: Sequence[float], values: Sequence[float]) -> Series:
    """The values as a series, in whatever order they came; `times` are seconds since 1970."""
    if all(earlier <= later for earlier, later in pairwise(times)):
        return Series(times, values)
    order = sorted(range(len(times)), key=times.__getitem__)
    return Series(array("d", map(times.__getitem__, order)), array("d", map(values.__getitem__, order)))


def _anomaly(run: list[tuple[float, float, float]]) -> Anomaly:
    _, value, score = max(run, key=lambda each: each[2])
    return Anomaly(run[0][0], run[-1][0], len(run), value, score)
