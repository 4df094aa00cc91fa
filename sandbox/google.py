"""Gemini, `POST /{v1|v1beta}/models/{model}:generateContent` and `:streamGenerateContent?alt=sse`."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from starlette.requests import Request

from sandbox.answer import Answer, Call
from sandbox.question import Image, Provider, Question, Result, Tool, Turn
from sandbox.schema import ANY_OBJECT, Schema
from sandbox.wire import Frame, Json, dump, image_of

provider: Provider = "google"
paths: tuple[str, ...] = tuple(
    f"/{version}/models/{{model:path}}:{verb}"
    for version in ("v1", "v1beta")
    for verb in ("generateContent", "streamGenerateContent")
)
status_without_key = 403

_STATUSES = {status.value: status.name for status in HTTPStatus} | {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_RETRY_IN_A_SECOND = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1s"}


class _Message(BaseModel):
    """Both spellings of a field are the API's: `inlineData` and `inline_data`."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class _Blob(_Message):
    data: str = ""
    mime_type: str = ""


class _Called(_Message):
    name: str


class _Response(_Message):
    name: str
    response: dict[str, object] = {}

    @property
    def result(self) -> Result:
        """`output` is the API's own name for what a function brought."""
        output = self.response.get("output", self.response)
        return Result(self.name, output if isinstance(output, str) else dump(output))


class _Part(_Message):
    text: str = ""
    inline_data: _Blob | None = None
    file_data: dict[str, object] | None = None
    function_call: _Called | None = None
    function_response: _Response | None = None

    @property
    def image(self) -> Image | None:
        if self.inline_data:
            return image_of(self.inline_data.data)
        return image_of(f"http:{self.file_data}") if self.file_data else None


class _Content(_Message):
    role: Literal["user", "model", "function"] = "user"
    parts: list[_Part] = []

    @property
    def text(self) -> str:
        return "\n".join(part.text for part in self.parts if part.text)

    @property
    def turn(self) -> Turn:
        return Turn(
            "assistant" if self.role == "model" else "user",
            self.text,
            images=tuple(part.image for part in self.parts if part.image is not None),
            calls=tuple(part.function_call.name for part in self.parts if part.function_call),
            results=tuple(part.function_response.result for part in self.parts if part.function_response),
        )


class _Function(_Message):
    name: str
    parameters: Schema | None = None
    parameters_json_schema: Schema | None = None


class _Tools(_Message):
    function_declarations: list[_Function] = []


class _CallingConfig(_Message):
    mode: str = "AUTO"
    allowed_function_names: list[str] = []


class _ToolConfig(_Message):
    function_calling_config: _CallingConfig = _CallingConfig()


class _GenerationConfig(_Message):
    response_mime_type: str = "text/plain"
    response_schema: Schema | None = None
    response_json_schema: Schema | None = None
    max_output_tokens: int | None = Field(default=None, ge=1)

    @property
    def schema_(self) -> Schema | None:
        if self.response_mime_type != "application/json":
            return None
        return self.response_json_schema or self.response_schema or ANY_OBJECT


class _Request(_Message):
    contents: list[_Content] = Field(min_length=1)
    system_instruction: _Content = _Content()
    tools: list[_Tools] = []
    tool_config: _ToolConfig = _ToolConfig()
    generation_config: _GenerationConfig = _GenerationConfig()

    @property
    def callable_tools(self) -> tuple[Tool, ...]:
        calling = self.tool_config.function_calling_config
        offered = [function for tools in self.tools for function in tools.function_declarations]
        return tuple(
            Tool(function.name, function.parameters_json_schema or function.parameters or Schema())
            for function in offered
            if calling.mode != "NONE" and function.name in (calling.allowed_function_names or [function.name])
        )


def admits(request: Request) -> bool:
    """Whether the request carries a key, in a header or in its address."""
    return bool(request.headers.get("x-goog-api-key", request.query_params.get("key", "")).strip())


def read(body: bytes, path: str) -> Question:
    """The question in a request."""
    request = _Request.model_validate_json(body)
    model, _, verb = path.partition("/models/")[2].rpartition(":")
    return Question(
        provider=provider,
        model=model[:256],
        turns=tuple(content.turn for content in request.contents),
        streamed=verb == "streamGenerateContent",
        system=request.system_instruction.text,
        tools=request.callable_tools,
        schema=request.generation_config.schema_,
        max_tokens=request.generation_config.max_output_tokens,
    )


def whole(question: Question, answer: Answer) -> Json:
    """A `GenerateContentResponse`."""
    said: list[Json] = [{"text": answer.text}] if answer.speaks else []
    return _response(question, answer, [*said, *map(_call_part, answer.calls)], last=True)


def frames(question: Question, answer: Answer) -> Iterator[Frame]:
    """Responses that each hold more of the answer; the last has a `finishReason`. A call comes whole."""
    parts: list[tuple[str, Json]] = [(piece, {"text": piece}) for piece in answer.text_pieces]
    parts += [("".join(call.pieces), _call_part(call)) for call in answer.calls]
    for place, (piece, part) in enumerate(parts, start=1):
        response = _response(question, answer, [part], last=place == len(parts))
        yield Frame(dump(response), after="\r\n\r\n", piece=piece)


def failure(_place: int) -> Frame:
    """A response that is an error."""
    return Frame(dump(refusal(503, "The model is overloaded. Please try again later.")), after="\r\n\r\n")


def refusal(status: int, message: str) -> Json:
    """The body of an error."""
    details = {"details": [_RETRY_IN_A_SECOND]} if status == 429 else {}
    return {"error": {"code": status, "message": message, "status": _STATUSES.get(status, "UNKNOWN"), **details}}


def _call_part(call: Call) -> Json:
    return {"functionCall": {"id": call.id, "name": call.name, "args": call.arguments}}


def _response(question: Question, answer: Answer, parts: list[Json], *, last: bool) -> Json:
    finish = {"finishReason": "MAX_TOKENS" if answer.truncated else "STOP"} if last else {}
    return {
        "candidates": [{"content": {"parts": parts, "role": "model"}, **finish, "index": 0}],
        "usageMetadata": _usage(answer, last=last),
        "modelVersion": question.model,
        "responseId": answer.id,
    }


def _usage(answer: Answer, *, last: bool) -> Json:
    said = answer.output_tokens if last else 0
    written = {"candidatesTokenCount": said} if last else {}
    return {"promptTokenCount": answer.input_tokens, **written, "totalTokenCount": answer.input_tokens + said}
