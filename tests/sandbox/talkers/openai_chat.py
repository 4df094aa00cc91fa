"""OpenAI's SDK, Chat Completions."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import openai

from sandbox.question import Provider
from tests.sandbox.talker import PATIENCE_SECONDS, Ask, Called, Params, Said, Talker


@asynccontextmanager
async def chat_talker(url: str, *, patience_seconds: float = PATIENCE_SECONDS) -> AsyncIterator[Talker]:
    """A talker to the sandbox at this address."""
    client = openai.AsyncOpenAI(api_key="any", base_url=f"{url}/v1", max_retries=0, timeout=patience_seconds)
    async with client:
        yield _ChatTalker(client)


class _ChatTalker:
    provider: Provider = "openai"
    reasons: Mapping[str, str] = {"whole": "stop", "call": "tool_calls", "truncated": "length"}

    def __init__(self, client: openai.AsyncOpenAI) -> None:
        self._client = client

    async def answer(self, ask: Ask) -> Said:
        completion = await self._client.chat.completions.create(**self._params(ask))
        choice = completion.choices[0]
        said = Said(events=[completion], ended=choice.finish_reason)
        if choice.message.content:
            said.pieces.append(choice.message.content)
        calls: list[Any] = choice.message.tool_calls or []
        for call in calls:
            said.calls.append(Called(call.id, call.function.name, json.loads(call.function.arguments)))
        self._count(completion.usage, said)
        return said

    async def stream(self, ask: Ask) -> Said:
        said, calls = Said(), list[list[Any]]()
        params = {**self._params(ask), "stream_options": {"include_usage": True}}
        async for chunk in await self._client.chat.completions.create(**params, stream=True):
            said.events.append(chunk)
            if chunk.usage:
                self._count(chunk.usage, said)
            for choice in chunk.choices:
                said.pieces += [choice.delta.content] if choice.delta.content else []
                for call in choice.delta.tool_calls or []:
                    calls += [[]] * (call.index == len(calls))
                    calls[call.index] = [*calls[call.index], call]
                said.ended = choice.finish_reason or said.ended
        for first, *rest in calls if said.ended else []:
            arguments = json.loads("".join(part.function.arguments for part in (first, *rest)))
            said.calls.append(Called(first.id, first.function.name, arguments))
        return said

    @staticmethod
    def _count(usage: Any, said: Said) -> None:
        said.input_tokens, said.output_tokens = usage.prompt_tokens, usage.completion_tokens

    @staticmethod
    def _params(ask: Ask) -> Params:
        content: list[Params] = [{"type": "text", "text": ask.text}]
        if ask.image:
            content.append({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{ask.image_base64}"}})
        turns: list[Params] = [{"role": role, "content": text} for role, text in ask.told("assistant")]
        params: Params = {
            "model": ask.model,
            "messages": [*turns, {"role": "user", "content": content}],
            "max_completion_tokens": ask.max_tokens,
        }
        for calls in ask.answered:
            functions = [{"name": call.name, "arguments": json.dumps(dict(call.arguments))} for call in calls]
            called = zip(calls, functions, strict=True)
            used = [{"id": call.id, "type": "function", "function": function} for call, function in called]
            params["messages"].append({"role": "assistant", "content": None, "tool_calls": used})
            params["messages"] += [{"role": "tool", "tool_call_id": call.id, "content": "rain"} for call in calls]
        if ask.schema:
            json_schema = {"name": "it", "schema": ask.schema}
            params["response_format"] = {"type": "json_schema", "json_schema": json_schema}
        if ask.tools:
            params["tools"] = [
                {"type": "function", "function": {"name": name, "parameters": schema}}
                for name, schema in ask.tools.items()
            ]
        if ask.only_tool:
            params["tool_choice"] = {"type": "function", "function": {"name": ask.only_tool}}
        if ask.no_tools:
            params["tool_choice"] = "none"
        return params
