"""One request is followed through every log, from the browser's id for it to what each provider is asked."""

import json

from jobs.model import JsonObject
from tests.api import Api
from tests.jobs.patience import until
from tests.system import SECRET, System

REQUEST_ID = "from.the-browser_7"
QUESTION = "canary-of-the-prompt"
PROVIDERS = {"openai", "anthropic", "google"}


def logged(system: System, request_id: str) -> list[JsonObject]:
    """What all processes have logged of the request, in the order of time: `grep` would find these lines."""
    written = [each.output.read_text() for each in (system.api, system.worker, system.sandbox)]
    lines = [line for text in written for line in text.splitlines() if request_id in line]
    return sorted((json.loads(line) for line in lines), key=lambda line: str(line.get("timestamp", "")))


async def test_a_request_is_found_in_every_log_by_the_id_that_the_browser_gave_it(system: System, api: Api) -> None:
    """From its arrival to each provider's answer and the job's end, in every process that had to do with it."""
    sent = {"kind": "chat", "input": {"message": QUESTION}}
    job = (await api.http.post("/v1/jobs", json=sent, headers={"X-Request-ID": REQUEST_ID})).json()
    await api.ended(job["id"])

    await until(lambda: _tells(system, "job attempt ended"))

    lines = logged(system, REQUEST_ID)
    of = {name: [line for line in lines if line["event"] == name] for name in {line["event"] for line in lines}}
    assert {line["request_id"] for line in lines} == {REQUEST_ID}
    assert {line["process"] for line in lines} == {"api", "worker", "sandbox"}
    assert [each["status"] for each in of["request"]] == [202]
    for name in ("job submitted", "job claimed", "job attempt ended"):
        assert [(each["job_id"], each["kind"]) for each in of[name]] == [(job["id"], "chat")], name
    for name in ("asked", "provider asked", "provider responded", "provider answered"):
        assert {each["provider"] for each in of[name]} == PROVIDERS, name
    answered = of["provider answered"]
    assert {(each["run"], each["attempt"], each["step"], each["part"]) for each in answered} == {
        (1, 1, f"answer.{name}", name) for name in PROVIDERS
    }
    assert all(each["output_tokens"] > 0 and each["seconds"] >= each["first_token_seconds"] for each in answered)
    assert {each["step"] for each in of["step kept"]} == {f"answer.{name}" for name in PROVIDERS}
    assert of["job attempt ended"][0]["outcome"] == "Done"
    assert QUESTION not in json.dumps(lines)


async def test_what_a_provider_refuses_is_logged_with_its_status_and_not_its_words(system: System) -> None:
    async with Api(system.url, SECRET) as api:
        api.http.headers["X-Request-ID"] = "from.the-browser_8"
        models = {"anthropic": "claude-sandbox-400"}
        job = await api.submit(QUESTION, input={"models": models})
        assert (await api.ended(job["id"]))["state"] == "failed"

    lines = logged(system, "from.the-browser_8")
    responded, failed = ([each for each in lines if each["event"] == f"provider {what}"] for what in _WHAT)
    assert [(each["status"], each["level"]) for each in responded] == [(400, "warning")]
    assert [(each["error"], each["retryable"]) for each in failed] == [("provider-failed", False)]
    assert "asks for a 400" not in json.dumps(lines)


async def test_an_id_that_is_none_is_made_anew_and_never_logged(system: System, api: Api) -> None:
    answer = await api.http.get("/v1/kinds", headers={"X-Request-ID": "not one\tat all"})

    made = answer.headers["X-Request-ID"]
    await until(lambda: _found(system, made))
    assert not any("not one" in line for line in system.api.output.read_text().splitlines())


_WHAT = ("responded", "failed")


async def _tells(system: System, event: str) -> bool:
    return any(line["event"] == event for line in logged(system, REQUEST_ID))


async def _found(system: System, request_id: str) -> bool:
    return bool(logged(system, request_id))
