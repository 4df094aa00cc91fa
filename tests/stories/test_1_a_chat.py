"""A chat from its submission to its end: what a client sees."""

from tests.api import Api, comparable, follow


async def test_a_job_is_accepted_at_once_and_runs_by_itself(api: Api) -> None:
    """Submitting answers with an id before any work is done."""
    job = await api.submit("Why is the sky blue?")
    assert job["state"] in ("queued", "running")

    ended = await api.ended(job["id"])

    assert ended["state"] == "completed"


async def test_three_providers_answer_each_into_a_part_of_its_own(api: Api) -> None:
    """The snapshot of an ended chat holds every answer with its figures, and the result says the same."""
    job = await api.submit("Name three rivers.")

    ended = await api.ended(job["id"])

    assert list(ended["parts"]) == ["openai", "anthropic", "google"]
    for name, part in ended["parts"].items():
        assert part["state"] == "completed"
        assert part["text"] == ended["result"][name]["text"]
        assert part["usage"]["output_tokens"] > 0
        assert part["first_token"] <= part["elapsed"]


async def test_a_listener_sees_the_answers_grow_word_by_word(api: Api) -> None:
    """What a listener puts together is what polling returns."""
    job = await api.submit("Tell me about trains.")

    follower = await follow(api, job["id"])

    assert follower.seqs == list(range(follower.seqs[0], follower.seqs[-1] + 1))
    assert comparable(follower.snapshot) == comparable(await api.poll(job["id"]))


async def test_a_listener_who_returns_misses_nothing(api: Api) -> None:
    """Leaving in the middle and coming back with the last cursor yields the rest, once."""
    job = await api.submit("Tell me about ships.")
    before = [event async for event in api.listen(job["id"], take=4)]

    after = [event async for event in api.listen(job["id"], after=before[-1].id)]

    updates = [event for event in before + after if event.event != "ping"]
    assert updates[-1].event == "end"
    assert [event.id for event in updates] == list(dict.fromkeys(event.id for event in updates))


async def test_a_reader_who_comes_after_the_end_is_told_all_and_then_to_stay_away(api: Api) -> None:
    """Snapshot and end; with the cursor of the end, 204, which stops an EventSource for good."""
    job = await api.submit("Tell me about planes.")
    await api.ended(job["id"])

    late = [event async for event in api.listen(job["id"])]
    again = await api.http.get(f"/v1/jobs/{job['id']}/stream", headers={"Last-Event-ID": late[-1].id or ""})

    assert [event.event for event in late] == ["snapshot", "end"]
    assert again.status_code == 204
