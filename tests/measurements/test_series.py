"""What can be said of measurements without a model."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from jobs.instruments import MOST_LISTED_METRICS, MOST_POINTS, answer, table, tools
from jobs.kind import Call
from jobs.measurements.rows import MOST_METRICS, Measurements, moment_of, read_data, read_rows
from jobs.measurements.series import series_of

HOUR = 3600


def told(measurements: Measurements, name: str, **arguments: Any) -> Any:
    """What a tool answers."""
    return json.loads(answer(measurements, Call("1", name, arguments)))


@pytest.fixture
def measurements() -> Measurements:
    """A day of a battery, a value an hour: the voltage falls out of its range at noon."""
    rows = [{"time": f"2026-03-01T{hour:02}:00:00Z", "voltage": 12.0 + hour / 100, "on": True} for hour in range(24)]
    rows[12]["voltage"] = 3.5
    return read_rows(rows)


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("1970-01-01T01:00:00Z", HOUR),
        ("1970-01-01T01:00:00", HOUR),
        ("1970-01-01T02:00:00+01:00", HOUR),
        (HOUR, HOUR),
        (1_700_000_000_000, 1_700_000_000),
        (datetime(1970, 1, 1, 1, tzinfo=UTC), HOUR),
        ("yesterday", None),
        (True, None),
        (float("nan"), None),
        (1e300, None),
        (None, None),
    ],
)
def test_a_time_is_read_as_rows_have_it(value: object, moment: float | None) -> None:
    """Seconds, milliseconds, RFC 3339; what is none of them is no time."""
    assert moment_of(value) == moment


def test_values_are_kept_by_time_whatever_order_they_came_in() -> None:
    """And a window holds both its ends."""
    series = series_of([3.0, 1.0, 2.0], [30.0, 10.0, 20.0])

    assert list(series.window(2.0, 3.0).values) == [20.0, 30.0]
    assert list(series.window(None, 1.5).values) == [10.0]


def test_what_cannot_be_read_is_counted() -> None:
    """A value without a time, and one that is no number."""
    read = read_rows([{"time": "soon", "a": 1}, {"time": 1, "a": float("inf")}, {"time": 1, "a": 2}])

    assert (list(read.series["a"].values), read.left_out) == ([2.0], 2)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1.7e308])
def test_a_value_that_no_figure_can_be_made_of_is_left_out(value: float) -> None:
    """What else was measured has its figures."""
    found = read_rows([{"time": second, "volts": value if second % 2 else 1.0} for second in range(20)])

    assert found.left_out == 10
    assert told(found, "describe_metric", metric="volts")["max"] == 1.0


def test_neither_the_number_of_metrics_nor_their_names_grow_without_end() -> None:
    """What is left out is counted."""
    found = read_rows([{"time": number, f"m{number}": 1.0, "x" * 201: 1.0} for number in range(MOST_METRICS + 5)])

    assert (len(found.series), found.left_out) == (MOST_METRICS, MOST_METRICS + 5 + 5)


def test_data_is_measurements_and_facts() -> None:
    """Tables of rows with a time are measurements; whatever else is there is what the system is."""
    read, facts = read_data({"site": "north", "rows": [{"ts": 1, "a": 2}], "notes": [{"by": "me"}]})

    assert (list(read.series), facts) == (["a"], {"site": "north", "notes": [{"by": "me"}]})


def test_the_newest_days_count_back_from_the_newest_value() -> None:
    """A system that has been silent for a year is still looked at."""
    read = read_rows([{"time": day * 86400, "a": day} for day in range(10)])

    assert list(read.newest(2).series["a"].values) == [7.0, 8.0, 9.0]


def test_buckets_have_the_least_the_most_and_the_mean(measurements: Measurements) -> None:
    """Of half a day each."""
    answered = told(measurements, "query_metric", metric="voltage", bucket_seconds=12 * HOUR)

    assert [bucket["start"] for bucket in answered["buckets"]] == [
        "2026-03-01T00:00:00.000Z",
        "2026-03-01T12:00:00.000Z",
    ]
    assert [(bucket["min"], bucket["max"], bucket["count"]) for bucket in answered["buckets"]] == [
        (12.0, 12.11, 12),
        (3.5, 12.23, 12),
    ]


def test_an_anomaly_is_found_where_it_is_and_nowhere_else(measurements: Measurements) -> None:
    """One value that is far from the others doesn't hide itself by widening what is usual."""
    answered = told(measurements, "find_anomalies", metric="voltage")

    (found,) = answered["anomalies"]
    assert (found["start"], found["value"], found["count"]) == ("2026-03-01T12:00:00.000Z", 3.5, 1)


def test_two_periods_are_compared(measurements: Measurements) -> None:
    """By their figures, and by how much the mean moved."""
    answered = told(
        measurements,
        "compare_periods",
        metric="voltage",
        first_end="2026-03-01T05:00:00Z",
        second_start="2026-03-01T18:00:00Z",
    )

    assert (answered["first"]["count"], answered["second"]["count"]) == (6, 6)
    assert answered["change"]["mean"] == pytest.approx(0.18)


def test_the_metrics_are_listed_with_their_span(measurements: Measurements) -> None:
    """What is true or false is not measured."""
    (metric,) = told(measurements, "list_metrics")["metrics"]

    assert metric == {
        "metric": "voltage",
        "count": 24,
        "from": "2026-03-01T00:00:00.000Z",
        "to": "2026-03-01T23:00:00.000Z",
    }


@pytest.mark.parametrize(
    ("name", "arguments", "why"),
    [
        ("drop_tables", {}, "No tool has this name"),
        ("query_metric", {"metric": "speed"}, "No metric has this name"),
        ("query_metric", {"metric": "voltage", "start": "monday"}, "RFC 3339"),
        ("query_metric", {"metric": "voltage", "bucket_seconds": -1}, "bucket_seconds"),
        ("query_metric", {"metric": "voltage", "bucket_seconds": 1e-320}, "bucket_seconds"),
        ("query_metric", {"metric": "voltage", "evil": 1}, "evil"),
        ("describe_metric", {}, "metric: Field required"),
    ],
)
def test_a_question_that_is_wrong_is_told_how_to_be_right(
    measurements: Measurements, name: str, arguments: dict[str, Any], why: str
) -> None:
    """The model reads it and asks again; nothing fails."""
    assert why in told(measurements, name, **arguments)["error"]


def test_many_metrics_are_listed_as_far_as_there_is_room() -> None:
    """And their number is told."""
    found = read_rows([{"time": 0, f"{number:0200}": 1.0} for number in range(1000)])

    listed = told(found, "list_metrics")

    assert (len(listed["metrics"]), listed["metrics_in_all"]) == (MOST_LISTED_METRICS, 1000)


def test_the_newest_of_all_values_are_in_the_table() -> None:
    """Of whichever metric, oldest first, as many as there is room for."""
    found = read_rows([{"time": hour * HOUR, "a": hour, "b": -hour} for hour in range(100)])

    lines = table(found, most_bytes=150).splitlines()

    assert lines[:2] == ["time,metric,value", "(older values are left out)"]
    assert lines[-2:] == ["1970-01-05T03:00:00.000Z,a,99.0", "1970-01-05T03:00:00.000Z,b,-99.0"]


def test_an_answer_is_bounded_and_says_so() -> None:
    """The first values, how many there are, and what to ask instead."""
    read = read_rows([{"time": second, "a": second} for second in range(MOST_POINTS + 1)])

    answered = told(read, "query_metric", metric="a")

    assert (len(answered["values"]), answered["values_in_all"]) == (MOST_POINTS, MOST_POINTS + 1)
    assert "bucket" in answered["advice"]


def test_a_window_without_values_has_no_figures(measurements: Measurements) -> None:
    """A count of nothing, and no error."""
    answered = told(measurements, "describe_metric", metric="voltage", start="2030-01-01T00:00:00Z")

    assert answered == {"metric": "voltage", "count": 0}


def test_each_tool_is_described_to_the_model(measurements: Measurements) -> None:
    """With its arguments as a JSON Schema of an object that takes nothing else, and the metrics that there are."""
    for tool in tools(measurements):
        fields: Any = tool.parameters["properties"]
        assert fields.get("metric", {}).get("enum", ["voltage"]) == ["voltage"]
        assert tool.description.endswith(".")
        assert (tool.parameters["type"], tool.parameters["additionalProperties"]) == ("object", False)
