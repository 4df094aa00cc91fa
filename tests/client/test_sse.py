"""What the parser of server-sent events makes of a stream."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobstream.client.errors import NotUnderstood
from jobstream.client.sse import Event, EventParser

STREAM = (
    '\ufeffretry: 1500\n\n: a comment\n\nid: 17-1\nevent: delta\ndata: {"text": "h\u00e9 \U0001f680"}\n\n'
    "data:no space\ndata: two lines\n\nevent: ping\ndata: {}\n\nid: lost\n\nid: cut"
)
EVENTS = [
    Event("delta", '{"text": "hé \U0001f680"}', "17-1"),
    Event("message", "no space\ntwo lines", None),
    Event("ping", "{}", None),
]


def parsed(*chunks: bytes) -> list[Event]:
    parser = EventParser(retry_ms=1000)
    return [event for chunk in chunks for event in parser.feed(chunk)]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_every_line_ending_of_the_standard_ends_a_line(ending: str) -> None:
    assert parsed(STREAM.replace("\n", ending).encode()) == EVENTS


@given(st.sampled_from(["\n", "\r\n"]), st.lists(st.integers(0, len(STREAM.encode()) + 20)))
def test_it_does_not_matter_where_the_bytes_are_cut(ending: str, places: list[int]) -> None:
    whole = STREAM.replace("\n", ending).encode()
    cuts = [0, *sorted(places), len(whole)]

    assert parsed(*(whole[start:end] for start, end in pairwise(cuts))) == EVENTS


def test_an_event_is_given_as_soon_as_it_is_whole() -> None:
    parser = EventParser(retry_ms=1000)

    assert list(parser.feed(b"data: 1\n")) == []
    assert list(parser.feed(b"\n")) == [Event("message", "1", None)]


def test_the_server_says_how_long_to_stay_away() -> None:
    parser = EventParser(retry_ms=1000)
    list(parser.feed(b"retry: soon\n\n"))
    before = parser.retry_ms

    list(parser.feed(b"retry: 1500\n\n"))

    assert (before, parser.retry_ms) == (1000, 1500)


def test_an_id_with_a_nul_is_none() -> None:
    assert parsed(b"id: 1\x002\ndata: x\n\n") == [Event("message", "x", None)]


def test_an_event_without_an_end_is_given_up_before_the_memory_is() -> None:
    parser = EventParser(retry_ms=1000, most_characters=10)
    list(parser.feed(b"data: 1234"))

    with pytest.raises(NotUnderstood):
        list(parser.feed(b"5"))
