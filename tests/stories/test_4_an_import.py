"""An import: a talk becomes a journey that can be watched while it is written."""

from tests.api import Api, follow

TALK = """
Ann: I ordered shoes, and they are too small.
Bob: How did you send them back?
Ann: The app signed me out twice. In the end I went to the shop.
Bob: And there?
Ann: I waited at the counter until somebody came. The money was back after a week.
"""


async def submit(api: Api, **given: str) -> str:
    """The id of an import of the talk."""
    body = {"kind": "transcript-to-journey", "input": {"transcript": TALK, **given}}
    job = (await api.http.post("/v1/jobs", json=body)).json()
    return str(job["id"])


async def test_a_transcript_becomes_a_journey_of_stages_and_steps(api: Api) -> None:
    """Every field is there, whichever provider has told it."""
    for provider in ("openai", "anthropic", "google"):
        job = await api.ended(await submit(api, provider=provider, prompt="Tell Ann's journey."))

        journey = job["result"]
        assert set(journey) == {"title", "summary", "personas", "stages"}
        step = journey["stages"][0]["steps"][0]
        told = {"title", "description", "actor", "channel", "emotion", "pain_points", "opportunities"}
        assert set(step) == told


async def test_a_listener_is_told_what_is_being_done(api: Api) -> None:
    """Phrases and a percentage; the seconds are for the listener to count."""
    job = await submit(api)

    ended = (await follow(api, job)).snapshot

    assert ended["progress"] == {"percent": 100, "message": "Done"}


async def test_a_listener_sees_the_journey_before_it_is_whole(api: Api) -> None:
    """What is written so far stands in the part `journey`, in the form of the result."""
    job = await submit(api, model="m-slow")

    events = [event async for event in api.listen(job)]

    shown = [event.data["result"] for event in events if event.event == "part" and event.data.get("result")]
    assert len(shown[0]["stages"]) < len(shown[-1]["stages"])
    assert shown[-1] == events[-1].data["result"]
