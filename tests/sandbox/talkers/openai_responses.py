"""OpenAI's SDK, Responses."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import openai

from sandbox.question import Provider
from tests.sandbox.talker import PATIENCE_SECONDS, Ask, Called, Params, Said, Talker


@asynccontextmanager
async def responses_talker(url: str, *, patience_seconds: float = PATIENCE_SECONDS) -> AsyncIterator[Talker]:
    """A talker to the sandbox at this address."""
    client = openai.AsyncOpenAI(api_key="any", base_url=f"{url}/v1", max_retries=0, timeout=patience_seconds)
    async with client:
        yield _ResponsesTalker(client)


class _ResponsesTalker:
    provider: Provider = "openai"
    reasons: Mapping[str, str] = {"whole": "completed", "call": "completed", "truncated": "incomplete"}

    def __init__(self, client: openai.AsyncOpenAI) -> None:
        self._client = client

    async def answer(self, ask: Ask) -> Said:
        said = Said()
        self._read(await self._client.responses.create(**self._params(ask)), said)
        return said

    async def stream(self, ask: Ask) -> Said:
        said = Said()
        async for event in await self._client.responses.create(**self._params(ask), stream=True):
            said.events.append(event)
            if event.type == "response.output_text.delta":
                said.pieces.append(event.delta)
            if event.type in ("response.completed", "response.incomplete"):
                whole = Said()
                self._read(event.response, whole)
                assert whole.text == said.text
                said.calls, said.ended = whole.calls, whole.ended
                said.input_tokens, said.output_tokens = whole.input_tokens, whole.output_tokens
        return said

    @staticmethod
    def _read(response: Any, said: Said) -> None:
        said.events.append(response)
        if response.output_text:
            said.pieces.append(response.output_text)
        for item in response.output:
            if item.type == "function_call":
                said.calls.append(Called(item.call_id, item.name, json.loads(item.arguments)))
        said.ended = response.status
        said.input_tokens, said.output_tokens = response.usage.input_tokens, response.usage.output_tokens

    @staticmethod
    def _params(ask: Ask) -> Params:
        content: list[Params] = [{"type": "input_text", "text": ask.text}]
        if ask.image:
            content.append(
                {
                    "type": "input_image",
                    "detail": "auto",
                    "image_url": f"data:image/png;base64,{ask.image_base64}",
                }
            )
        turns: list[Params] = [{"role": role, "content": text} for role, text in ask.told("assistant")]
        params: Params = {
            "model": ask.model,
            "input": [*turns, {"role": "user", "content": content}],
            "max_output_tokens": ask.max_tokens,
        }
        for calls in ask.answered:
            for call in calls:
                used = {"call_id": call.id, "name": call.name, "arguments": json.dumps(dict(call.arguments))}
                params["input"].append({"type": "function_call", **used})
            results = [{"type": "function_call_output", "call_id": call.id, "output": "rain"} for call in calls]
            params["input"] += results
        if ask.schema:
            params["text"] = {"format": {"type": "json_schema", "name": "it", "schema": ask.schema}}
        if ask.tools:
            params["tools"] = [
                {"type": "function", "name": name, "parameters": schema, "strict": False}
                for name, schema in ask.tools.items()
            ]
        if ask.only_tool:
            params["tool_choice"] = {"type": "function", "name": ask.only_tool}
        if ask.no_tools:
            params["tool_choice"] = "none"
        return params
