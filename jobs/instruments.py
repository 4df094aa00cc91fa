"""The tools by which a model looks at measurements: each a question with checked arguments and a bounded answer."""

import heapq
import math
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Annotated, Any, ClassVar

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from jobs.clock import MICROSECONDS, from_microseconds
from jobs.kind import Call, Tool
from jobs.measurements.rows import Measurements, moment_of
from jobs.measurements.series import Series
from jobs.model import JsonObject

MOST_POINTS = 400
"""Of one answer: about 10,000 tokens, of which a model still reads each."""

MOST_NAMED_METRICS = 100
CHART_POINTS = 200
MOST_METRICS = 500
MOST_LISTED_METRICS = 200
"""With their spans: more would be longer than an answer may be."""

MOST_ANOMALIES = 50
LONGEST_ANSWER_BYTES = 64 * 1024
SIGNIFICANT_DIGITS = 6


class NoAnswer(ValueError):
    """The question cannot be answered as it was put; the sentence tells the model how to put it."""


Metric = Annotated[str, Field(description="The name of a metric, as list_metrics has it.")]
Moment = Annotated[str | None, Field(description="RFC 3339, UTC where it names no zone; absent: no bound.")]


class Ask(BaseModel):
    """One question; its fields are the arguments that the tool takes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: ClassVar[str]

    @abstractmethod
    def answer(self, measurements: Measurements) -> JsonObject:
        """What the measurements say, as JSON; NoAnswer where they can't."""


class ListMetrics(Ask):
    """The metrics that were measured, each with how many values there are and between which moments."""

    name = "list_metrics"

    def answer(self, measurements: Measurements) -> JsonObject:
        found = [
            {"metric": name, "count": len(series), "from": _told(series.times[0]), "to": _told(series.times[-1])}
            for name, series in measurements.series.items()
        ]
        return {"metrics": found[:MOST_LISTED_METRICS], "metrics_in_all": len(found)}


class DescribeMetric(Ask):
    """Count, minimum, maximum, mean, median and deviation of a metric, in a window or in all."""

    name = "describe_metric"

    metric: Metric
    start: Moment = None
    end: Moment = None

    def answer(self, measurements: Measurements) -> JsonObject:
        return {"metric": self.metric, **_figures(_window(measurements, self.metric, self.start, self.end))}


class QueryMetric(Ask):
    """The values of a metric in a window: raw, or the minimum, maximum and mean of buckets of some seconds."""

    name = "query_metric"

    metric: Metric
    start: Moment = None
    end: Moment = None
    bucket_seconds: Annotated[
        float | None, Field(ge=0.001, le=366 * 86400, description="The width of a bucket; absent: the raw values.")
    ] = None

    def answer(self, measurements: Measurements) -> JsonObject:
        series = _window(measurements, self.metric, self.start, self.end)
        if self.bucket_seconds is None:
            points = [[_told(time), _short(value)] for time, value in zip(series.times, series.values, strict=True)]
            return {"metric": self.metric, **_capped(points, "values", "ask for buckets or a shorter window")}
        buckets = [
            {"start": _told(bucket.start), "count": bucket.count}
            | {name: _short(getattr(bucket, name)) for name in ("min", "max", "mean")}
            for bucket in series.buckets(self.bucket_seconds)
        ]
        return {"metric": self.metric, **_capped(buckets, "buckets", "ask for wider buckets or a shorter window")}


class ComparePeriods(Ask):
    """A metric in two windows side by side, and by how much its mean changed."""

    name = "compare_periods"

    metric: Metric
    first_start: Moment = None
    first_end: Moment = None
    second_start: Moment = None
    second_end: Moment = None

    def answer(self, measurements: Measurements) -> JsonObject:
        first = _figures(_window(measurements, self.metric, self.first_start, self.first_end))
        second = _figures(_window(measurements, self.metric, self.second_start, self.second_end))
        change = None
        if first["count"] and second["count"]:
            change = {"mean": _short(second["mean"] - first["mean"])}
            if first["mean"]:
                change["percent"] = _short(100 * (second["mean"] - first["mean"]) / abs(first["mean"]))
        return {"metric": self.metric, "first": first, "second": second, "change": change}


class FindAnomalies(Ask):
    """Stretches in which a metric lies apart from its usual values, the furthest first."""

    name = "find_anomalies"

    metric: Metric
    start: Moment = None
    end: Moment = None
    deviations: Annotated[
        float, Field(ge=1, le=100, description="How many robust deviations from the median count as apart.")
    ] = 4.0

    def answer(self, measurements: Measurements) -> JsonObject:
        found = _window(measurements, self.metric, self.start, self.end).anomalies(self.deviations)
        told = [
            {
                "start": _told(each.start),
                "end": _told(each.end),
                "count": each.count,
                "value": _short(each.value),
                "score": _short(each.score),
            }
            for each in found[:MOST_ANOMALIES]
        ]
        return {"metric": self.metric, "anomalies": told, "anomalies_in_all": len(found)}


ASKS: Mapping[str, type[Ask]] = MappingProxyType(
    {ask.name: ask for ask in (ListMetrics, DescribeMetric, QueryMetric, ComparePeriods, FindAnomalies)}
)


def tools(measurements: Measurements) -> tuple[Tool, ...]:
    """The tools as providers take them; the metrics that they may name are these, as far as they can be told."""
    metrics = list(measurements.series)
    return tuple(
        Tool(name, " ".join((ask.__doc__ or "").split()), _schema(ask, metrics)) for name, ask in ASKS.items()
    )


def answer(measurements: Measurements, call: Call) -> str:
    """What the call brings, as JSON: the answer, or `{"error": sentence}`, from which the model learns to ask."""
    try:
        told = _asked(call).answer(measurements)
    except NoAnswer as error:
        told = {"error": str(error)}
    text = orjson.dumps(told).decode()
    if len(text) > LONGEST_ANSWER_BYTES:
        return orjson.dumps({"error": "The answer is too long: ask for a shorter window or wider buckets."}).decode()
    return text


def overview(measurements: Measurements) -> str:
    """What there is to look at, in a sentence or two."""
    if measurements.start is None or measurements.end is None:
        return "It has no measurements."
    names = ", ".join(list(measurements.series)[:MOST_METRICS])
    return f"It measured {names}, from {_told(measurements.start)} to {_told(measurements.end)}."


def table(measurements: Measurements, *, most_bytes: int) -> str:
    """The newest values as CSV, time, metric and value a line, oldest first: as many as there is room for."""
    points = heapq.merge(*(_newest_first(*each) for each in measurements.series.items()), reverse=True)
    lines: list[str] = []
    room = most_bytes
    for time, name, value in points:
        line = f"{_told(time)},{name},{_short(value)}"
        room -= len(line) + 1
        if room < 0:
            lines.append("(older values are left out)")
            break
        lines.append(line)
    return "\n".join(["time,metric,value", *reversed(lines)])


def _newest_first(name: str, series: Series) -> Iterator[tuple[float, str, float]]:
    for place in reversed(range(len(series))):
        yield series.times[place], name, series.values[place]


def chart(series: Series) -> JsonObject:
    """The series as a picture needs it, `{"times", "means"}`: of each of some stretches of time that has values."""
    seconds = max((series.times[-1] - series.times[0]) / CHART_POINTS, 1e-3)
    buckets = [*series.buckets(seconds)]
    return {
        "times": [round(bucket.start, 3) for bucket in buckets],
        "means": [_short(bucket.mean) for bucket in buckets],
    }


def _asked(call: Call) -> Ask:
    if (ask := ASKS.get(call.name)) is None:
        raise NoAnswer(f"No tool has this name; there are {', '.join(ASKS)}.")
    try:
        return ask.model_validate(call.arguments)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, each['loc'])) or 'arguments'}: {each['msg']}" for each in error.errors()
        )
        raise NoAnswer(f"The arguments are not valid: {wrong}.") from None


def _schema(ask: type[Ask], metrics: list[str]) -> dict[str, Any]:
    schema = ask.model_json_schema()
    schema.pop("description", None)
    if "metric" in schema["properties"] and 0 < len(metrics) <= MOST_NAMED_METRICS:
        schema["properties"]["metric"]["enum"] = metrics
    return schema


def _window(measurements: Measurements, metric: str, start: str | None, end: str | None) -> Series:
    if (series := measurements.series.get(metric)) is None:
        raise NoAnswer("No metric has this name; list_metrics tells the names.")
    return series.window(_moment(start), _moment(end))


def _moment(text: str | None) -> float | None:
    if text is None:
        return None
    if (moment := moment_of(text)) is None:
        raise NoAnswer("A time is RFC 3339, such as 2026-01-31T12:00:00Z.")
    return moment


def _figures(series: Series) -> JsonObject:
    figures = series.statistics()
    if figures is None:
        return {"count": 0}
    told = {name: _short(value) for name, value in asdict(figures).items()}
    return told | {"from": _told(series.times[0]), "to": _told(series.times[-1])}


def _capped(found: list[Any], name: str, advice: str) -> JsonObject:
    if len(found) <= MOST_POINTS:
        return {name: found}
    return {name: found[:MOST_POINTS], f"{name}_in_all": len(found), "advice": f"These are the first: {advice}."}


def _short(value: float) -> float:
    """As many digits as anybody reads."""
    if not value or not math.isfinite(value) or isinstance(value, int):
        return value
    return round(value, SIGNIFICANT_DIGITS - 1 - math.floor(math.log10(abs(value))))


def _told(moment: float) -> str:
    return from_microseconds(round(moment * MICROSECONDS))
