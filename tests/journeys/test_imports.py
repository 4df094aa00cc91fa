"""Imports from end to end: the real SDKs against the sandbox, faults in the middle, and every way to watch."""

import asyncio
import base64
from collections.abc import Sequence

import pytest
from httpx2 import Response

from jobs.journey import Journey
from jobs.model import JsonObject
from tests.api import Api, follow
from tests.journeys.pictures import HIGH, WIDE, as_file, drawing
from tests.journeys.sending import diagram_form, field, send, send_form, taken
from tests.journeys.talk import SUBTITLES, talk
from tests.transports.subjects import POLLING, SOCKET, SSE, Transport

PROVIDERS = ("openai", "anthropic", "google")
KINDS = ("transcript-to-journey", "diagram-to-journey")
WAYS = (POLLING, SSE, SOCKET)
SHORT_FAULTS = ("none", "cutx1", "eofx1", "malformedx1", "errorx1", "429x1", "misfitx1")
"""Each hits the first question about one prompt, and no later one."""

PICTURE = base64.b64encode(as_file(drawing())).decode()


async def submitted(api: Api, kind: str, about: str, **how: str) -> JsonObject:
    """An import of this kind; no two that are about different things ask the same."""
    given = {"transcript": talk(60, about=about)} if kind == "transcript-to-journey" else {"image": PICTURE}
    return await taken(await send(api, kind, **given, prompt=f"Tell of {about}.", **how))


async def ended(api: Api, kind: str, about: str, **how: str) -> JsonObject:
    """The snapshot of such an import, once it has ended."""
    return await api.ended((await submitted(api, kind, about, **how))["id"])


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("kind", KINDS)
async def test_every_provider_tells_a_journey_whatever_befalls_its_first_answer(
    api: Api, kind: str, provider: str
) -> None:
    """Cut, ended early, broken, refused, of another form: it ends as a whole journey, which the part shows."""
    jobs = await asyncio.gather(
        *(ended(api, kind, f"{provider} {fault}", provider=provider, model=f"m-{fault}") for fault in SHORT_FAULTS)
    )

    assert {job["state"] for job in jobs} == {"completed"}
    for job in jobs:
        assert Journey.model_validate(job["result"]).stages
        assert job["parts"]["journey"]["result"] == job["result"]
    attempts = [job["parts"]["journey"]["attempt"] for job in jobs]
    assert all(attempt > 1 for attempt in attempts[1:])


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("kind", KINDS)
async def test_a_provider_that_never_tells_a_journey_fails_the_job(api: Api, kind: str, provider: str) -> None:
    """After it was told what is wrong, and for good."""
    job = await ended(api, kind, f"{provider} misfit", provider=provider, model="m-misfit")

    assert (job["state"], job["error"]["type"]) == ("failed", "invalid-output")
    assert [step["name"] for step in job["steps"]] == ["answer.journey", "answer.journey:mended"]


@pytest.mark.parametrize("transport", WAYS, ids=[way.name for way in WAYS])
@pytest.mark.parametrize("kind", KINDS)
async def test_every_way_to_watch_ends_with_the_same_journey(api: Api, kind: str, transport: Transport) -> None:
    """What polling returns at the end."""
    job = await submitted(api, kind, transport.name)

    views = [view async for view in transport.follow(api, job["id"], None)]

    last = await api.poll(job["id"])
    assert last["state"] == "completed"
    for name in ("state", "result", "parts", "steps", "progress"):
        assert views[-1][name] == last[name]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("kind", KINDS)
async def test_the_journey_grows_while_it_is_written(api: Api, kind: str, provider: str) -> None:
    """Each time a whole journey, and never less of it than before."""
    job = await submitted(api, kind, f"{provider} growing", provider=provider, model="m-slow")

    events = [event async for event in api.listen(job["id"])]

    parts = [event.data for event in events if event.event == "part" and event.data.get("result")]
    journeys = [Journey.model_validate(data["result"]) for data in parts]
    stages = [len(journey.stages) for journey in journeys]
    assert len(journeys) > 2
    assert stages == sorted(stages)
    assert stages[0] < stages[-1]
    assert journeys[-1].model_dump() == events[-1].data["result"]


async def test_without_a_choice_the_first_provider_is_asked(api: Api) -> None:
    """The order is that of the cards."""
    job = await ended(api, "transcript-to-journey", "no choice")

    named = await ended(api, "transcript-to-journey", "no choice", provider="openai")

    assert job["parts"]["journey"]["model"] == named["parts"]["journey"]["model"]


async def test_a_transcript_of_200_000_words_goes_through(api: Api) -> None:
    """Read in pieces, then merged; every piece is a step that is kept."""
    job = await taken(await send(api, "transcript-to-journey", transcript=talk(200_000)))

    follower = await follow(api, job["id"])

    last = follower.snapshot
    assert last["state"] == "completed"
    assert Journey.model_validate(last["result"]).stages
    steps = [step["name"] for step in last["steps"]]
    assert len(steps) > 20
    assert {step["state"] for step in last["steps"]} == {"completed"}
    assert steps[-1] == "answer.journey"


async def test_a_picture_of_20_megapixels_goes_through_as_a_form(api: Api) -> None:
    """As a page sends it: the file as it is, with the wish beside it."""
    picture = as_file(drawing(WIDE, HIGH))

    job = await taken(await send_form(api, diagram_form(picture, field("prompt", b"What happens first?"))))

    assert Journey.model_validate((await api.ended(job["id"]))["result"]).stages


async def test_subtitles_are_told_without_what_nobody_said(api: Api) -> None:
    """The provider is not shown times, notes and markup."""
    job = await taken(await send(api, "transcript-to-journey", transcript=SUBTITLES))

    result = (await api.ended(job["id"]))["result"]

    assert Journey.model_validate(result)
    assert "canary" not in str(result)


async def test_an_input_beyond_the_bounds_is_refused_by_name(api: Api) -> None:
    """With the place in the input, and nothing of what stands there."""
    answers = [
        await send(api, "transcript-to-journey", transcript="canary " * 700_000),
        await send(api, "transcript-to-journey", transcript="canary " * 1_300_000),
        await send(api, "transcript-to-journey", transcript="canary", provider="gemini"),
        await send(api, "transcript-to-journey", transcript=" \n"),
    ]

    assert _refusals(answers) == [
        (422, "invalid-input", "/input/transcript"),
        (413, "payload-too-large", ""),
        (422, "invalid-input", "/input/provider"),
        (422, "invalid-input", "/input/transcript"),
    ]
    assert all("canary" not in answer.text for answer in answers)


def _refusals(answers: Sequence[Response]) -> list[tuple[int, str, str]]:
    problems = [answer.json() for answer in answers]
    return [
        (each["status"], each["type"].removeprefix("/problems/"), each.get("errors", [{"pointer": ""}])[0]["pointer"])
        for each in problems
    ]
