"""What a client may not say on an open WebSocket of many jobs, and the code that the server closes it with."""

import json

TEXT, BINARY, CLOSE, PING = 0x1, 0x2, 0x8, 0x9
FINAL, COMPRESSED, MASKED = 0x80, 0x40, 0x80
_MASK = b"\x01\x02\x03\x04"

MALFORMED, PROTOCOL_ERROR, NO_UTF8, TOO_LARGE = 4400, 1002, 1007, 1009


def frame(payload: bytes, *, opcode: int = TEXT, flags: int = FINAL, mask: int = MASKED) -> bytes:
    """One frame as it goes over the wire; a client's is masked, or it is wrong."""
    size = len(payload)
    if size < 126:
        head = bytes([flags | opcode, mask | size])
    elif size < 65536:
        head = bytes([flags | opcode, mask | 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([flags | opcode, mask | 127]) + size.to_bytes(8, "big")
    if not mask:
        return head + payload
    return head + _MASK + bytes(byte ^ _MASK[at % 4] for at, byte in enumerate(payload))


def _said(value: object) -> bytes:
    return frame(json.dumps(value).encode())


CLOSING: dict[str, tuple[bytes, int]] = {
    **{
        f"the text {text[:30]!r}": (frame(text.encode()), MALFORMED)
        for text in (
            "", " ", "x", "ping", "{", "{}", "[]", "null", "true", "1", '"ping"', "{op: ping}", "{'op': 'ping'}",
            '{"op": "ping"} x', '{"op": "ping"}{"op": "ping"}', '{"op": "ping",}', '{"op": NaN}',
            '{"op": "p\\u0000ing"}', '{"op": "\\ud800"}',
            "\ufeff" + '{"op": "ping"}', "[" * 60_000, '{"op":' * 10_000,
        )
    },
    "no op": (_said({"job": "x"}), MALFORMED),
    "op null": (_said({"op": None}), MALFORMED),
    "op a number": (_said({"op": 1}), MALFORMED),
    "op a list": (_said({"op": ["ping"]}), MALFORMED),
    "an unknown op": (_said({"op": "fly"}), MALFORMED),
    "op in capitals": (_said({"op": "PING"}), MALFORMED),
    "a list of ops": (_said([{"op": "ping"}]), MALFORMED),
    "a ping with more": (_said({"op": "ping", "more": 1}), MALFORMED),
    "a subscription to nothing": (_said({"op": "subscribe"}), MALFORMED),
    "a subscription to null": (_said({"op": "subscribe", "job": None}), MALFORMED),
    "a subscription to a number": (_said({"op": "subscribe", "job": 1}), MALFORMED),
    "a subscription to a list": (_said({"op": "subscribe", "job": ["x"]}), MALFORMED),
    "a place that is a number": (_said({"op": "subscribe", "job": "x", "after": 1}), MALFORMED),
    "a token that is a number": (_said({"op": "subscribe", "job": "x", "token": 1}), MALFORMED),
    "a subscription with more": (_said({"op": "subscribe", "job": "x", "more": 1}), MALFORMED),
    "an end of no subscription": (_said({"op": "unsubscribe"}), MALFORMED),
    "a cancel of nothing": (_said({"op": "cancel"}), MALFORMED),
    "bytes": (frame(b'{"op": "ping"}', opcode=BINARY), MALFORMED),
    "no bytes": (frame(b"", opcode=BINARY), MALFORMED),
    "no UTF-8": (frame(b"\xff\xfe"), NO_UTF8),
    "a surrogate": (frame(b'{"op": "\xed\xa0\x80"}'), NO_UTF8),
    "half a character at the end": (frame(b"\xf0\x9f"), NO_UTF8),
    "too large": (frame(b"x" * (64 * 1024 + 1)), TOO_LARGE),
    "too large in pieces": (
        frame(b"x" * 60_000, flags=0) + frame(b"x" * 60_000, opcode=0),
        TOO_LARGE,
    ),
    "a length beyond all": (bytes([FINAL | TEXT, MASKED | 127]) + b"\x7f" + b"\xff" * 7, TOO_LARGE),
    "a length below nothing": (bytes([FINAL | TEXT, MASKED | 127]) + b"\xff" * 8, TOO_LARGE),
    "not masked": (frame(b'{"op": "ping"}', mask=0), PROTOCOL_ERROR),
    "compressed": (frame(b'{"op": "ping"}', flags=FINAL | COMPRESSED), PROTOCOL_ERROR),
    "another extension": (frame(b'{"op": "ping"}', flags=FINAL | 0x20), PROTOCOL_ERROR),
    "an unknown kind of frame": (frame(b"x", opcode=0x3), PROTOCOL_ERROR),
    "an unknown kind of control": (frame(b"x", opcode=0xB), PROTOCOL_ERROR),
    "a control frame in pieces": (frame(b"x", opcode=PING, flags=0), PROTOCOL_ERROR),
    "a long control frame": (frame(b"x" * 126, opcode=PING), PROTOCOL_ERROR),
    "an end without a beginning": (frame(b"x", opcode=0), PROTOCOL_ERROR),
    "a beginning in the middle": (frame(b"x", flags=0) + frame(b"y"), PROTOCOL_ERROR),
    "half a close": (frame(b"\x03", opcode=CLOSE), PROTOCOL_ERROR),
    "a close with a code of no meaning": (frame((999).to_bytes(2, "big"), opcode=CLOSE), PROTOCOL_ERROR),
    "a close with a word of no UTF-8": (frame((1000).to_bytes(2, "big") + b"\xff", opcode=CLOSE), NO_UTF8),
    "no WebSocket": (b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", PROTOCOL_ERROR),
}  # fmt: skip

REFUSED: dict[str, tuple[object, str]] = {
    "an unknown job": ({"op": "subscribe", "job": "x" * 32}, "job-not-found"),
    "no job": ({"op": "subscribe", "job": ""}, "job-not-found"),
    "a job with a NUL": ({"op": "subscribe", "job": "x" * 16 + "\x00"}, "job-not-found"),
    "a pattern": ({"op": "subscribe", "job": "*" * 16}, "job-not-found"),
    "a long name": ({"op": "subscribe", "job": "x" * 129}, "job-not-found"),
    "a long place": ({"op": "subscribe", "job": "x" * 32, "after": "1" * 65}, "invalid-cursor"),
    "a long token": ({"op": "subscribe", "job": "x" * 32, "token": "x" * 4097}, "unauthorized"),
    "a place that is none": ({"op": "subscribe", "job": "x" * 32, "after": "nonsense"}, "invalid-cursor"),
    "a place of many jobs": ({"op": "subscribe", "job": "x" * 32, "after": "m.AAAA"}, "invalid-cursor"),
    "a wrong token": ({"op": "subscribe", "job": "x" * 32, "token": "wrong"}, "unauthorized"),
    "a token that is not ASCII": ({"op": "subscribe", "job": "x" * 32, "token": "é"}, "unauthorized"),
    "a cancel of an unknown job": ({"op": "cancel", "job": "x" * 32}, "job-not-found"),
}
"""Ops that are refused, each by a problem of this name; the connection and its other jobs go on."""
