"""A conversation: chats that go on from one another, each provider from its own answers."""

from sandbox.answer import text_for
from sandbox.question import Provider
from tests.api import Api

PROVIDERS: tuple[Provider, ...] = ("openai", "anthropic", "google")


async def say(api: Api, message: str, conversation: str, **more: object) -> dict[str, str]:
    """What each provider answers, once all have."""
    job = await api.submit(message, input={"conversation_id": conversation, **more})
    ended = await api.ended(job["id"])
    return {name: answer["text"] for name, answer in ended["result"].items() if answer["ok"]}


async def test_a_follow_up_is_heard_by_whoever_heard_what_came_before(api: Api) -> None:
    """The name of the conversation is all that a client has to remember; the sandbox says how much it has read."""
    first = await say(api, "Why is the sky blue?", "sky")
    second = await say(api, "And at sunset?", "sky")
    third = await say(api, "And on Mars?", "sky")

    assert first == {name: text_for(name, "Why is the sky blue?") for name in PROVIDERS}
    assert second == {name: text_for(name, "And at sunset?", earlier_turns=2) for name in PROVIDERS}
    assert third == {name: text_for(name, "And on Mars?", earlier_turns=4) for name in PROVIDERS}


async def test_the_conversation_can_be_read_listed_and_forgotten(api: Api) -> None:
    """Each provider's side of it is there: what it was asked, and what it answered itself."""
    said = await say(api, "Name a river.", "rivers")

    talk = (await api.http.get("/v1/conversations/rivers")).json()
    listed = (await api.http.get("/v1/conversations")).json()["items"]
    forgotten = await api.http.delete("/v1/conversations/rivers")
    then = await api.http.get("/v1/conversations/rivers")

    for name in PROVIDERS:
        assert [(turn["role"], turn["content"]) for turn in talk["turns"][name]] == [
            ("user", "Name a river."),
            ("assistant", said[name]),
        ]
    assert listed[0]["id"] == "rivers"
    assert (forgotten.status_code, then.status_code) == (204, 404)


async def test_a_provider_that_failed_comes_back_into_the_conversation(api: Api) -> None:
    """It has heard what was asked meanwhile, and nothing that it never said."""
    models = {"openai": "gpt-sandbox", "google": "gemini-sandbox-400"}
    first = await say(api, "Name a mountain.", "mountains", models=models)
    second = await say(api, "How high is it?", "mountains")

    assert set(first) == {"openai"}
    assert second["openai"] == text_for("openai", "How high is it?", earlier_turns=2)
    assert second["google"] == text_for("google", "How high is it?", earlier_turns=1)
