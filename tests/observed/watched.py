"""A product that is watched: its processes are scraped, its spans are collected."""

from dataclasses import dataclass

from jobs.model import JsonObject
from tests.api import Api
from tests.observed.collector import Collector
from tests.observed.scrape import Scrape, scrape
from tests.system import System

OPERATOR_SECRET = "an-operator-secret-for-tests"


@dataclass
class Watched:
    """The product, and those who watch it."""

    product: System
    collector: Collector
    worker_url: str

    def of_api(self) -> Scrape:
        """What the API tells now."""
        return scrape(self.product.url, OPERATOR_SECRET)

    def of_worker(self) -> Scrape:
        """What the worker tells now."""
        return scrape(self.worker_url)

    async def has_told(self, trace: str, *names: str) -> bool:
        """Whether spans of these names have come of the trace."""
        return set(names) <= {span.name for span in self.collector.of_trace(trace)}


async def submitted(caller: Api, kind: str, given: JsonObject, **headers: str) -> str:
    """The id of a new job of the kind."""
    answer = await caller.http.post("/v1/jobs", json={"kind": kind, "input": given}, headers=headers)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])
