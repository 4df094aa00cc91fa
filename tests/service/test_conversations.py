"""Conversations over HTTP: whose they are, how long they stay, and what a killed worker leaves of them."""

import signal
from collections.abc import Iterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import pytest

from jobs.connection import Client
from jobs.conversations import Conversations
from jobs.kind import Round, Turn
from jobs.kinds import KINDS
from sandbox.answer import text_for
from sandbox.question import Provider
from tests.api import Api
from tests.jobs.doors import Doors
from tests.service.edge import browser
from tests.service.serving import Serving
from tests.system import SECRET, System, running_system
from workers.settings import Settings

PROVIDERS: tuple[Provider, ...] = ("openai", "anthropic", "google")


async def talk(caller: Api, doors: Doors, name: str, subject: str | None, **answers: str | None) -> None:
    """One round of a conversation, as a worker adds it."""
    await caller.submit("Hello?", **({"subject": subject} if subject else {}))
    (claim,) = await doors.claim("worker", kinds=list(KINDS.values()))
    await Conversations(doors.client).add(claim, name, Round((Turn("user", "Hello?"),), answers))


async def names(caller: Api, query: str = "") -> list[str]:
    return [item["id"] for item in (await caller.http.get(f"/v1/conversations{query}")).json()["items"]]


async def test_what_each_provider_heard_and_said_is_told_apart(caller: Api, doors: Doors) -> None:
    """A provider that failed has the question and no answer."""
    await talk(caller, doors, "talk", None, openai="Hi.", google=None)

    told = (await caller.http.get("/v1/conversations/talk")).json()

    assert told["id"] == "talk"
    assert {name: [turn["content"] for turn in turns] for name, turns in told["turns"].items()} == {
        "openai": ["Hello?", "Hi."],
        "google": ["Hello?"],
    }
    (job,) = (await caller.http.get("/v1/jobs")).json()["items"]
    assert {(turn["job_id"], turn["at"]) for turn in told["turns"]["openai"]} == {(job["id"], job["created_at"])}
    assert 23 < (datetime.fromisoformat(told["expires_at"]) - datetime.now(UTC)) / timedelta(hours=1) <= 24


async def test_a_page_sees_its_subjects_own_and_a_secret_whose_it_names(
    service: Serving, caller: Api, doors: Doors
) -> None:
    """Nobody's are nobody's: a page that names another subject is shown its own."""
    for subject in ("one", "two", None):
        await talk(caller, doors, f"of-{subject}", subject, openai="Hi.")
    async with browser(service, "one") as page:
        shown = [await names(page), await names(page, "?subject=two")]
        foreign = await page.http.get("/v1/conversations/of-two?subject=two")
        refused = await page.http.delete("/v1/conversations/of-two?subject=two")

    assert shown == [["of-one"], ["of-one"]]
    assert (foreign.status_code, refused.status_code) == (404, 404)
    assert [await names(caller), await names(caller, "?subject=two")] == [["of-None"], ["of-two"]]


async def test_a_list_is_read_page_by_page(caller: Api, doors: Doors) -> None:
    """Each conversation once; the last page has no next."""
    for number in range(5):
        await talk(caller, doors, f"talk-{number}", None, openai="Hi.")
    pages, query = [], "?limit=2"
    for _ in range(3):
        page = (await caller.http.get(f"/v1/conversations{query}")).json()
        pages.append([item["id"] for item in page["items"]])
        query = f"?limit=2&cursor={page['next']}"

    assert sorted(name for names in pages for name in names) == [f"talk-{number}" for number in range(5)]
    assert ([len(names) for names in pages], page["next"]) == ([2, 2, 1], None)


async def test_a_subjects_conversations_are_forgotten_with_it(caller: Api, doors: Doors, redis: Client) -> None:
    await talk(caller, doors, "talk", "one", openai="Hi.")
    await talk(caller, doors, "talk", "two", openai="Hi.")

    assert (await caller.http.delete("/v1/subjects/one")).status_code == 202

    assert (await caller.http.get("/v1/conversations/talk?subject=one")).status_code == 404
    assert (await caller.http.get("/v1/conversations/talk?subject=two")).status_code == 200


@pytest.mark.parametrize("name", ["", "x" * 129, "a b", "a/b", "a\nb", "é"])
async def test_a_conversation_has_a_name_that_can_stand_in_a_path(caller: Api, redis: Client, name: str) -> None:
    """Another one is refused with the chat that bears it."""
    chat = {"message": "Hello?", "conversation_id": name}
    answer = await caller.http.post("/v1/jobs", json={"kind": "chat", "input": chat})

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/input/conversation_id"]
    assert await redis.keys() == []


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A product whose workers come back soon, and keep conversations for half an hour."""
    settings = {"JOBSTREAM_LEASE": "1", "JOBSTREAM_CONVERSATION_HOURS": "0.5"}
    with running_system(tmp_path_factory.mktemp("product"), pace=0.3, settings=settings) as running:
        yield running


async def test_a_killed_worker_costs_a_conversation_nothing(product: System) -> None:
    """Its chat is one round, heard once by the next; and it is kept for as long as the settings say."""
    async with Api(product.url, SECRET) as api:
        await api.ended((await api.submit("One?", input={"conversation_id": "talk"}))["id"])
        second = await api.submit("Two?", input={"conversation_id": "talk"})
        await _first_words(api, second["id"])
        product.worker.end(signal.SIGKILL)
        product.worker.start()
        answers = [(await api.ended(second["id"]))["result"]]
        third = await api.submit("Three?", input={"conversation_id": "talk"})
        answers.append((await api.ended(third["id"]))["result"])
        told = (await api.http.get("/v1/conversations/talk")).json()

    for place, message in enumerate(("Two?", "Three?")):
        texts = {name: answers[place][name]["text"] for name in PROVIDERS}
        assert texts == {name: text_for(name, message, earlier_turns=2 + 2 * place) for name in PROVIDERS}
    for turns in told["turns"].values():
        assert [turn["content"] for turn in turns if turn["role"] == "user"] == ["One?", "Two?", "Three?"]
        assert len(turns) == 6
    assert datetime.fromisoformat(told["expires_at"]) - datetime.now(UTC) <= timedelta(minutes=30)


async def _first_words(api: Api, job_id: str) -> None:
    async with aclosing(api.listen(job_id)) as events:
        async for event in events:
            if event.event == "delta":
                return


def test_how_long_conversations_stay_is_said_in_hours() -> None:
    """None at all, or for ever, is refused."""
    assert Settings(_env_file=None).jobstream_conversation_hours == 24
    for wrong in (0, -1, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="jobstream_conversation_hours"):
            Settings(_env_file=None, jobstream_conversation_hours=wrong)
