"""A secret is hidden wherever it stands and however it is spelled there; what is no secret stays readable."""

import base64
import json
from collections.abc import Callable, Mapping
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.redaction import HIDDEN, LONGEST, Redactor, secrets_among

SECRET = 'can/ary+"ü\\99'
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SECRETS = st.text(st.characters(exclude_categories=["Cs"]), min_size=8, max_size=40)

SPELLINGS: Mapping[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON beyond ASCII": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "JSON in JSON": lambda text: json.dumps(json.dumps(text))[3:-3],
    "repr": lambda text: repr(text)[1:-1],
    "repr of bytes": lambda text: repr(text.encode())[2:-1],
    "repr of JSON's bytes": lambda text: repr(json.dumps(text).encode())[3:-2],
    "in a path": quote,
    "in a query": quote_plus,
    "quoted twice": lambda text: quote(quote(text, safe=""), safe=""),
    "hexadecimal": lambda text: text.encode().hex(),
}


@pytest.mark.parametrize("spelled", SPELLINGS.values(), ids=SPELLINGS)
@settings(deadline=None)
@given(secret=SECRETS, before=WORDS, after=WORDS)
def test_no_spelling_of_a_secret_gets_through(
    spelled: Callable[[str], str], secret: str, before: str, after: str
) -> None:
    """Whatever stands before and after it."""
    said = Redactor([secret]).text(f"{before}{spelled(secret)}{after}")

    assert spelled(secret) not in said.replace(HIDDEN, "\0")


@settings(deadline=None)
@given(secret=SECRETS, user=st.text(st.characters(codec="ascii", categories=["L", "N"]), max_size=12))
def test_basic_authentication_with_a_secret_does_not_get_through(secret: str, user: str) -> None:
    """Neither by its name nor by itself, in either of base64's alphabets."""
    pair = f"{user}:{secret}".encode()
    redactor = Redactor([secret])

    for encoded in (base64.b64encode(pair).decode(), base64.urlsafe_b64encode(pair).decode()):
        for said in (redactor.text(f"Authorization: Basic {encoded}"), redactor.text(f"sent {encoded} to it")):
            assert [at for at in range(len(encoded) - 11) if encoded[at : at + 12] in said] == []


@settings(deadline=None)
@given(secret=SECRETS)
def test_a_secret_is_hidden_wherever_in_a_record_it_stands(secret: str) -> None:
    """In bytes, in keys, in lists, in what is none of JSON's types."""
    record = {"a": [secret, {"b": (secret,)}], "c": secret.encode(), secret: 1, "d": ValueError(secret), "e": None}

    said = json.dumps(Redactor([secret]).value(record), ensure_ascii=False)

    for spelled in SPELLINGS.values():
        assert spelled(secret) not in said.replace(HIDDEN, "\0")


LOOKS = {
    "a token": "Authorization: Bearer abc.def~ghi",
    "a key of OpenAI's": "key sk-proj-abcdef_ghi was refused",
    "a key of Anthropic's": "sk-ant-api03-abcdefghij",
    "a key of Google's": "?AIzaSyAbCdEfGhIjKlMnOp",
    "a signed token": "eyJhbGciOiJI.eyJzdWIiOiJ1.c2lnbmF0dXJl",
    "a webhook's secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "a password in an address": "postgresql://app:hunter2hunter2@db/warehouse",
    "a token in a query": "GET /v1/jobs/1/stream?token=abcdefgh&after=1",
    "a signature in a query": "X-Amz-Credential=AKIA/x&X-Amz-Signature=abcdef0123",
    "a header of bytes": "[(b'x-api-key', b'abcdefgh')]",
    "a cookie": "cookie: __Host-jobstream=abcdefgh; other=abc",
    "a member of JSON": '{"password": "hunter2hunter2"}',
}
SIGNS = ("abc", "hunter2", "AbCd", "c2lnb", "MfKQ", "AKIA")


@pytest.mark.parametrize("text", LOOKS.values(), ids=LOOKS)
def test_what_looks_like_a_secret_is_hidden_though_nobody_named_it(text: str) -> None:
    said = Redactor().text(text)

    assert HIDDEN in said
    assert [sign for sign in SIGNS if sign in said] == []


@pytest.mark.parametrize(
    "text",
    ["request", "/v1/jobs/8J2kqLsP/stream", "OpenAI failed; check its key", "http://127.0.0.1:8888", "123.4 s"],
)
def test_what_is_no_secret_stays_as_it_is(text: str) -> None:
    assert Redactor([SECRET]).text(text) == text


def test_nothing_that_is_said_can_move_a_cursor_or_begin_a_line() -> None:
    hostile = "ok\r\n\x1b[2J\x9b31m\u2028\u202e{}\x00"

    assert Redactor().text(hostile).isprintable()
    assert "\x1b[2J" not in Redactor().text("a\nb\x1b[2J", lines=True)
    assert "a\nb" in Redactor().text("a\nb\x1b[2J", lines=True)


def test_what_is_too_long_is_cut_and_no_secret_is_left_at_the_cut() -> None:
    said = Redactor([SECRET]).text("x" * (LONGEST - 20) + SECRET * 1000)

    assert len(said) == LONGEST
    assert SECRET[:4] not in said


def test_secrets_are_found_by_their_names_and_in_addresses() -> None:
    """Both of two, while one is rotated for the other; nothing so short that it would be found in ordinary words."""
    variables = {
        "BACKGROUND_FUNCTION_AUTH_TOKEN": "first-secret,second-secret",
        "OPENAI_API_KEY": "third-secret",
        "PGPASSWORD": "fourth-secret",
        "REDIS_URL": "rediss://user:fifth%2Fsecret@store/0",
        "JOBSTREAM_CONNECTION_LAKE": "s3://bucket?secret=sixth-secret",
        "SENTRY_DSN": "https://seventh-secret@sentry.example.com/1",
        "JOBSTREAM_TOKEN": "short",
        "PATH": "/usr/bin:/usr/local/bin",
        "PWD": "/home/somebody",
    }

    found = secrets_among(variables)

    assert {"first-secret", "second-secret", "third-secret", "fourth-secret", "fifth/secret"} < found
    assert {"sixth-secret", "seventh-secret"} < found
    assert found.isdisjoint({"short", variables["PATH"], variables["PWD"]})


@pytest.mark.parametrize("piece", ["a-", "Ab0+", "\\", "a://", "eyJ", 'token":"', "%25", "api-key,", "x=", SECRET])
def test_no_text_takes_an_age_to_look_through(piece: str) -> None:
    """A row of the pieces of a pattern: were the time to look at it to grow with its square, this would not end."""
    assert len(Redactor([SECRET]).text(piece * 200_000)) <= LONGEST
