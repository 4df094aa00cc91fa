"""Rows as they come from a file or a request, made into series."""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from types import MappingProxyType

from jobs.measurements.series import Series, series_of
from jobs.model import JsonObject

TIME_FIELDS = ("time", "timestamp", "ts", "date", "datetime")
"""The names under which a row may say when it was measured; the first that it has counts, and none is a metric."""

MOST_VALUES = 2_000_000
"""Of one system, 16 bytes each; what comes after them is left out and counted."""

MOST_METRICS = 10_000
LONGEST_NAME = 200
"""Of a metric; what has a longer name, or is one metric too many, is left out and counted."""

GREATEST = 1e150
"""Nothing that is measured is greater; the square of what is has no room in a float, nor have sums of it."""

SECONDS_UNTIL = 1e11
"""A number above this counts milliseconds since 1970, one below it seconds."""

EARLIEST, LATEST = -2_208_988_800.0, 253_402_300_799.0
"""The years 1900 to 9999: nothing was measured outside them, and later ones cannot be written."""


@dataclass(frozen=True)
class Measurements:
    """The series of a system by metric; `left_out` counts the values that could not be read, or were too many."""

    series: Mapping[str, Series] = field(default_factory=dict)
    left_out: int = 0

    @property
    def start(self) -> float | None:
        """When the oldest value was measured, None where there is none."""
        return min((each.times[0] for each in self.series.values()), default=None)

    @property
    def end(self) -> float | None:
        """When the newest was."""
        return max((each.times[-1] for each in self.series.values()), default=None)

    def newest(self, days: float) -> "Measurements":
        """The days before the newest value: a system that is silent now is judged by when it spoke."""
        if self.end is None:
            return self
        windows = {name: each.window(self.end - days * 86400, None) for name, each in self.series.items()}
        return Measurements({name: each for name, each in windows.items() if len(each)}, self.left_out)


def read_rows(rows: Iterable[Mapping[str, object]]) -> Measurements:
    """The series of all numeric fields of rows that say when they were measured."""
    points: dict[str, tuple[array[float], array[float]]] = defaultdict(lambda: (array("d"), array("d")))
    values = left_out = 0
    for row in rows:
        moment = moment_in(row)
        for metric, value in row.items():
            if metric in TIME_FIELDS or not isinstance(value, int | float) or isinstance(value, bool):
                continue
            known = metric in points or (len(points) < MOST_METRICS and len(metric) <= LONGEST_NAME)
            if moment is None or not abs(value) <= GREATEST or values == MOST_VALUES or not known:
                left_out += 1
                continue
            times, measured = points[metric]
            times.append(moment)
            measured.append(float(value))
            values += 1
    series = {metric: series_of(*points[metric]) for metric in sorted(points)}
    return Measurements(MappingProxyType(series), left_out)


def read_data(data: JsonObject) -> tuple[Measurements, JsonObject]:
    """The measurements that a request brings, and whatever else it says of the system.

    Each list of objects of which the first says when it was measured is a table of measurements."""
    tables = {name: value for name, value in data.items() if _is_table(value)}
    facts = {name: value for name, value in data.items() if name not in tables}
    return read_rows(row for table in tables.values() for row in table if isinstance(row, dict)), facts


def moment_in(row: Mapping[str, object]) -> float | None:
    """When the row was measured, seconds since 1970; None where it does not say."""
    return next((moment_of(row[name]) for name in TIME_FIELDS if name in row), None)


def moment_of(value: object) -> float | None:
    """Seconds since 1970 of a time as rows have it: a number of seconds or milliseconds, RFC 3339, or a datetime;
    UTC where it names no zone. None where it is none of these."""
    seconds = _seconds(value)
    return seconds if seconds is not None and EARLIEST <= seconds <= LATEST else None


def _seconds(value: object) -> float | None:
    match value:
        case bool():
            return None
        case int() | float():
            return value / 1000 if abs(value) > SECONDS_UNTIL else float(value)
        case datetime():
            return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
        case date():
            return datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp()
        case str():
            try:
                return _seconds(datetime.fromisoformat(value.strip()))
            except (ValueError, OverflowError):
                return None
    return None


def _is_table(value: object) -> bool:
    if not isinstance(value, list) or not value or not isinstance(value[0], dict):
        return False
    return any(name in value[0] and moment_of(value[0][name]) is not None for name in TIME_FIELDS)
