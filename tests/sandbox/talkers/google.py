"""Google's SDK, by either version of the API."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx2
from google import genai
from google.genai import types

from sandbox.question import Provider
from tests.sandbox.talker import PATIENCE_SECONDS, Ask, Called, Params, Said, Talker


@asynccontextmanager
async def google_talker(
    url: str, *, version: str, patience_seconds: float = PATIENCE_SECONDS
) -> AsyncIterator[Talker]:
    """A talker to the sandbox at this address."""
    async with httpx2.AsyncClient(timeout=patience_seconds) as http:
        options = types.HttpOptions(
            base_url=url,
            api_version=version,
            timeout=int(patience_seconds * 1000),
            httpx_async_client=http,  # or it takes aiohttp where that is installed
        )
        yield _GoogleTalker(genai.Client(api_key="any", http_options=options))


class _GoogleTalker:
    provider: Provider = "google"
    reasons: Mapping[str, str] = {"whole": "STOP", "call": "STOP", "truncated": "MAX_TOKENS"}

    def __init__(self, client: genai.Client) -> None:
        self._models = client.aio.models

    async def answer(self, ask: Ask) -> Said:
        said = Said()
        self._read(await self._models.generate_content(**self._params(ask)), said)
        return said

    async def stream(self, ask: Ask) -> Said:
        said = Said()
        async for response in await self._models.generate_content_stream(**self._params(ask)):
            self._read(response, said)
        return said

    @staticmethod
    def _read(response: types.GenerateContentResponse, said: Said) -> None:
        said.events.append(response)
        candidate, usage = (response.candidates or [types.Candidate()])[0], response.usage_metadata
        assert candidate.content
        assert usage
        for part in candidate.content.parts or []:
            said.pieces += [part.text] if part.text else []
            if called := part.function_call:
                said.calls.append(Called(called.id or "", called.name or "", called.args or {}))
        said.ended = candidate.finish_reason.value if candidate.finish_reason else said.ended
        said.input_tokens = usage.prompt_token_count or 0
        said.output_tokens = usage.candidates_token_count or 0

    @staticmethod
    def _params(ask: Ask) -> Params:
        parts = [types.Part(text=ask.text)]
        if ask.image:
            parts.append(types.Part.from_bytes(data=ask.image, mime_type="image/png"))
        contents = [types.Content(role=role, parts=[types.Part(text=text)]) for role, text in ask.told("model")]
        contents.append(types.Content(role="user", parts=parts))
        config = types.GenerateContentConfig(max_output_tokens=ask.max_tokens)
        for calls in ask.answered:
            used = [types.Part.from_function_call(name=call.name, args=dict(call.arguments)) for call in calls]
            rain = {"output": "rain"}
            results = [types.Part.from_function_response(name=call.name, response=rain) for call in calls]
            contents += [types.Content(role="model", parts=used), types.Content(role="user", parts=results)]
        if ask.schema:
            config.response_mime_type, config.response_json_schema = "application/json", dict(ask.schema)
        if ask.tools:
            functions = [
                types.FunctionDeclaration(name=name, parameters_json_schema=dict(schema))
                for name, schema in ask.tools.items()
            ]
            config.tools = [types.Tool(function_declarations=functions)]
        if ask.only_tool or ask.no_tools:
            calling = types.FunctionCallingConfig(
                mode=types.FunctionCallingConfigMode.NONE if ask.no_tools else types.FunctionCallingConfigMode.ANY,
                allowed_function_names=[ask.only_tool] if ask.only_tool else None,
            )
            config.tool_config = types.ToolConfig(function_calling_config=calling)
        return {"model": ask.model, "contents": contents, "config": config}
