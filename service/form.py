"""A submission as a form (multipart/form-data): what a JSON body would say, with files as they are."""

import base64
from typing import Any

from pydantic import BaseModel
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from jobs.model import JsonObject
from service.body import bounded, check_text, described, parse_object, read_aside, read_body
from service.errors import InvalidJson, InvalidRequest, UnsupportedMediaType

MOST_PARTS = 20
MOST_HEADERS = 8
LONGEST_HEADER = 1024

OF_THE_SUBMISSION = frozenset({"kind", "idempotency_key", "subject", "run_at"})
AS_JSON = frozenset({"priority", "delay", "metadata", "webhook"})
"""Fields of the submission; every other one is of the kind's input."""


FORM: JsonObject = {
    "type": "object",
    "required": ["kind"],
    "properties": {"kind": {"type": "string"}, "image": {"type": "string", "format": "binary"}},
    "additionalProperties": {"type": "string"},
}


def described_too(model: type[BaseModel]) -> dict[str, Any]:
    """What the OpenAPI document says of a JSON body that may be a form too."""
    extra = described(model)
    extra["requestBody"]["content"]["multipart/form-data"] = {"schema": FORM}
    return extra


async def read_sent(request: Request, *, limit: int) -> tuple[JsonObject, int]:
    """What a submission says, as JSON or as a form, and how many bytes it took to say so."""
    media_type, options = parse_options_header(request.headers.get("content-type"))
    if media_type != b"multipart/form-data":
        sent = await read_body(request, limit=limit)
        return await read_aside(sent, parse_object), len(sent)
    if "x-requested-with" not in request.headers:  # which a page of another origin cannot send unasked
        raise UnsupportedMediaType("Send a form with the header X-Requested-With, or application/json.")
    sent = await bounded(request, limit)
    boundary = options.get(b"boundary", b"")
    return await read_aside(sent, lambda form: _submission(_parts(form, boundary))), len(sent)


class _Part:
    """One part: what its headers say, and what it holds. Its file's name is nobody's business."""

    def __init__(self) -> None:
        self.headers: list[tuple[bytearray, bytearray]] = []
        self.data = bytearray()

    @property
    def disposition(self) -> dict[bytes, bytes]:
        headers = {bytes(name).lower(): bytes(value) for name, value in self.headers}
        return parse_options_header(headers.get(b"content-disposition"))[1]

    def text(self) -> str:
        """The value of its field: what a file holds in base64, as a JSON body would."""
        if b"filename" in self.disposition:
            return base64.b64encode(self.data).decode()
        return _text(bytes(self.data))


class _Form:
    """A form as its parser tells of it."""

    def __init__(self) -> None:
        self.parts: list[_Part] = []
        self.ended = False

    def on_part_begin(self) -> None:
        if len(self.parts) == MOST_PARTS:
            raise InvalidRequest(f"A form may have {MOST_PARTS} parts at most.")
        self.parts.append(_Part())

    def on_header_begin(self) -> None:
        self.parts[-1].headers.append((bytearray(), bytearray()))

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self.parts[-1].headers[-1][0].extend(data[start:end])

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self.parts[-1].headers[-1][1].extend(data[start:end])

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        self.parts[-1].data.extend(memoryview(data)[start:end])

    def on_end(self) -> None:
        self.ended = True


def _parts(sent: bytes, boundary: bytes) -> list[_Part]:
    """The form's parts; InvalidRequest for what is not a whole form of few parts."""
    form = _Form()
    heard: Any = {name: getattr(form, name) for name in dir(form) if name.startswith("on_")}
    try:
        parser = MultipartParser(boundary, heard, max_header_count=MOST_HEADERS, max_header_size=LONGEST_HEADER)
        parser.write(sent)
    except FormParserError as error:
        raise InvalidRequest("The body is not a form that can be read.") from error
    if not form.ended:
        raise InvalidRequest("The form ends before its last boundary.")
    return form.parts


def _submission(parts: list[_Part]) -> JsonObject:
    submission: JsonObject = {}
    given: JsonObject = {}
    for part in parts:
        name, text = _text(part.disposition.get(b"name", b"")), part.text()
        fields = submission if name in OF_THE_SUBMISSION | AS_JSON else given
        if name in fields:
            raise InvalidRequest("A field of the form comes twice.")
        fields[name] = _json(text) if name in AS_JSON else text
    return {**submission, "input": given}


def _text(value: bytes) -> str:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        raise InvalidRequest("A field of the form is not UTF-8.") from None
    check_text(text)
    return text


def _json(text: str) -> object:
    wrapped = parse_object(f'{{"value": {text}}}'.encode())
    if wrapped.keys() != {"value"}:
        raise InvalidJson("A field of the form is not JSON.")
    return wrapped["value"]
