"""Anthropic's SDK."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import anthropic

from sandbox.question import Provider
from tests.sandbox.talker import PATIENCE_SECONDS, Ask, Called, Params, Said, Talker


@asynccontextmanager
async def anthropic_talker(url: str, *, patience_seconds: float = PATIENCE_SECONDS) -> AsyncIterator[Talker]:
    """A talker to the sandbox at this address."""
    client = anthropic.AsyncAnthropic(api_key="any", base_url=url, max_retries=0, timeout=patience_seconds)
    async with client:
        yield _AnthropicTalker(client)


class _AnthropicTalker:
    provider: Provider = "anthropic"
    reasons: Mapping[str, str] = {"whole": "end_turn", "call": "tool_use", "truncated": "max_tokens"}

    def __init__(self, client: anthropic.AsyncAnthropic) -> None:
        self._client = client

    async def answer(self, ask: Ask) -> Said:
        message = await self._client.messages.create(**self._params(ask))
        said = Said(events=[message], ended=message.stop_reason)
        said.input_tokens, said.output_tokens = message.usage.input_tokens, message.usage.output_tokens
        for block in message.content:
            if block.type == "text":
                said.pieces.append(block.text)
            if block.type == "tool_use":
                said.calls.append(Called(block.id, block.name, block.input))
        return said

    async def stream(self, ask: Ask) -> Said:
        said, reason, begun, arguments = Said(), None, list[anthropic.types.ToolUseBlock](), list[str]()
        async for event in await self._client.messages.create(**self._params(ask), stream=True):
            said.events.append(event)
            match event.type:
                case "message_start":
                    said.input_tokens = event.message.usage.input_tokens
                case "content_block_start" if event.content_block.type == "tool_use":
                    begun.append(event.content_block)
                    arguments.append("")
                case "content_block_delta" if event.delta.type == "text_delta":
                    said.pieces.append(event.delta.text)
                case "content_block_delta" if event.delta.type == "input_json_delta":
                    arguments[-1] += event.delta.partial_json
                case "message_delta":
                    reason, said.output_tokens = event.delta.stop_reason, event.usage.output_tokens
                case "message_stop":
                    said.ended = reason
        if said.ended:
            told = zip(begun, arguments, strict=True)
            said.calls = [Called(call.id, call.name, json.loads(each)) for call, each in told]
        return said

    @staticmethod
    def _params(ask: Ask) -> Params:
        content: list[Params] = [{"type": "text", "text": ask.text}]
        if ask.image:
            source = {"type": "base64", "media_type": "image/png", "data": ask.image_base64}
            content.append({"type": "image", "source": source})
        turns: list[Params] = [{"role": role, "content": text} for role, text in ask.told("assistant")]
        params: Params = {
            "model": ask.model,
            "messages": [*turns, {"role": "user", "content": content}],
            "max_tokens": ask.max_tokens,
        }
        for calls in ask.answered:
            used = [{"type": "tool_use", "id": call.id, "name": call.name, "input": {}} for call in calls]
            results = [{"type": "tool_result", "tool_use_id": call.id, "content": "rain"} for call in calls]
            params["messages"] += [{"role": "assistant", "content": used}, {"role": "user", "content": results}]
        if ask.schema:
            params["output_config"] = {"format": {"type": "json_schema", "schema": ask.schema}}
        if ask.tools:
            params["tools"] = [{"name": name, "input_schema": schema} for name, schema in ask.tools.items()]
        if ask.only_tool:
            params["tool_choice"] = {"type": "tool", "name": ask.only_tool}
        if ask.no_tools:
            params["tool_choice"] = {"type": "none"}
        return params
