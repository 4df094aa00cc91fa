"""What Prometheus would read: the families of a process, and their samples."""

from dataclasses import dataclass

import httpx2
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families


@dataclass(frozen=True)
class Scrape:
    """One look at one process."""

    families: dict[str, Metric]

    def total(self, sample: str, **labels: str) -> float:
        """The sum of the samples of that name whose labels are so; those that aren't named may be anything."""
        return sum(
            each.value
            for family in self.families.values()
            for each in family.samples
            if each.name == sample and labels.items() <= each.labels.items()
        )

    @property
    def own(self) -> dict[str, Metric]:
        """The families of the product itself."""
        return {name: family for name, family in self.families.items() if name.startswith("jobstream_")}


def scrape(url: str, secret: str | None = None) -> Scrape:
    """What the process tells at that address."""
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    answer = httpx2.get(f"{url}/metrics", headers=headers, timeout=30, trust_env=False)
    assert answer.status_code == 200, answer.text
    return Scrape({family.name: family for family in text_string_to_metric_families(answer.text)})


def samples_of(family: Metric) -> set[str]:
    """The names under which a query finds the family."""
    match family.type:
        case "counter":
            return {f"{family.name}_total"}
        case "histogram":
            return {f"{family.name}_{what}" for what in ("bucket", "sum", "count")}
    return {family.name}
