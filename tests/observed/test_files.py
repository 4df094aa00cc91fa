"""Dashboard, alerts and reference name what the processes tell, and all of it."""

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping

import pytest
import yaml

from tests.observed.day import Day
from tests.observed.scrape import samples_of
from tests.observed.watched import OPERATOR_SECRET, Watched
from tests.system import ROOT

DASHBOARD = ROOT / "deploy" / "grafana" / "jobstream.json"
ALERTS = ROOT / "deploy" / "prometheus-alerts.yml"
SCRAPES = ROOT / "deploy" / "prometheus.yml"
REFERENCE = ROOT / "docs" / "METRICS.md"
RECIPES = ROOT / "docs" / "RECIPES.md"

ADDED = {"le", "job", "instance"}
"""Labels of histograms, and those that Prometheus gives to whatever it scrapes."""

_NAME = re.compile(r"\bjobstream_\w+")
_CHOSEN = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"")
_GROUPED = re.compile(r"\bby \(([^)]*)\)")
_ROW = re.compile(r"^\| `(jobstream_\w+)` \| (\w+) \| ([^|]*) \| ([^|]*) \| (.*) \|$", re.MULTILINE)


@pytest.fixture(scope="module")
def told(day: Day) -> Mapping[str, set[str]]:
    """The name of every sample, with the labels that it was seen with."""
    found: dict[str, set[str]] = {}
    for look in (day.after.api, day.after.worker):
        for family in look.own.values():
            labels = {name for sample in family.samples for name in sample.labels}
            for name in samples_of(family):
                found[name] = found.get(name, set()) | labels
    return found


def queries() -> Iterator[tuple[str, str]]:
    """Every query of the dashboard with its panel's title."""
    board = json.loads(DASHBOARD.read_text())
    for panel in board["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["name"], variable["definition"]


def alerts() -> Iterator[tuple[str, str]]:
    """Every alert's query with its name."""
    for group in yaml.safe_load(ALERTS.read_text())["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]


@pytest.mark.parametrize(("title", "query"), [*queries(), *alerts()])
def test_a_query_names_what_is_told(title: str, query: str, told: Mapping[str, set[str]]) -> None:
    """The samples, and the labels by which it chooses and groups."""
    names = set(_NAME.findall(query))
    labels = set(_CHOSEN.findall(query))
    labels |= {label.strip() for group in _GROUPED.findall(query) for label in group.split(",")}

    assert names <= told.keys(), title
    seen = [told[name] for name in names]
    if all(seen):  # what has not happened today has no labels yet
        assert labels <= ADDED.union(*seen), title


def test_the_dashboard_shows_whatever_is_told(told: Mapping[str, set[str]]) -> None:
    """Of a histogram, some of its samples."""
    shown = {_family(name) for _, query in queries() for name in _NAME.findall(query)}

    assert {_family(name) for name in told} == shown


def test_a_query_that_divides_by_time_has_a_counter(told: Mapping[str, set[str]]) -> None:
    """A rate of a gauge means nothing."""
    for title, query in [*queries(), *alerts()]:
        for name in re.findall(r"\b(?:rate|increase)\((jobstream_\w+)", query):
            assert name.endswith(("_total", "_count", "_sum", "_bucket")), title


def test_the_dashboard_is_one_that_grafana_takes() -> None:
    """Its panels have ids of their own and places that do not overlap, and ask the source that was chosen."""
    board = json.loads(DASHBOARD.read_text())
    ids = [panel["id"] for panel in board["panels"]]
    places = [_cells(panel["gridPos"]) for panel in board["panels"]]

    assert board["schemaVersion"] >= 36
    assert len(set(ids)) == len(ids)
    assert sum(len(each) for each in places) == len(set().union(*places))
    assert {panel["datasource"]["uid"] for panel in board["panels"] if panel["type"] != "row"} == {"${datasource}"}
    assert [variable["name"] for variable in board["templating"]["list"]] == ["datasource", "kind"]


def test_prometheus_reads_the_rules_and_both_processes() -> None:
    """The alerts and panels know them by these names."""
    config = yaml.safe_load(SCRAPES.read_text())

    assert config["rule_files"] == [ALERTS.name]
    assert [each["job_name"] for each in config["scrape_configs"]] == ["jobstream-api", "jobstream-worker"]


def test_the_reference_says_of_each_family_what_it_says_of_itself(day: Day) -> None:
    """Name, type, whose it is, and what it means; its labels, where it has been seen with some."""
    written = {name: rest for name, *rest in _ROW.findall(REFERENCE.read_text())}
    expected: dict[str, list[str]] = {}
    for process, look in (("API", day.after.api), ("worker", day.after.worker)):
        for family in look.own.values():
            name = f"{family.name}_total" if family.type == "counter" else family.name
            labels = sorted({label for sample in family.samples for label in sample.labels} - {"le"})
            known = [f"`{label}`" for label in labels] or re.findall(r"`\w+`", written[name][1])
            whose = f"{expected[name][2]}, {process}" if name in expected else process
            expected[name] = [family.type, ", ".join(known), whose, family.documentation]

    assert written == expected


def test_the_recipe_shows_what_both_processes_tell(watched: Watched, day: Day) -> None:
    """As printed, but for the worker's port."""
    (recipe,) = re.findall(r"```sh[^\n]*\n(curl [^`]*/metrics[^`]*)```", RECIPES.read_text())
    environment = {
        "PATH": os.environ["PATH"],
        "JOBSTREAM_URL": watched.product.url,
        "JOBSTREAM_OPERATOR_SECRET": OPERATOR_SECRET,
    }

    typed = recipe.replace("http://127.0.0.1:9100", watched.worker_url)
    shown = subprocess.check_output(["bash", "-euo", "pipefail", "-c", typed], env=environment, text=True)

    assert "jobstream_workers 1.0\n" in shown
    assert "jobstream_attempt_seconds_count{" in shown


def _family(sample: str) -> str:
    return re.sub(r"_(bucket|sum|count)$", "", sample)


def _cells(place: Mapping[str, int]) -> set[tuple[int, int]]:
    across = range(place["x"], place["x"] + place["w"])
    return {(x, y) for x in across for y in range(place["y"], place["y"] + place["h"])}
