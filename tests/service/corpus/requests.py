"""Requests that are HTTP and yet wrong, each with the status that tells so. They come with the service secret."""

import gzip
import json
from dataclasses import dataclass, field
from typing import Any

from tests.service.bodies import NO_JSON

WORD = "canary-4242"
"""Stands in bodies and paths; no answer may repeat it."""

UNKNOWN = "x" * 32
JSON = {"Content-Type": "application/json"}
CHAT = b'{"kind": "chat", "input": {"message": "canary-4242"}}'
TOO_LARGE = b'{"kind": "chat", "input": {"message": "' + b"x" * 1024 * 1024 + b'"}}'


@dataclass(frozen=True)
class Bad:
    """One request, and what it is answered; `{job}` in its path is a job that waits, `{ended}` one that has ended."""

    status: int
    method: str
    path: str
    headers: dict[str, str | bytes] = field(default_factory=dict)
    body: bytes = b""


def _get(status: int, path: str, **headers: str | bytes) -> Bad:
    return Bad(status, "GET", path, {name.replace("_", "-"): value for name, value in headers.items()})


def _put(status: int, path: str, body: Any) -> Bad:
    spelled = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Bad(status, "PUT", path, {**JSON}, spelled)


def _post(status: int, path: str, body: Any, headers: dict[str, str | bytes] | None = None) -> Bad:
    spelled = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Bad(status, "POST", path, {**JSON, **(headers or {})}, spelled)


IDS = {
    "short": "x" * 15,
    "long": "x" * 65,
    "very long": "x" * 4000,
    "one letter": "x",
    "a dot": "." * 16,
    "dots": "..",
    "dots, spelled": "%2e%2e",
    "a slash, spelled": "x" * 16 + "%2F" + "y" * 16,
    "a backslash": "x" * 16 + "%5C",
    "a NUL": "x" * 16 + "%00",
    "a NUL alone": "%00",
    "a line break": "x" * 32 + "%0A",
    "a line break before": "%0D%0A" + "x" * 32,
    "a space": "x" * 32 + "%20",
    "a tab": "%09" + "x" * 32,
    "a letter with an accent": "%C3%A9" * 16,
    "an emoji": "%F0%9F%98%80" * 4,
    "a full-width letter": "%EF%BD%98" * 16,
    "an overlong slash": "x" * 16 + "%C0%AF",
    "half a character": "x" * 16 + "%F0%9F",
    "no UTF-8": "%FF%FE" * 16,
    "a surrogate": "%ED%A0%80" * 16,
    "a byte order mark": "%EF%BB%BF" + "x" * 16,
    "writing turned round": "%E2%80%AE" + "x" * 16,
    "percent alone": "x" * 16 + "%",
    "percent and no number": "x" * 16 + "%zz",
    "percent and half a number": "x" * 16 + "%4",
    "percent and a u": "x" * 16 + "%u0041",
    "percent twice": "x" * 16 + "%2500",
    "a star": "*" * 16,
    "a pattern": "[a-z]" * 4,
    "a question, spelled": "%3F" * 16,
    "a hash, spelled": "%23" * 16,
    "braces": "{job_id}" * 2,
    "one of our keys": "js:queue:x:x:x:x",
    "a comma": "x" * 16 + "," + "y" * 16,
    "a semicolon": "x" * 16 + ";a=b",
    "a quote": "x" * 16 + "'--",
    "a script": "%3Cscript%3E" + "x" * 16,
    "Lua": "x" * 16 + "]]..redis.call",
    "a plus": "x" * 16 + "+",
    "an equals": "x" * 16 + "==",
    "a tilde": "~" * 16,
}
"""No job has these: 404, on each way to a job."""

_JOBS = {
    f"{name} as a job, {method} {tail or '/'}": Bad(404, method, f"/v1/jobs/{spelled}{tail}")
    for name, spelled in IDS.items()
    for method, tail in (("GET", ""), ("GET", "/stream"), ("POST", "/cancel"))
}
_OTHER_IDS = {
    **{
        f"{name} as {what}": Bad(404, method, f"/v1/{what}/{spelled}{tail}")
        for name, spelled in IDS.items()
        for method, what, tail in (("GET", "sessions", ""), ("DELETE", "trees", ""), ("POST", "trees", "/preflight"))
    },
    **{
        f"{name} as a new {what}": Bad(404, "PUT", f"/v1/{what}/{IDS[name]}")
        for name in ("a NUL", "a space", "a letter with an accent", "a star", "a line break", "percent twice")
        for what in ("sessions", "trees")
    },
    "an id that is too long": Bad(404, "PUT", f"/v1/sessions/{'x' * 129}"),
    **{
        f"{name} as a conversation, {method}": Bad(404, method, f"/v1/conversations/{spelled}")
        for name, spelled in IDS.items()
        for method in ("GET", "DELETE")
    },
    "a conversation whose id is too long": Bad(404, "GET", f"/v1/conversations/{'x' * 129}"),
    **{f"{name} as an event": Bad(404, "GET", f"/v1/events/{spelled}") for name, spelled in IDS.items()},
    **{
        f"{name} as a dead letter": Bad(404, "DELETE", f"/v1/dead-letters/{spelled}") for name, spelled in IDS.items()
    },
    **{f"{name} on many jobs": Bad(404, "GET", f"/v1/stream?job={spelled}") for name, spelled in IDS.items()},
}

PATHS = {
    f"the path {path[:40]}": Bad(404, "GET", path)
    for path in (
        "/v1", "/v1/", "/v1/jobs/", "/v1/jobs//", "//v1/jobs", "/v1//jobs", "/V1/JOBS", "/v1/jobs/../jobs",
        "/v1/jobs%2Fx", "/%00", "/%2e%2e/%2e%2e/etc/passwd", "/../../etc/passwd", "/.git/config", "/.env", "/docs",
        "/redoc", "/openapi.yaml", "/server-status", "/web/app.js", "/v2/jobs", f"/v1/jobs/{UNKNOWN}/", "/v1/jobs;x",
        f"/v1/jobs/{UNKNOWN}/stream/", f"/v1/jobs/{UNKNOWN}/nothing", "/healthz/", "/" + "x" * 8000, "/*",
        "/healthz%00", "/%C0%AE%C0%AE/", "/healthz;jsessionid=1", "/v1/sessions",
    )
}  # fmt: skip

METHODS = {
    f"{method} {path}": Bad(405, method, path)
    for path, methods in {
        "/v1/jobs": ("PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "PROPFIND"),
        f"/v1/jobs/{UNKNOWN}": ("POST", "PUT", "PATCH"),
        f"/v1/jobs/{UNKNOWN}/cancel": ("GET", "PUT", "DELETE"),
        f"/v1/jobs/{UNKNOWN}/retry": ("GET",),
        f"/v1/jobs/{UNKNOWN}/token": ("GET",),
        f"/v1/jobs/{UNKNOWN}/stream": ("POST",),
        "/v1/stream": ("POST", "DELETE"),
        "/v1/tokens": ("GET",),
        "/v1/session": ("GET",),
        "/v1/subjects/one": ("GET",),
        "/v1/subjects/": ("GET",),
        "/v1/kinds": ("POST", "PURGE"),
        "/v1/dead-letters": ("PUT",),
        "/v1/conversations": ("POST", "PUT", "DELETE"),
        "/v1/conversations/x": ("POST", "PUT", "PATCH"),
        "/v1/sessions/x": ("POST", "PATCH"),
        "/v1/sessions/x/messages": ("GET", "PUT", "DELETE"),
        "/v1/trees/x": ("POST",),
        "/v1/trees/x/preflight": ("GET",),
        "/healthz": ("TRACE", "POST", "DELETE"),
    }.items()
    for method in methods
}

CURSORS = {
    "a word": "x",
    "one number": "1",
    "no number": "1-",
    "no time": "-1",
    "three numbers": "1-2-3",
    "spaces": "1%20-%202",
    "a plus": "%2B1-2",
    "less than nothing": "-1--2",
    "a fraction": "1.0-2",
    "an exponent": "1e3-2",
    "hexadecimal": "0x1-2",
    "an underscore": "1_0-2",
    "Arabic digits": "%D9%A1-%D9%A2",
    "full-width digits": "%EF%BC%91-%EF%BC%92",
    "a superscript": "%C2%B9-%C2%B2",
    "a line break after": "1-2%0A",
    "a NUL after": "1-2%00",
    "a long time": "9" * 30 + "-1",
    "a long number": "1-" + "9" * 30,
    "a very long one": "1" * 4000 + "-1",
    "no number at all": "NaN-NaN",
    "nothing, in words": "null",
    "one of many jobs": "m.AAAA",
    "a comma": "1,2",
    "no UTF-8": "%FF-%FE",
    "a star": "*",
    "the store's own": "%2B",
    "the store's newest": "$",
}
COMPOUND_CURSORS = {
    "one of a single job": "1-2",
    "another case": "M.AAAAAAEAAAAA",
    "no base64": "m.!!!!",
    "half base64": "m.A",
    "cut short": "m.AAAA",
    "cut in its check": "m.AAAAAAEAAA",
    "an endless number": "m.AAAAAP__________________________",
    "a number beyond all": "m.AAAAAICAgICAgICAgICAgAEAAAAA",
    "spaces": "m.AA%20AA",
    "the other alphabet": "m.%2B%2B%2B%2F",
    "too long": "m." + "A" * 600,
    "no UTF-8": "m.%FF",
    "a NUL": "m.AAAA%00",
    "a letter with an accent": "m.%C3%A9",
}

PLACES = {
    **{f"after {name}": Bad(400, "GET", f"/v1/jobs/{{job}}/stream?after={word}") for name, word in CURSORS.items()},
    **{
        f"the log after {name}": Bad(400, "GET", f"/v1/jobs/{{job}}/updates?after={word}")
        for name, word in CURSORS.items()
    },
    **{
        f"Last-Event-ID {name}": _get(400, "/v1/jobs/{job}/stream", Last_Event_ID=word)
        for name, word in CURSORS.items()
        if "%" not in word
    },
    **{
        f"many jobs after {name}": Bad(400, "GET", f"/v1/stream?job={{job}}&after={word}")
        for name, word in COMPOUND_CURSORS.items()
    },
    "Last-Event-ID no ASCII": _get(400, "/v1/jobs/{job}/stream", Last_Event_ID=b"\xff\xfe"),
    "Last-Event-ID not ASCII on many jobs": _get(400, "/v1/stream?job={job}", Last_Event_ID=b"m.\xe9"),
    "jobs before no place": _get(400, "/v1/jobs?cursor=nonsense"),
    "jobs before a NUL": _get(400, "/v1/jobs?cursor=1%00-x"),
    "jobs before Arabic digits": _get(400, "/v1/jobs?cursor=%D9%A1-x"),
    "jobs before a long time": _get(400, f"/v1/jobs?cursor={'9' * 30}-x"),
    "conversations before no place": _get(400, "/v1/conversations?cursor=nonsense"),
    "conversations before Arabic digits": _get(400, "/v1/conversations?cursor=%D9%A1-x"),
    "dead letters before no place": _get(400, "/v1/dead-letters?cursor=nonsense"),
    "dead letters before a superscript": _get(400, "/v1/dead-letters?cursor=%C2%B9-x"),
}  # fmt: skip

QUERIES = {
    **{
        f"{path} with the limit {limit}": Bad(422, "GET", f"{path}?limit={limit}")
        for path in ("/v1/jobs", "/v1/dead-letters", "/v1/conversations", "/v1/jobs/{job}/updates")
        for limit in ("0", "-1", "1001", "x", "1.5", "1e3", "", "NaN", "9" * 30, "0x10", "%00", "true")
    },
    "conversations of a long subject": _get(422, f"/v1/conversations?subject={'x' * 129}"),
    "conversations of a subject without a name": _get(422, "/v1/conversations?subject="),
    "an unknown state": _get(422, "/v1/jobs?state=happy"),
    "no state": _get(422, "/v1/jobs?state="),
    "a long kind": _get(422, f"/v1/jobs?kind={'x' * 65}"),
    "a long place": _get(422, f"/v1/jobs?cursor={'1' * 129}"),
    "another group": _get(422, "/v1/dead-letters?group=kind"),
    "perhaps a worker": _get(422, "/readyz?worker=perhaps"),
    "a stream of no job": _get(400, "/v1/stream"),
    "a stream of 33 jobs": _get(400, "/v1/stream?" + "&".join(f"job={number:032}" for number in range(33))),
    "a job without a name": _get(404, "/v1/stream?job="),
    "a stream of nothing but separators": _get(400, "/v1/stream?&&&;;;=&="),
    "a huge query": _get(404, f"/v1/jobs/{UNKNOWN}?{'a=b&' * 3000}"),
    "a query of no UTF-8": _get(404, f"/v1/jobs/{UNKNOWN}/stream?after=&%FF%FE=%C0"),
    "a subject without a name": Bad(422, "DELETE", "/v1/subjects/"),
    "a long subject": Bad(422, "DELETE", f"/v1/subjects/{'x' * 129}"),
    "a session of a subject without a name": _get(422, "/v1/sessions/x?subject="),
    "a tree of a long subject": _get(422, f"/v1/trees/x?subject={'x' * 129}"),
}

HEADERS: dict[str, Bad] = {
    **{
        f"the type {media_type or 'of nothing'}": Bad(415, "POST", "/v1/jobs", {"Content-Type": media_type}, CHAT)
        for media_type in (
            "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp",
            "application/json, text/plain", "application/vnd.api+json", "application/xml", "text/json", "json", "*/*",
            "", ";", "application", "application/", "/json", "application/json\t/x", "application /json",
        )
    },
    "no type": Bad(415, "POST", "/v1/jobs", {}, CHAT),
    "a type that is not ASCII": Bad(415, "POST", "/v1/jobs", {"Content-Type": b"application/\xffjson"}, CHAT),
    "a body in gzip": _post(400, "/v1/jobs", gzip.compress(CHAT), {"Content-Encoding": "gzip"}),
    "a key of nothing": _post(422, "/v1/jobs", CHAT, {"Idempotency-Key": ""}),
    "a long key": _post(422, "/v1/jobs", CHAT, {"Idempotency-Key": "x" * 257}),
    "a key of nothing for an event": _post(422, "/v1/events", {"name": "x"}, {"Idempotency-Key": ""}),
    "two keys": _post(400, "/v1/jobs", CHAT[:-1] + b', "idempotency_key": "a"}', {"Idempotency-Key": "b"}),
    "a wrong secret": _get(401, "/v1/kinds", Authorization="Bearer " + WORD),
    "a secret that is not ASCII": _get(401, "/v1/kinds", Authorization=b"Bearer \xff\xfe"),
    "half a token": _get(401, "/v1/kinds", Authorization="Bearer eyJhbGciOiJIUzI1NiJ9.e30."),
    "a cookie of nonsense": _get(401, "/v1/kinds", Authorization="", Cookie="=;=;;\"\\;__Host-jobstream"),
    "a cookie that is not ASCII": _get(
        401, "/v1/kinds", Authorization="", Cookie=b"__Host-jobstream=\xff\xfe", Sec_Fetch_Site="same-origin"
    ),
    "an operator's cookie that is not ASCII": _get(
        401,
        "/v1/stream?job=x",
        Authorization="",
        Cookie=b"__Host-jobstream-operator=\xff",
        Sec_Fetch_Site="same-origin",
    ),
    "a token that is not ASCII": _get(401, "/v1/stream?job={job}&token=%FF", Authorization=""),
    "33 tokens": _get(400, "/v1/stream?job={job}" + "&token=x" * 33, Authorization=""),
    "an origin that is no URL": _post(403, "/v1/jobs", CHAT, {"Origin": "http://["}),
    "an origin that is not ASCII": _post(403, "/v1/jobs", CHAT, {"Origin": b"http://\xff"}),
    "a site of no name": _post(403, "/v1/jobs", CHAT, {"Sec-Fetch-Site": "?"}),
}  # fmt: skip

_RETRY = "/v1/jobs/{ended}/retry"

_TOKENS: dict[str, dict[str, object]] = {
    "subject empty": {"subject": ""},
    "subject long": {"subject": "x" * 129},
    "subject null": {"subject": None},
    "subject a number": {"subject": 1},
    "no scopes": {"scopes": []},
    "scopes null": {"scopes": None},
    "scopes a string": {"scopes": "read"},
    "an unknown scope": {"scopes": ["read", "write"]},
    "a scope of everything": {"scopes": ["submit:*"]},
    "a scope of nothing": {"scopes": ["submit:"]},
    "a scope in capitals": {"scopes": ["READ"]},
    "a scope with a line break": {"scopes": ["read\n"]},
    "the operator's scope": {"scopes": ["operator"]},
    "65 scopes": {"scopes": ["read"] * 65},
    "no time": {"ttl": 0},
    "less than no time": {"ttl": -1},
    "more than a day": {"ttl": 86401},
    "a time in words": {"ttl": "900"},
    "half a second": {"ttl": 0.5},
    "time true": {"ttl": True},
    "an audience": {"aud": "operator"},
}

_SAID = {"role": "user", "content": WORD}

_SESSIONS: dict[str, object] = {
    "nothing": {},
    "no messages": {"messages": []},
    "messages null": {"messages": None},
    "messages an object": {"messages": _SAID},
    "a message of a word": {"messages": [WORD]},
    "a message without role": {"messages": [{"content": WORD}]},
    "a role of nothing": {"messages": [_SAID | {"role": ""}]},
    "a long role": {"messages": [_SAID | {"role": "x" * 65}]},
    "a message without content": {"messages": [{"role": "user"}]},
    "content empty": {"messages": [_SAID, _SAID | {"content": ""}]},
    "content null": {"messages": [_SAID | {"content": None}]},
    "content a list": {"messages": [_SAID | {"content": [WORD]}]},
    "a time in words": {"messages": [_SAID | {"at": WORD}]},
    "a time without zone": {"messages": [_SAID | {"at": "2026-11-21T22:33:05"}]},
    "a time before the first year": {"messages": [_SAID | {"at": "0001-01-01T00:00:00+14:00"}]},
    "a time after the last year": {"messages": [_SAID | {"at": "9999-12-31T23:59:59-14:00"}]},
    "a message with more": {"messages": [_SAID | {"more": WORD}]},
    "20,001 messages": {"messages": [{"role": "u", "content": "x"}] * 20_001},
    "a summary of one's own": {"messages": [_SAID], "summary": WORD},
    "a hash of one's own": {"messages": [_SAID], "content_hash": WORD},
}

_TREES: dict[str, object] = {
    "nothing": {},
    "sessions null": {"session_ids": None},
    "sessions a string": {"session_ids": WORD},
    "a session of a number": {"session_ids": [1]},
    "a session without a name": {"session_ids": [""]},
    "a session with a slash": {"session_ids": ["a/b"]},
    "a session with a line break": {"session_ids": ["a\n"]},
    "a session with a long name": {"session_ids": ["x" * 129]},
    "a session twice": {"session_ids": ["a", "b", "a"]},
    "2,001 sessions": {"session_ids": [str(number) for number in range(2001)]},
    "a summary of one's own": {"session_ids": [], "high_level_summary": WORD},
}

BODIES: dict[str, Bad] = {
    **{f"{name} as a session": _put(400, "/v1/sessions/x", body) for name, body in NO_JSON.items()},
    **{f"{name} as a tree": _put(400, "/v1/trees/x", body) for name, body in NO_JSON.items()},
    **{f"a session with {name}": _put(422, "/v1/sessions/x", body) for name, body in _SESSIONS.items()},
    **{f"{name}, appended": _post(422, "/v1/sessions/x/messages", body) for name, body in _SESSIONS.items()},
    **{f"a tree with {name}": _put(422, "/v1/trees/x", body) for name, body in _TREES.items()},
    "a session in a tree with a space": _put(422, "/v1/sessions/x", {"messages": [_SAID], "tree_id": "a b"}),
    "a session in a tree without a name": _put(422, "/v1/sessions/x", {"messages": [_SAID], "tree_id": ""}),
    "a tree, appended": _post(422, "/v1/sessions/x/messages", {"messages": [_SAID], "tree_id": "t"}),
    "more of a session that is not there": _post(404, "/v1/sessions/x/messages", {"messages": [_SAID]}),
    "a session as a form": Bad(415, "PUT", "/v1/sessions/x", {"Content-Type": "text/plain"}, b"{}"),
    "a tree too large": _put(413, "/v1/trees/x", TOO_LARGE),
    **{f"{name} as an event": _post(400, "/v1/events", body) for name, body in NO_JSON.items()},
    **{f"{name} as a token": _post(400, "/v1/tokens", body) for name, body in NO_JSON.items()},
    **{f"{name} as a retry": _post(400, _RETRY, body) for name, body in NO_JSON.items() if body},
    **{
        f"an event with {name}": _post(422, "/v1/events", body)
        for name, body in {
            "nothing": {},
            "no name": {"data": {}},
            "name empty": {"name": ""},
            "name null": {"name": None},
            "name a list": {"name": ["x"]},
            "a name of spaces": {"name": "a b"},
            "a name with a line break": {"name": "a\n"},
            "a name with an accent": {"name": "é"},
            "a long name": {"name": "x" * 129},
            "data a list": {"name": "x", "data": []},
            "data a string": {"name": "x", "data": WORD},
            "data null": {"name": "x", "data": None},
            "more": {"name": "x", "more": WORD},
            "an id": {"name": "x", "event_id": WORD},
            "depth": {"name": "x", "depth": 0},
            "priority above": {"name": "x", "priority": 11},
            "delay negative": {"name": "x", "delay": -1},
            "run_at and delay": {"name": "x", "delay": 1, "run_at": "2026-11-21T22:33:05Z"},
            "subject empty": {"name": "x", "subject": ""},
            "key empty": {"name": "x", "idempotency_key": ""},
        }.items()
    },
    **{
        f"a token with {name}": _post(422, "/v1/tokens", {"subject": "one", "scopes": ["read"]} | body)
        for name, body in _TOKENS.items()
    },
    **{
        f"a retry with {name}": _post(status, _RETRY, body)
        for name, (status, body) in {
            "parts of nothing": (422, {"parts": []}),
            "parts a string": (422, {"parts": "openai"}),
            "parts of numbers": (422, {"parts": [1]}),
            "an unknown part": (422, {"parts": [WORD]}),
            "a part with a comma": (422, {"parts": ["openai,anthropic"]}),
            "a long part": (422, {"parts": ["x" * 65]}),
            "an unknown start": (422, {"from": "middle"}),
            "the other name of it": (422, {"from_": "start"}),
            "parts and start": (400, {"parts": ["openai"], "from": "start"}),
            "more": (422, {"more": WORD}),
        }.items()
    },
    "a retry as a form": Bad(415, "POST", _RETRY, {"Content-Type": "text/plain"}, b"{}"),
    "a retry of what goes on": _post(409, "/v1/jobs/{job}/retry", {}),
    "the end of what goes on": Bad(409, "DELETE", "/v1/jobs/{job}"),
    "too large": _post(413, "/v1/jobs", TOO_LARGE),
    "a webhook inside": _post(422, "/v1/jobs", CHAT[:-1] + b', "webhook": {"url": "https://10.0.0.1/canary-4242"}}'),
    "a webhook that nothing signs": _post(
        500, "/v1/jobs", CHAT[:-1] + b', "webhook": {"url": "https://example.com/canary-4242"}}'
    ),
    "an event too large": _post(413, "/v1/events", TOO_LARGE),
    "a retry too large": _post(413, _RETRY, TOO_LARGE),
}

REQUESTS: dict[str, Bad] = {
    **_JOBS, **_OTHER_IDS, **PATHS, **METHODS, **PLACES, **QUERIES, **HEADERS, **BODIES,
}  # fmt: skip
