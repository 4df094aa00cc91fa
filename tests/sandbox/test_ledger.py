"""What the sandbox tells about the requests that it had."""

from hashlib import sha256

import httpx2

from sandbox.ledger import Ledger
from sandbox.question import Question, Turn
from tests.sandbox.server import serve
from tests.sandbox.talker import Ask
from tests.sandbox.talkers import TALKERS


def _asked(prompt: str) -> Question:
    return Question(provider="openai", model="m", turns=(Turn("user", prompt),), streamed=True)


async def test_the_ledger_counts_each_prompt_of_each_model() -> None:
    with serve() as sandbox:
        async with TALKERS["chat"](sandbox.url) as talker:
            for ask in (Ask("One?", model="a"), Ask("One?", model="b"), Ask("One?", model="a")):
                await talker.stream(ask)
        async with httpx2.AsyncClient(base_url=sandbox.url) as http:
            counted = (await http.get("/sandbox/requests")).json()["requests"]

    one = {"provider": "openai", "prompt_sha256": sha256(b"One?").hexdigest()}
    assert counted == [{**one, "model": "b", "count": 1}, {**one, "model": "a", "count": 2}]


async def test_a_reset_forgets_what_was_counted() -> None:
    with serve() as sandbox:
        async with TALKERS["chat"](sandbox.url) as talker, httpx2.AsyncClient(base_url=sandbox.url) as http:
            await talker.stream(Ask("One?"))

            assert (await http.delete("/sandbox/requests")).status_code == 204

            assert (await http.get("/sandbox/requests")).json() == {"requests": []}


def test_a_full_ledger_forgets_what_was_asked_longest_ago() -> None:
    ledger = Ledger()

    for place in range(10_001):
        ledger.count(_asked(f"Prompt {place}"))

    assert len(ledger.entries()) == 10_000
    assert ledger.count(_asked("Prompt 1")) == 2
    assert ledger.count(_asked("Prompt 0")) == 1
