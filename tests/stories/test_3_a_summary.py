"""A conversation that is put here, summarised, and summarised again only when it has changed."""

from tests.api import Api, follow

HELLO = {"role": "user", "content": "The train to Basel was late again, so we moved the review to Friday."}
REPLY = {"role": "assistant", "content": "Noted. Friday at ten, in the small room."}


async def test_a_session_is_summarised_on_demand_and_the_summary_is_read_with_it(api: Api) -> None:
    """Putting says nothing yet; the trigger's job streams the summary, and the session keeps it."""
    await api.http.put("/v1/sessions/review", json={"messages": [HELLO]})
    assert (await api.http.get("/v1/sessions/review")).json()["stale"] is True

    accepted = await api.http.post("/api/summarize/session/review")
    assert (accepted.status_code, accepted.json()) == (202, {"accepted": True})
    job = await follow(api, accepted.headers["Location"].removeprefix("/v1/jobs/"))

    session = (await api.http.get("/v1/sessions/review")).json()
    assert job.snapshot["parts"]["summary"]["text"] == session["summary"]
    assert session["summary_hash"] == session["content_hash"]
    assert session["stale"] is False


async def test_what_has_not_changed_is_not_summarised_again(api: Api) -> None:
    """A job that is submitted all the same is skipped, and tells the summary that there is."""
    await api.http.put("/v1/sessions/quiet", json={"messages": [HELLO]})
    first = await summarised(api, "quiet")
    again = await summarised(api, "quiet")
    await api.http.post("/v1/sessions/quiet/messages", json={"messages": [REPLY]})
    changed = await summarised(api, "quiet")

    assert (first["skipped"], again["skipped"], changed["skipped"]) == (False, True, False)
    assert again["summary"] == first["summary"] != changed["summary"]


async def summarised(api: Api, session_id: str) -> dict[str, object]:
    """The result of a job for the session."""
    job = await api.http.post("/v1/jobs", json={"kind": "summarize-session", "input": {"session_id": session_id}})
    result: dict[str, object] = (await api.ended(job.json()["id"]))["result"]
    return result


async def test_a_tree_is_summarised_from_its_sessions(api: Api) -> None:
    """The preflight says what is stale, and starts one job that does just that."""
    for name, message in (("monday", HELLO), ("friday", REPLY)):
        await api.http.put(f"/v1/sessions/{name}", json={"messages": [message], "tree_id": "week"})

    preflight = (await api.http.post("/v1/trees/week/preflight")).json()
    ended = await api.ended(preflight["job_id"])

    tree = (await api.http.get("/v1/trees/week")).json()
    assert preflight["stale_session_ids"] == ["monday", "friday"]
    assert ended["result"]["sessions_summarized"] == 2
    assert tree["high_level_summary"] == ended["result"]["high_level_summary"]
    assert tree["stale"] is False
