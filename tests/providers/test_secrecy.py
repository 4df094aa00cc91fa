"""What a failure tells, and what it never does: the key, the question, the answer."""

import logging
import traceback
from collections.abc import Mapping

import httpx2
import pytest

from tests.providers.asking import ask, fault_of
from tests.providers.raw import Reply, raw_server, reply
from tests.providers.subjects import KEY, Subject
from workers.provider import ProviderError
from workers.providers.limits import DEFAULT_LIMITS

QUESTION = "canary-question-77"
ANSWER = "canary-answer-88"
CANARIES = (KEY, QUESTION, ANSWER)

_SPEAKING = f"Key {KEY} may not ask {QUESTION}: {ANSWER}"
_BODY = (
    f'{{"error": {{"message": "{_SPEAKING}", "type": "{ANSWER}", "code": "{KEY}", "status": "{ANSWER}",'
    f' "details": [{{"reason": "{KEY}"}}]}}, "type": "error"}}'
)
_ECHO = f"content-type: application/json\r\nx-echo: {KEY}\r\nretry-after: {KEY}\r\n"
_LINES = f"event: error\ndata: {_BODY}\n\ndata: {ANSWER}\n\n"

REPLIES: Mapping[str, Reply] = {
    "a bad key": reply(_BODY.encode(), status="401 Unauthorized", headers=_ECHO),
    "a bad request": reply(_BODY.encode(), status="400 Bad Request", headers=_ECHO),
    "a rate limit": reply(_BODY.encode(), status="429 Too Many Requests", headers=_ECHO),
    "a crash": reply(_SPEAKING.encode(), status="500 Oops", headers=_ECHO),
    "an error in the stream": reply(_LINES.encode()),
    "a frame that isn't JSON": reply(f"event: x\ndata: {_SPEAKING}\n\n".encode()),
    "a status line that isn't one": Reply(f"HTTP/1.1 {_SPEAKING}\r\n\r\n".encode(), then="close"),
}


@pytest.mark.parametrize("said", REPLIES.values(), ids=REPLIES.keys())
async def test_a_failure_tells_no_key_no_question_and_no_answer(
    subject: Subject, said: Reply, http: httpx2.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with raw_server(said) as server:
        fault = await fault_of(subject.open(http, server.url, KEY, DEFAULT_LIMITS), ask(QUESTION))

    for told in (_all_of(fault), caplog.text):
        assert [canary for canary in CANARIES if canary in told] == []


@pytest.mark.parametrize("key", [f"{KEY}\n{KEY}", f"{KEY}-é"])
async def test_a_key_that_fits_in_no_header_is_not_told(subject: Subject, key: str, http: httpx2.AsyncClient) -> None:
    async with raw_server(reply(b"", status="401 Unauthorized")) as server:
        fault = await fault_of(subject.open(http, server.url, key, DEFAULT_LIMITS), ask(QUESTION))

    assert KEY not in _all_of(fault)
    assert not fault.retryable


def _all_of(fault: ProviderError) -> str:
    assert fault.__cause__ is None
    assert fault.__context__ is None
    return "".join(traceback.format_exception(fault)) + repr(fault) + repr(vars(fault)) + fault.detail
