"""Everything that can be said to the product, with one word in all of it; what it said then."""

import asyncio
import base64
import json
from pathlib import Path

from httpx2 import Response

from jobs.model import JsonObject
from tests.api import Api
from tests.journeys.pictures import as_file, drawing

CANARY = "zanzibarquuxcanary"
"""The sandbox says it again, as it does with any word that a question is about."""

QUESTION = f"Tell me about {CANARY}."


async def say_everything(api: Api, lake: Path) -> list[JsonObject]:
    """What was told of all of it, jobs and all else; the lake is the connection of that name."""
    (lake / "records.ndjson").write_text(f'{{"id": 1, "said": "{CANARY}"}}\n{{"said": "{CANARY}", "id": null}}\n')
    acts = [chats(api), failures(api), events(api), conversations(api), sessions(api), imports(api), copies(api)]
    acts.append(insights(api))
    return [told for each in await asyncio.gather(*acts) for told in each]


async def chats(api: Api) -> list[JsonObject]:
    """Once, twice with the same key, for a subject, and one part again."""
    ways: list[dict[str, str]] = [{}, {"idempotency_key": "a-key"}, {"idempotency_key": "a-key"}]
    told = [await run(api, "chat", {"message": QUESTION}, **way) for way in [*ways, {"subject": "somebody"}]]
    again = await api.http.post(f"/v1/jobs/{told[0]['id']}/retry", json={"parts": ["openai"]})
    return [*told, await ended(api, again)]


async def failures(api: Api) -> list[JsonObject]:
    """A chat that no provider answers, and its dead letter."""
    models = {"openai": "gpt-sandbox-malformed", "anthropic": "claude-sandbox-400", "google": "gemini-sandbox-cut"}
    failed = await run(api, "chat", {"message": QUESTION, "models": models})
    return [failed, (await api.http.get(f"/v1/dead-letters/{failed['id']}")).json()]


async def events(api: Api) -> list[JsonObject]:
    event = {"name": "chat", "data": {"message": QUESTION}, "idempotency_key": "b-key"}
    sent = (await api.http.post("/v1/events", json=event)).json()
    return [await api.ended(job_id) for job_id in sent["job_ids"]]


async def conversations(api: Api) -> list[JsonObject]:
    """Two rounds of one, and what is kept of it."""
    for _ in range(2):
        await run(api, "chat", {"message": QUESTION, "conversation_id": "a-talk"})
    return [(await api.http.get("/v1/conversations/a-talk")).json()]


async def sessions(api: Api) -> list[JsonObject]:
    """One that is summarised, and read again."""
    said = {"messages": [{"role": "user", "content": QUESTION}], "tree_id": "a-tree"}
    await api.http.put("/v1/sessions/a-session", json=said)
    await api.http.post("/v1/sessions/a-session/messages", json={"messages": said["messages"]})
    summarised = await run(api, "summarize-session", {"session_id": "a-session"})
    await run(api, "summarize-tree", {"tree_id": "a-tree"})
    read = [await api.http.get(f"/v1/{path}") for path in ("sessions/a-session", "trees/a-tree")]
    return [summarised, *[each.json() for each in read]]


async def imports(api: Api) -> list[JsonObject]:
    """A journey out of words, and one out of a picture."""
    picture = base64.b64encode(as_file(drawing())).decode()
    return [
        await run(api, "transcript-to-journey", {"transcript": f"{QUESTION} I want to buy {CANARY}." * 20}),
        await run(api, "diagram-to-journey", {"image": picture, "prompt": QUESTION}),
    ]


async def insights(api: Api) -> list[JsonObject]:
    times = [f"2026-11-{day:02}T00:00:00Z" for day in range(1, 11)]
    data = {"notes": CANARY, "measurements": [{"time": time, CANARY: 1.5} for time in times]}
    return [await run(api, "generate-insights", {"system_id": "a-system", "analysis_data": data})]


async def copies(api: Api) -> list[JsonObject]:
    """One record is copied, one set aside."""
    source = {"connection": "lake", "path": "records.ndjson"}
    given = {"source": source, "destination": {"connection": "warehouse", "table": "records"}, "key": ["id"]}
    copied = await run(api, "copy-records", given)
    rejects = await api.http.get(f"/v1/jobs/{copied['id']}/rejects")
    return [copied, *[json.loads(line) for line in rejects.text.splitlines()]]


async def run(api: Api, kind: str, given: JsonObject, **more: str) -> JsonObject:
    """The job, once it has ended."""
    return await ended(api, await api.http.post("/v1/jobs", json={"kind": kind, "input": given, **more}))


async def ended(api: Api, answer: Response) -> JsonObject:
    assert answer.status_code in (200, 202), answer.text
    return await api.ended(answer.json()["id"])
