"""The sandbox's HTTP server: a route per API, and the ledger of what was asked."""

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox import anthropic, google, openai, openai_chat, openai_responses
from sandbox.answer import answer_to
from sandbox.cadence import waits
from sandbox.faults import Fault, fault_in
from sandbox.ledger import Ledger
from sandbox.playback import Playback, play, slices
from sandbox.question import Question
from sandbox.settings import Settings
from sandbox.wire import Wire, dump

WIRES: Sequence[Wire] = (openai_responses, openai_chat, anthropic, google)

_MOST_BODY_BYTES = 64 * 1024 * 1024
_SLOWNESS = 5
_RETRYABLE = (429, 503, 529)
_LONGEST_ID = 64

_log = logging.getLogger("sandbox")


def create_app(settings: Settings) -> Starlette:
    """The server as an ASGI app, with a ledger of its own."""
    ledger = Ledger()

    async def counts(_request: Request) -> Response:
        entries = ledger.entries()
        return JSONResponse({"requests": [{**asdict(asked), "count": count} for asked, count in entries]})

    async def reset(_request: Request) -> Response:
        ledger.clear()
        return Response(status_code=204)

    return Starlette(
        routes=[
            Route("/sandbox/requests", counts, methods=["GET"]),
            Route("/sandbox/requests", reset, methods=["DELETE"]),
            *(route for wire in WIRES for route in _Api(wire, ledger, pace=settings.pace).routes),
        ],
        exception_handlers={HTTPException: _refuse_unrouted},
    )


class _Api:
    """One wire format, served."""

    def __init__(self, wire: Wire, ledger: Ledger, *, pace: float) -> None:
        self._wire = wire
        self._ledger = ledger
        self._pace = pace

    @property
    def routes(self) -> list[Route]:
        """Its routes."""
        paths = self._wire.paths
        return [Route(path, self.respond, methods=["POST"], max_body_size=_MOST_BODY_BYTES) for path in paths]

    async def respond(self, request: Request) -> Response:
        """The answer, or what the provider would say to a request like this."""
        if not self._wire.admits(request):
            return self._refuse(self._wire.status_without_key, "No API key was given.")
        try:
            question = self._wire.read(await request.body(), request.scope["path"])
        except ValidationError as error:
            return self._refuse(400, _first_reason(error))
        _note(request, question)
        if loose_end := question.loose_end:
            return self._refuse(400, loose_end)
        fault = fault_in(question.model, nth=self._ledger.count(question), nth_answer=question.earlier_answers + 1)
        if fault.breaks == "silent":
            return await _silence(request)
        if status := fault.status or (500 if fault.breaks == "error" and not question.streamed else None):
            return self._refuse(status, f"The model's name, {question.model}, asks for a {status}.")
        return await self._answer(question, fault)

    async def _answer(self, question: Question, fault: Fault) -> Response:
        answer = answer_to(question, misfits=fault.misfits)
        pace = self._pace * (_SLOWNESS if fault.slow else 1)
        if question.streamed:
            frames = list(self._wire.frames(question, answer))
            seconds = waits(question, [frame.piece for frame in frames if frame.piece])
        else:
            await asyncio.sleep(pace * sum(waits(question, answer.pieces)))
            frames = slices(dump(self._wire.whole(question, answer)))
            seconds = [0.0] * len(frames)
        return Playback(
            play(frames, [pace * each for each in seconds], wire=self._wire, breaks=fault.breaks),
            media_type="text/event-stream" if question.streamed else "application/json",
        )

    def _refuse(self, status: int, message: str) -> Response:
        headers = {"retry-after": "1"} if status in _RETRYABLE else None
        return JSONResponse(self._wire.refusal(status, message), status, headers)


def _note(request: Request, question: Question) -> None:
    """Say in the log for which request of the caller's this is, if it says so, and not a word of what is asked."""
    if request_id := request.headers.get("x-request-id", "")[:_LONGEST_ID]:
        told = {"event": "asked", "provider": question.provider, "request_id": request_id, "process": "sandbox"}
        _log.info(json.dumps({**told, "timestamp": datetime.now(UTC).isoformat()}))


async def _silence(request: Request) -> Response:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    return Response()


def _first_reason(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    place = ".".join(map(str, first["loc"]))
    return f"{place}: {first['msg']}" if place else first["msg"]


async def _refuse_unrouted(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    message = f"Invalid URL ({request.method} {request.url.path})"
    return JSONResponse(openai.refusal(status, message), status)
