"""Bodies that no submission may have, and how each is told so. Made by hand: no schema leads to them."""

import json

WORD = "canary-4242"
"""Stands in every body; no answer may repeat it."""

GOOD = {"kind": "chat", "input": {"message": WORD}}


def _good(**changes: object) -> bytes:
    return json.dumps(GOOD | changes).encode()


def _input(**changes: object) -> bytes:
    return _good(input={"message": WORD} | changes)


def _spelled(field: str) -> bytes:
    """A good body with one more field, spelled as given."""
    return b'{"kind": "chat", "input": {"message": "' + WORD.encode() + b'"}, ' + field.encode() + b"}"


def _message(spelled: bytes) -> bytes:
    """A body whose message is spelled as given."""
    return b'{"kind": "chat", "input": {"message": "' + WORD.encode() + spelled + b'"}}'


def _nested(opening: str, closing: str, depth: int) -> bytes:
    return _spelled('"metadata": ' + opening * depth + closing * depth)


NO_JSON: dict[str, bytes] = {
    "nothing": b"",
    "white space": b" \r\n\t",
    "a word": WORD.encode(),
    "half an object": _good()[:-1],
    "half a string": _good()[:-4],
    "two objects": _good() * 2,
    "something after": _good() + b"x",
    "a NUL after": _good() + b"\x00",
    "a trailing comma": b'{"kind": "chat", "input": {"message": "x",}}',
    "a comment": b"/* x */" + _good(),
    "single quotes": _good().replace(b'"', b"'"),
    "bare names": b"{kind: chat}",
    "a byte order mark": b"\xef\xbb\xbf" + _good(),
    "UTF-16": _good().decode().encode("utf-16"),
    "UTF-16 without mark": _good().decode().encode("utf-16-le"),
    "UTF-32": _good().decode().encode("utf-32"),
    "Latin-1": _message(b"\xe9"),
    "a lone continuation byte": _message(b"\x80"),
    "an overlong slash": _message(b"\xc0\xaf"),
    "a surrogate in UTF-8": _message(b"\xed\xa0\x80"),
    "beyond Unicode": _message(b"\xf4\x90\x80\x80"),
    "half a character": _message(b"\xf0\x9f\x98"),
    "a raw line break": _message(b"\n"),
    "a raw NUL": _message(b"\x00"),
    "a raw tab": _message(b"\t"),
    "an unknown escape": _message(b"\\x41"),
    "a cut escape": _message(b"\\u12"),
    "an escaped NUL": _message(b"\\u0000"),
    "a lone high surrogate": _message(b"\\ud83d"),
    "a lone low surrogate": _message(b"\\ude00"),
    "surrogates in the wrong order": _message(b"\\ude00\\ud83d"),
    "a lone surrogate in a key": _spelled('"metadata": {"\\udfff": "x"}'),
    "a NUL in a key": _spelled('"metadata": {"\\u0000": "x"}'),
    "NaN": _spelled('"delay": NaN'),
    "Infinity": _spelled('"delay": Infinity'),
    "minus Infinity": _spelled('"delay": -Infinity'),
    "a float beyond floats": _spelled('"delay": 1e999'),
    "minus a float beyond floats": _spelled('"delay": -1e999'),
    "a long float beyond floats": _spelled('"delay": ' + "9" * 400 + ".5"),
    "an integer beyond 64 bits": _spelled('"priority": 9223372036854775808'),
    "an integer of 5,000 digits": _spelled('"priority": ' + "9" * 5000),
    "a leading zero": _spelled('"priority": 05'),
    "a leading plus": _spelled('"priority": +5'),
    "hexadecimal": _spelled('"priority": 0x5'),
    "half a float": _spelled('"delay": 1.'),
    "33 levels of lists": _nested("[", "]", 32),
    "33 levels of objects": _spelled('"metadata": ' + '{"a": ' * 32 + "1" + "}" * 32),
    "5,000 levels": _nested("[", "]", 5000),
    "100,000 levels": _nested("[", "]", 100_000),
    "100,000 levels, not closed": b"[" * 100_000,
    "100,000 objects, not closed": b'{"a":' * 100_000,
    "1,001 keys": _good(metadata={str(number): "x" for number in range(1001)}),
    "a list": json.dumps([GOOD]).encode(),
    "a string": json.dumps(WORD).encode(),
    "a number": b"4242",
    "null": b"null",
    "true": b"true",
}
"""400 `invalid-json`."""

NO_SUBMISSION: dict[str, tuple[bytes, str]] = {
    "an empty object": (b"{}", "/kind"),
    "no kind": (b'{"input": {"message": "x"}}', "/kind"),
    "kind null": (_good(kind=None), "/kind"),
    "kind a list": (_good(kind=["chat"]), "/kind"),
    "a long kind": (_good(kind=WORD * 6), "/kind"),
    "no input": (b'{"kind": "chat"}', "/input"),
    "input null": (_good(input=None), "/input"),
    "input a string": (_good(input=WORD), "/input"),
    "input a list": (_good(input=[{"message": WORD}]), "/input"),
    "input empty": (_good(input={}), "/input"),
    "message empty": (_input(message=""), "/input/message"),
    "message a number": (_input(message=4242), "/input/message"),
    "message null": (_input(message=None), "/input"),
    "message and messages": (_input(messages=[{"role": "user", "content": WORD}]), "/input"),
    "messages empty": (_good(input={"messages": []}), "/input/messages"),
    "messages an object": (_good(input={"messages": {"role": "user"}}), "/input/messages"),
    "a message without role": (_good(input={"messages": [{"content": WORD}]}), "/input/messages/0/role"),
    "another role": (_good(input={"messages": [{"role": WORD, "content": "x"}]}), "/input/messages/0/role"),
    "a message without words": (
        _good(input={"messages": [{"role": "user", "content": "x"}, {"role": "user", "content": ""}]}),
        "/input/messages/1/content",
    ),
    "models empty": (_input(models={}), "/input/models"),
    "an unknown provider": (_input(models={"nobody": WORD}), "/input/models/nobody"),
    "a model without name": (_input(models={"openai": ""}), "/input/models/openai"),
    "system a number": (_input(system=1), "/input/system"),
    "conversation empty": (_input(conversation_id=""), "/input/conversation_id"),
    "conversation with a space": (_input(conversation_id="a b"), "/input/conversation_id"),
    "conversation with a line break": (_input(conversation_id="a\n"), "/input/conversation_id"),
    "conversation long": (_input(conversation_id="x" * 129), "/input/conversation_id"),
    "conversation a number": (_input(conversation_id=7), "/input/conversation_id"),
    "no tokens": (_input(max_output_tokens=0), "/input/max_output_tokens"),
    "half a token": (_input(max_output_tokens=1.5), "/input/max_output_tokens"),
    "an unknown input": (_input(temperature=WORD), "/input/temperature"),
    "an input with a slash and a tilde": (_input(**{"a/b~c": WORD}), "/input/a~1b~0c"),
    "priority below": (_good(priority=-1), "/priority"),
    "priority above": (_good(priority=11), "/priority"),
    "priority a float": (_good(priority=5.5), "/priority"),
    "priority a string": (_good(priority="5"), "/priority"),
    "priority true": (_good(priority=True), "/priority"),
    "priority null": (_good(priority=None), "/priority"),
    "delay negative": (_good(delay=-0.001), "/delay"),
    "delay too long": (_good(delay=366 * 86400 + 1), "/delay"),
    "delay a string": (_good(delay="30"), "/delay"),
    "delay true": (_good(delay=True), "/delay"),
    "run_at no time": (_good(run_at=WORD), "/run_at"),
    "run_at without zone": (_good(run_at="2026-11-21T22:33:05"), "/run_at"),
    "run_at far ahead": (_good(run_at="9999-12-31T23:59:59-23:59"), "/run_at"),
    "run_at beyond time": (_good(run_at=1e300), "/run_at"),
    "run_at a date of no month": (_good(run_at="2026-13-01T00:00:00Z"), "/run_at"),
    "run_at and delay": (_good(run_at="2026-11-21T22:33:05Z", delay=1), "/delay"),
    "subject empty": (_good(subject=""), "/subject"),
    "subject long": (_good(subject="x" * 129), "/subject"),
    "subject a number": (_good(subject=1), "/subject"),
    "metadata a list": (_good(metadata=[WORD]), "/metadata"),
    "metadata null": (_good(metadata=None), "/metadata"),
    "metadata of numbers": (_good(metadata={"a": 1}), "/metadata/a"),
    "metadata nested": (_good(metadata={"a": {"b": WORD}}), "/metadata/a"),
    "33 of metadata": (_good(metadata={str(number): WORD for number in range(33)}), "/metadata"),
    "long metadata": (_good(metadata={"a": "x" * 513}), "/metadata/a"),
    "a long name of metadata": (_good(metadata={"x" * 513: WORD}), "/metadata"),
    "webhook a string": (_good(webhook=WORD), "/webhook"),
    "webhook a list": (_good(webhook=[{"url": WORD}]), "/webhook"),
    "webhook without a URL": (_good(webhook={}), "/webhook/url"),
    "webhook's URL null": (_good(webhook={"url": None}), "/webhook/url"),
    "webhook's URL a number": (_good(webhook={"url": 4242}), "/webhook/url"),
    "webhook's URLs": (_good(webhook={"url": [WORD]}), "/webhook/url"),
    "webhook with a secret": (_good(webhook={"url": "https://example.com", "secret": WORD}), "/webhook/secret"),
    "key empty": (_good(idempotency_key=""), "/idempotency_key"),
    "key long": (_good(idempotency_key="x" * 257), "/idempotency_key"),
    "key a number": (_good(idempotency_key=4242), "/idempotency_key"),
    **{f"a {name} of one's own": (_good(**{name: WORD}), f"/{name}") for name in ("id", "state", "run", "attempt")},
    "an owner of one's own": (_good(max_attempts=99), "/max_attempts"),
}
"""422 `invalid-input`, and where."""
