"""The loops of the old front ends, from their first request to their last, on the whole product."""

import base64
import json
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from jobs.model import JsonObject
from sandbox.answer import text_for
from sandbox.question import Provider
from tests.api import Api
from tests.compat.front_ends import FrontEnd
from tests.journeys.pictures import as_file, drawing
from tests.system import SECRET, System, running_system

PROVIDERS: tuple[Provider, ...] = ("openai", "anthropic", "google")
RECORDS = 2_500
COPY: JsonObject = {
    "source": {"connection": "lake", "path": "tasks.ndjson"},
    "destination": {"connection": "warehouse", "table": "tasks"},
    "key": ["id"],
}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the records that the old copy copies."""
    folder = tmp_path_factory.mktemp("lake")
    lines = (json.dumps({"id": number, "name": f"task {number}"}) for number in range(RECORDS))
    (folder / "tasks.ndjson").write_text("\n".join(lines))
    return folder


@pytest.fixture(scope="module")
def product(lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The product as its settings make it for the old front ends."""
    settings = {
        "JOBSTREAM_COMPAT_COPY": json.dumps(COPY),
        "JOBSTREAM_CONNECTION_LAKE": f"file://{lake}",
        "JOBSTREAM_CONNECTION_WAREHOUSE": f"sqlite://{lake}/warehouse.db",
    }
    with running_system(tmp_path_factory.mktemp("product"), pace=0.05, settings=settings) as running:
        yield running


@pytest.fixture
async def page(product: System) -> AsyncIterator[FrontEnd]:
    """An old front end that sends a credential, and is otherwise as it was."""
    async with Api(product.url, SECRET) as caller:
        yield FrontEnd(caller.http)


async def test_the_chats_loop_ends_with_every_answer(page: FrontEnd) -> None:
    """A result that was there once stays, and is never half of one."""
    models = {"openai": "gpt-sandbox", "anthropic": "claude-sandbox", "gemini": "gemini-sandbox"}
    last = await page.chat(message="Why is the sky blue?", models=models)

    texts = {name: text_for(name, "Why is the sky blue?") for name in PROVIDERS}
    told = {"openai": texts["openai"], "anthropic": texts["anthropic"], "gemini": texts["google"]}
    assert last["status"] == "completed"
    assert {name: result["text"] for name, result in last["results"].items()} == told
    assert all(result["ok"] for result in last["results"].values())
    for before in page.seen:
        assert {name: result["text"] for name, result in before["results"].items()}.items() <= told.items()
        assert before["status"] in ("pending", "processing", "completed")


async def test_one_failed_provider_leaves_the_others_results(page: FrontEnd) -> None:
    last = await page.chat(message="Why?", models={"openai": "gpt-sandbox", "google": "gemini-sandbox-400"})

    assert (last["status"], last["error"]) == ("completed", None)
    assert {name: result["ok"] for name, result in last["results"].items()} == {"openai": True, "google": False}
    assert last["results"]["google"]["error"]


async def test_a_chat_that_nobody_answers_ends_the_loop_as_failed(page: FrontEnd) -> None:
    last = await page.chat(message="Why?", models={"openai": "gpt-sandbox-400"})

    assert last["status"] == "failed"
    assert last["error"]
    assert last["results"]["openai"]["ok"] is False


async def test_a_chat_may_run_as_a_background_function(page: FrontEnd) -> None:
    """Under its caller's own name; it is asked about as the others are."""
    last = await page.run_in_the_background("ai-chat", message="Why?", jobId="chat-of-mine")

    assert (last["jobId"], last["status"]) == ("chat-of-mine", "completed")
    assert {name: answer["text"] for name, answer in last["result"].items()} == {
        name: text_for(name, "Why?") for name in PROVIDERS
    }


@pytest.mark.parametrize("function", ["transcript-to-journey", "diagram-to-journey"])
async def test_an_imports_loop_ends_with_its_journey(page: FrontEnd, function: str) -> None:
    """What it shows meanwhile is a phrase; there is nothing but `processing` before the end."""
    given: JsonObject = {"transcript": "Ann looked for a bag. She found one, and paid."}
    if function == "diagram-to-journey":
        image = base64.b64encode(as_file(drawing())).decode()
        given = {"imageData": f"data:image/png;base64,{image}"}
    last = await page.run_in_the_background(function, **given, prompt="Shopping.", jobId=f"{function}-1")

    assert (last["status"], last["error"], last["progress"]) == ("completed", None, None)
    assert {"title", "summary", "stages"} <= last["result"].keys()
    for before in page.seen[:-1]:
        assert (before["status"], before["result"], before["error"]) == ("processing", None, None)
        assert "..." in before["progress"]


async def test_summaries_loops_end_with_a_summary(page: FrontEnd) -> None:
    """Of a session, then of the tree that it is in."""
    messages = [{"role": "user", "content": "We sell bags."}, {"role": "assistant", "content": "Good ones."}]
    assert (await page.http.put("/v1/sessions/s-1", json={"messages": messages})).is_success
    assert (await page.http.put("/v1/trees/t-1", json={"session_ids": ["s-1"]})).is_success

    session = await page.run_in_the_background("summarize-session", sessionId="s-1")
    tree = await page.run_in_the_background("summarize-tree", treeId="t-1")

    assert (session["status"], tree["status"]) == ("completed", "completed")
    assert session["result"]["summary"]
    assert tree["result"]["high_level_summary"]


async def test_the_loop_of_insights_ends_with_findings(page: FrontEnd) -> None:
    analysis = {"voltage": [{"at": f"2026-11-21T{hour:02}:00:00Z", "value": 12 + hour / 10} for hour in range(24)]}
    last = await page.run_in_the_background(
        "generate-insights", systemId="battery-1", analysisData=analysis, maxIterations=2, jobId="insights-1"
    )

    assert (last["status"], last["error"]) == ("completed", None)
    assert {"summary", "findings"} <= last["result"].keys()


async def test_the_copys_loop_counts_every_record(page: FrontEnd, lake: Path) -> None:
    """What the settings describe, whatever the page sends; the counters only grow."""
    last = await page.copy(jobId="copy-1", collection="ignored")

    assert (last["jobId"], last["status"], last["error"]) == ("copy-1", "completed", None)
    counted = [last[name] for name in ("totalRecords", "processedRecords", "insertedRecords", "updatedRecords")]
    assert (counted, last["errorRecords"], last["percentComplete"]) == ([RECORDS, RECORDS, RECORDS, 0], 0, 100)
    processed = [told["processedRecords"] for told in page.seen]
    assert processed == sorted(processed)
    with sqlite3.connect(lake / "warehouse.db") as warehouse:
        assert warehouse.execute("SELECT count(*) FROM tasks").fetchone() == (RECORDS,)


async def test_an_event_is_sent_and_followed_to_its_end(page: FrontEnd) -> None:
    """Its status is that of the job which it started."""
    last = await page.send("chat", {"message": "Why?", "provider": "openai"}, priority=10, delay=0.1)

    (job,) = last["jobs"]
    assert (last["eventName"], last["dropped"]) == ("chat", False)
    assert (last["status"], job["kind"], job["status"]) == ("completed", "chat", "completed")


async def test_an_event_that_nobody_takes_is_over_at_once(page: FrontEnd) -> None:
    last = await page.send("nobody-listens", {"a": 1})

    assert (last["status"], last["dropped"], last["jobs"]) == ("completed", True, [])
