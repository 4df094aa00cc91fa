"""Submitting imports, as JSON and as forms."""

import base64
from typing import Any

from httpx2 import Response

from jobs.model import JsonObject
from tests.api import Api

BOUNDARY = "canary-boundary"


async def send(caller: Api, kind: str, *, headers: dict[str, str] | None = None, **given: Any) -> Response:
    """The answer to a submission of JSON."""
    return await caller.http.post("/v1/jobs", json={"kind": kind, "input": given}, headers=headers or {})


async def send_diagram(caller: Api, file: bytes, **given: Any) -> Response:
    """The answer to a diagram in base64."""
    return await send(caller, "diagram-to-journey", image=base64.b64encode(file).decode(), **given)


async def send_form(caller: Api, body: bytes, *, asked_by: str | None = "test", boundary: str = BOUNDARY) -> Response:
    """The answer to the bytes of a form."""
    headers = {"Content-Type": f'multipart/form-data; boundary="{boundary}"'}
    return await caller.http.post(
        "/v1/jobs", content=body, headers=headers | ({"X-Requested-With": asked_by} if asked_by else {})
    )


def form(*parts: bytes) -> bytes:
    """A whole form of these parts."""
    line = b"--" + BOUNDARY.encode()
    return b"".join(line + b"\r\n" + part + b"\r\n" for part in parts) + line + b"--\r\n"


def field(name: str, value: bytes, *, more: str = "", headers: bytes = b"") -> bytes:
    """One part of a form; `more` follows its name."""
    return f'Content-Disposition: form-data; name="{name}"{more}\r\n'.encode() + headers + b"\r\n" + value


def diagram_form(file: bytes, *more: bytes, filename: str = "plan.png") -> bytes:
    """A form that submits the file as a diagram."""
    image = field("image", file, more=f'; filename="{filename}"', headers=b"Content-Type: image/png\r\n")
    return form(field("kind", b"diagram-to-journey"), image, *more)


async def taken(sending: Response) -> JsonObject:
    """The job that came of it."""
    assert sending.status_code == 202, sending.text
    job: JsonObject = sending.json()
    return job


def refusal(answer: Response) -> tuple[int, str]:
    """Status and slug."""
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")
