"""Answers that are broken, or only look it: each ends in a typed failure or in the right text."""

from collections.abc import Callable
from dataclasses import replace

import httpx2
import pytest

from tests.providers.asking import Outcome, ask, outcome_of
from tests.providers.raw import Reply, raw_server, reply
from tests.providers.samples import SAMPLES, TEXTS, WORD, Sample, frame
from tests.providers.subjects import GOOGLE, KEY, SUBJECTS, Subject
from workers.provider import Finish, ProviderTruncated
from workers.providers.limits import DEFAULT_LIMITS

LIMITS = replace(DEFAULT_LIMITS, tail_seconds=0.2)

Break = Callable[[Sample], bytes]


def _body(sample: Sample, *instead: bytes) -> bytes:
    """The answer with these frames between its two words."""
    return b"".join((*sample.before, sample.words[0], *instead, sample.words[1], *sample.after))


HARMLESS: dict[str, Break] = {
    "nothing changed": lambda sample: sample.body,
    "comments between the frames": lambda sample: sample.body.replace(b"\n\n", b"\n\n: ping\n\n"),
    "frames that end in CRLF": lambda sample: sample.body.replace(b"\n", b"\r\n"),
    "fields that nobody knows": lambda sample: sample.body.replace(b"data:", b"flavour: sweet\ndata:"),
    "empty frames": lambda sample: sample.body.replace(b"\n\n", b"\n\n\n\n"),
    "an event that nobody knows": lambda sample: _body(
        sample, frame({"type": "keepalive", "sequence_number": 7, "delta": {"text": 5}}, "keepalive")
    ),
    "its terminal marker twice": lambda sample: sample.body + sample.after[-1],
    "escaped letters": lambda sample: sample.body.replace("ü".encode(), rb"\u00fc"),
}

CUT: dict[str, Break] = {
    "no body": lambda _: b"",
    "nothing but comments": lambda _: b": ping\n\n: ping\n\n",
    "no terminal marker": lambda sample: b"".join((*sample.before, *sample.words)),
    "the beginning alone": lambda sample: b"".join(sample.before),
}

BROKEN: dict[str, Break] = {
    "a page of HTML": lambda _: b"<!doctype html>\n<html><body>502 Bad Gateway</body></html>\n",
    "JSON instead of a stream": lambda _: b'{"ok": true}',
    "a list of JSON instead of a stream": lambda _: b'[{"error": {"code": 500}}]',
    "half a frame in the middle": lambda sample: _body(sample, sample.words[0][:-12] + b"\n\n"),
    "half a frame at the end": lambda sample: b"".join((*sample.before, sample.words[0][:-12])),
    "words instead of JSON": lambda sample: _body(sample, frame("upstream timed out", "error")),
    "bytes that are not UTF-8": lambda sample: sample.body.replace("ü".encode(), b"\xfc")[: -len(sample.after[-1])],
    "a number as an event": lambda sample: _body(sample, frame("5", "x"))[: -len(sample.after[-1])],
    "a list as an event": lambda sample: _body(sample, frame("[]", "x"))[: -len(sample.after[-1])],
    "null as an event": lambda sample: _body(sample, frame("null", "x"))[: -len(sample.after[-1])],
    "a thousand brackets": lambda sample: _body(sample, frame("[" * 100_000, "x")),
    "NaN": lambda sample: _body(sample, frame('{"type": NaN, "candidates": NaN, "choices": NaN}', "x")),
    "an error as an object": lambda sample: _body(sample, frame({"type": "error", "error": {"type": "x"}}, "error")),
    "an error as a string": lambda sample: _body(sample, frame({"error": "overloaded"}, "error")),
    "an error as a list": lambda sample: _body(sample, frame({"error": [1]}, "error")),
    "an error with an odd code": lambda sample: _body(sample, frame({"error": {"code": "x", "message": 5}}, "error")),
}

WORDLESS: dict[str, object] = {"a number": 5, "an object": {"text": "x"}, "a list": ["x"], "true": True}

TRANSPORT: dict[str, Callable[[bytes], Reply]] = {
    "no response at all": lambda _: Reply(b"", then="close"),
    "half a status line": lambda _: Reply(b"HTTP/1.1 2", then="close"),
    "no HTTP": lambda _: Reply(b"SSH-2.0-OpenSSH_9.2\r\n\r\n", then="close"),
    "headers without an end": lambda _: Reply(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200_000, then="close"),
    "a chunk of no size": lambda body: Reply(reply(body, ended=False).data[:90] + b"\r\nzz\r\n", then="close"),
    "a body shorter than it says": lambda body: Reply(
        b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (2 * len(body), body[: len(body) // 2]), then="close"
    ),
    "a body that is not the gzip it says": lambda body: reply(body, headers="content-encoding: gzip\r\n"),
    "no content": lambda _: Reply(b"HTTP/1.1 204 No Content\r\n\r\n"),
}


GOOGLE_IS_STRICTER = frozenset(
    {"comments between the frames", "fields that nobody knows", "an event that nobody knows", "nothing but comments"}
)
"""Its SDK knows lines of data alone and takes any other for the JSON of an error; Google sends no such lines."""

STRICT_AT_GOOGLE = {name: change for name, change in (HARMLESS | CUT).items() if name in GOOGLE_IS_STRICTER}


def _cases(changes: dict[str, Break], also_for_google: dict[str, Break] | None = None) -> list[pytest.ParameterSet]:
    """Each change on each wire, but those that Google's is stricter about, and for Google some more."""
    both = [(subject, name, changes[name]) for subject in SUBJECTS for name in changes]
    kept = [case for case in both if not (case[0] is GOOGLE and case[1] in GOOGLE_IS_STRICTER)]
    more = [(GOOGLE, name, change) for name, change in (also_for_google or {}).items()]
    return [pytest.param(subject, change, id=f"{subject.id}-{name}") for subject, name, change in kept + more]


async def _outcome(subject: Subject, http: httpx2.AsyncClient, said: Reply) -> Outcome:
    async with raw_server(said) as server:
        return await outcome_of(subject.open(http, server.url, KEY, LIMITS), ask(model="m"))


@pytest.mark.parametrize(("subject", "change"), _cases(HARMLESS))
async def test_an_answer_that_only_looks_odd_is_read_rightly(
    subject: Subject, change: Break, http: httpx2.AsyncClient
) -> None:
    outcome = await _outcome(subject, http, reply(change(SAMPLES[subject.id])))

    assert outcome.fault is None
    assert outcome.text == "".join(TEXTS)
    assert outcome.finish == Finish("m", 3, 5)


@pytest.mark.parametrize("chunk_bytes", [1, 2, 3, 7])
async def test_an_answer_in_slices_is_read_rightly(
    subject: Subject, chunk_bytes: int, http: httpx2.AsyncClient
) -> None:
    """Letters of two and four bytes come in several chunks."""
    outcome = await _outcome(subject, http, reply(SAMPLES[subject.id].body, chunk_bytes=chunk_bytes))

    assert outcome.text == "".join(TEXTS)
    assert outcome.finish == Finish("m", 3, 5)


async def test_a_word_of_a_megabyte_is_read_rightly(subject: Subject, http: httpx2.AsyncClient) -> None:
    sample = replace(SAMPLES[subject.id], words=(WORD[subject.id]("x" * 2**20),))

    outcome = await _outcome(subject, http, reply(sample.body, chunk_bytes=16_384))

    assert outcome.text == "x" * 2**20
    assert outcome.finish is not None


async def test_the_halves_of_a_surrogate_pair_come_as_they_were_sent(
    subject: Subject, http: httpx2.AsyncClient
) -> None:
    halves = tuple(
        WORD[subject.id](half).decode().replace(mark, escape).encode()
        for half, mark, escape in (("<1>", "<1>", r"\ud83d"), ("<2>", "<2>", r"\ude00"))
    )
    sample = replace(SAMPLES[subject.id], words=halves)

    outcome = await _outcome(subject, http, reply(sample.body))

    assert outcome.text == "\ud83d\ude00"
    assert outcome.finish is not None


@pytest.mark.parametrize(("subject", "change"), _cases(CUT))
async def test_an_answer_without_its_end_is_cut(subject: Subject, change: Break, http: httpx2.AsyncClient) -> None:
    outcome = await _outcome(subject, http, reply(change(SAMPLES[subject.id])))

    assert isinstance(outcome.fault, ProviderTruncated)
    assert outcome.fault.retryable
    assert outcome.finish is None


@pytest.mark.parametrize(("subject", "change"), _cases(BROKEN, also_for_google=STRICT_AT_GOOGLE))
async def test_a_broken_answer_is_a_failure(subject: Subject, change: Break, http: httpx2.AsyncClient) -> None:
    outcome = await _outcome(subject, http, reply(change(SAMPLES[subject.id])))

    assert outcome.fault is not None
    assert outcome.fault.retryable
    assert outcome.finish is None


@pytest.mark.parametrize("word", WORDLESS.values(), ids=WORDLESS.keys())
async def test_a_word_that_is_no_text_is_a_failure(subject: Subject, word: object, http: httpx2.AsyncClient) -> None:
    sample = replace(SAMPLES[subject.id], words=(WORD[subject.id](word),))

    outcome = await _outcome(subject, http, reply(sample.body))

    assert outcome.fault is not None
    assert outcome.text == ""


@pytest.mark.parametrize("said", TRANSPORT.values(), ids=TRANSPORT.keys())
async def test_a_broken_response_is_a_failure(
    subject: Subject, said: Callable[[bytes], Reply], http: httpx2.AsyncClient
) -> None:
    outcome = await _outcome(subject, http, said(SAMPLES[subject.id].body))

    assert outcome.fault is not None
    assert outcome.fault.retryable
    assert outcome.finish is None
