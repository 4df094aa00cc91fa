"""OpenAI's own SDK on the product as it runs, in background mode."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI
from openai.types.responses import Response, ResponseStreamEvent

from tests.api import Api, digest
from tests.dialects.conftest import silence
from tests.system import SECRET, System

LONG = "How do I ask a question of which the answer takes a while? " * 100


def sdk(system: System) -> AsyncOpenAI:
    """The SDK, pointed at the product."""
    return AsyncOpenAI(base_url=f"{system.url}/openai/v1", api_key=SECRET, max_retries=0, timeout=60)


@pytest.fixture
async def client(system: System) -> AsyncIterator[AsyncOpenAI]:
    """The SDK at the product that is shared."""
    async with sdk(system) as client:
        yield client


async def asked(client: AsyncOpenAI, question: str = "Why?", *, model: str = "openai", **more: Any) -> Response:
    """A response in the background."""
    response: Response = await client.responses.create(model=model, input=question, background=True, **more)
    return response


async def heard(
    client: AsyncOpenAI, response_id: str, after: int | None = None
) -> AsyncIterator[ResponseStreamEvent]:
    """The response's events from a number on."""
    more = {} if after is None else {"starting_after": after}
    async with await client.responses.retrieve(response_id, stream=True, **more) as stream:  # type: ignore[call-overload]
        async for event in stream:
            yield event


async def all_heard(client: AsyncOpenAI, response_id: str) -> list[ResponseStreamEvent]:
    return [event async for event in heard(client, response_id)]


async def ended(client: AsyncOpenAI, response_id: str) -> Response:
    """The response once it has ended."""
    await all_heard(client, response_id)
    return await client.responses.retrieve(response_id)


def written(events: list[ResponseStreamEvent]) -> str:
    """What the deltas add up to."""
    return "".join(event.delta for event in events if event.type == "response.output_text.delta")


async def polled(server: Api, response_id: str) -> list[str]:
    """What polling says of the response's parts."""
    return [digest(part["text"]) for part in (await server.ended(response_id))["parts"].values()]


async def test_a_stream_that_is_cut_in_the_middle_goes_on_after_the_last_event(slow: System, server: Api) -> None:
    """Another client resumes it by number; together they heard everything once."""
    first: list[ResponseStreamEvent] = []
    async with sdk(slow) as client:
        created = await client.responses.create(model="openai", input=LONG, background=True, stream=True)
        async for event in created:
            first.append(event)
            if written(first):
                break
    response_id = first[0].response.id  # type: ignore[union-attr]
    async with sdk(slow) as client:
        with silence(slow):
            halfway = await client.responses.retrieve(response_id)
        rest = [event async for event in heard(client, response_id, first[-1].sequence_number)]

    assert halfway.status == "in_progress"
    assert written(rest)
    assert [digest(written(first + rest))] == await polled(server, response_id)
    final = rest[-1]
    assert final.type == "response.completed"
    assert final.response.output_text == written(first + rest)
    assert final.response.usage
    assert final.response.usage.output_tokens > 0


async def test_a_reader_of_any_time_is_told_the_same_events(client: AsyncOpenAI) -> None:
    """Several at once while it is written, and others afterwards, from each number on."""
    response = await asked(client)
    live, beside = await asyncio.gather(all_heard(client, response.id), all_heard(client, response.id))
    later = await all_heard(client, response.id)

    assert live == beside == later
    for place, event in enumerate(live[:-1], start=1):
        assert [each async for each in heard(client, response.id, event.sequence_number)] == live[place:]


async def test_the_sdk_adds_a_stream_up_to_the_whole_response(client: AsyncOpenAI, api: Api) -> None:
    """Its own accumulator, which checks that each event fits those before, also where a provider was asked twice."""
    response = await asked(client, "Begun again?", model="anthropic/claude-cutx1")
    async with client.responses.stream(response_id=response.id) as stream:
        done = [event.item.status async for event in stream if event.type == "response.output_item.done"]  # type: ignore[union-attr]
        final = await stream.get_final_response()

    assert done == ["incomplete", "completed"]
    assert [digest(final.output_text)] == await polled(api, response.id)
    assert final.model == "anthropic/claude-cutx1"


async def test_a_cancel_ends_the_response(client: AsyncOpenAI, api: Api) -> None:
    """The provider would never have come to an end; whoever reads is told, and a second cancel changes nothing."""
    response = await asked(client, model="openai/gpt-stall")
    events: list[ResponseStreamEvent] = []
    async for event in heard(client, response.id):
        if not written(events) and event.type == "response.output_text.delta":
            cancelled = await client.responses.cancel(response.id)
        events.append(event)
    again = await client.responses.cancel(response.id)

    job = await api.poll(response.id)
    assert (cancelled.status, again.status, job["state"]) == ("cancelled", "cancelled", "cancelled")
    assert events[-1].type == "response.incomplete"
    assert events[-1].response.status == "cancelled"
    assert cancelled.output_text == written(events) == job["parts"]["openai"]["text"]


async def test_what_a_provider_did_wrong_is_the_responses_error(client: AsyncOpenAI, api: Api) -> None:
    """In the words of the job."""
    response = await asked(client, model="openai/gpt-400")
    failed = await ended(client, response.id)

    error = (await api.poll(response.id))["error"]
    assert failed.status == "failed"
    assert failed.error
    assert (failed.error.message, failed.error.type) == (error["detail"], error["type"])


async def test_a_conversation_with_instructions_is_answered_as_one(client: AsyncOpenAI, api: Api) -> None:
    """Without background the answer is waited for; metadata comes back."""
    said: Any = [
        {"role": "user", "content": [{"type": "input_text", "text": "First?"}]},
        {"role": "assistant", "content": "Yes."},
        {"role": "user", "content": "Second?"},
    ]
    response = await client.responses.create(
        model="google", input=said, instructions="Be brief.", metadata={"colour": "red"}, max_output_tokens=500
    )

    assert response.status == "completed"
    assert "I have read the 2 earlier turns of this talk." in response.output_text
    assert response.model.startswith("google/")
    assert (response.instructions, response.metadata) == ("Be brief.", {"colour": "red"})
    assert [digest(response.output_text)] == await polled(api, response.id)


async def test_a_response_that_has_ended_can_be_deleted(client: AsyncOpenAI) -> None:
    """One that goes on can't; one that is gone is none."""
    running = await asked(client, model="openai/gpt-stall")
    with pytest.raises(openai.ConflictError):
        await client.responses.delete(running.id)
    await client.responses.cancel(running.id)
    await client.responses.delete(running.id)

    with pytest.raises(openai.NotFoundError) as refused:
        await client.responses.retrieve(running.id)
    assert refused.value.code == "job-not-found"


async def test_a_job_of_another_kind_of_client_is_a_response_too(client: AsyncOpenAI, api: Api) -> None:
    """With a message for each provider that answered."""
    job = await api.submit("Why?")
    response = await ended(client, job["id"])

    parts = (await api.poll(job["id"]))["parts"]
    assert [item.content[0].text for item in response.output] == [part["text"] for part in parts.values()]  # type: ignore[union-attr,index]


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"tools": [{"type": "web_search"}]}, "tools"),
    ({"previous_response_id": "resp"}, "previous_response_id"),
    ({"temperature": 0.2}, "temperature"),
    ({"store": False}, "store"),
    ({"model": "gpt-6"}, "model"),
    ({"model": "openai/"}, "model"),
    ({"text": {"format": {"type": "json_object"}}}, "text"),
    ({"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "x"}]}]}, "input"),
    ({"unheard_of": 1}, "unheard_of"),
    ({"max_output_tokens": 0}, "max_output_tokens"),
]


@pytest.mark.parametrize(
    ("more", "param"), REFUSED, ids=[param + str(place) for place, (_, param) in enumerate(REFUSED)]
)
async def test_what_would_change_the_answer_and_is_not_served_is_refused(
    client: AsyncOpenAI, more: dict[str, Any], param: str
) -> None:
    """In OpenAI's envelope, with the parameter's name."""
    with pytest.raises(openai.BadRequestError) as refused:
        await client.responses.create(model="openai", input="Why?", extra_body=more)

    assert refused.value.param
    assert refused.value.param.split(".")[0] == param
    assert refused.value.type == "invalid_request_error"


async def test_what_changes_nothing_is_taken(client: AsyncOpenAI) -> None:
    """As the SDK's users send it."""
    response = await asked(
        client, tools=[], store=True, user="somebody", truncation="disabled", parallel_tool_calls=True
    )
    assert (await client.responses.cancel(response.id)).id == response.id


async def test_a_wrong_key_is_an_authentication_error(client: AsyncOpenAI) -> None:
    """As the SDK knows it."""
    with pytest.raises(openai.AuthenticationError) as refused:
        await client.with_options(api_key="wrong").responses.retrieve("r" * 32)
    assert refused.value.code == "unauthorized"
