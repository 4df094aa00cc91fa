"""Reading transcripts: what was said, cut into pieces; and that no text takes longer than its length."""

from collections.abc import Callable

import pytest
from pydantic import ValidationError

from jobs.kinds.transcript_to_journey import PIECE_CHARACTERS, TranscriptInput
from jobs.transcript import LONGEST_CUE_LINE, MOST_CHARACTERS, MOST_CUES, lines_of, pieces_of, trouble_with
from tests.journeys.talk import SRT, SUBTITLES, talk

CUE = "WEBVTT\n\n00:00.000 --> 00:01.000\n"
HOSTILE: dict[str, Callable[[int], str]] = {
    "brackets": lambda size: "<" * size,
    "open voices": lambda size: CUE + ("<v " * 3_000 + "\n") * (size // 9_000),
    "open classes": lambda size: CUE + ("<v." + "a" * 90) * 100 + "\n" + ("<v.a" * 2_000 + "\n") * (size // 8_000),
    "open tags": lambda size: CUE + (("<" + "a" * 199) * 49 + "\n") * (size // 9_801),
    "braces": lambda size: CUE + ("{\\" * 4_900 + "\n") * (size // 9_800),
    "ampersands": lambda size: CUE + ("&" * 9_000 + "\n") * (size // 9_000),
    "entities": lambda size: CUE + ("&#x" + "f" * 4_000 + "\n") * (size // 4_004),
    "spaces": lambda size: " " * (size - 1) + "x",
    "blank lines": lambda size: "\n" * (size - 1) + "x",
    "one word": lambda size: "x" * size,
    "arrows": lambda size: "1\n --> \n" + "-->\n" * min(MOST_CUES - 1, size // 4 - 4),
    "control characters": lambda size: "\x01\u202e" * (size // 2 - 1) + "x",
}


def test_subtitles_are_read_as_what_was_said() -> None:
    """Without times, notes and markup; each speaker is named when it is its turn; nothing is said twice."""
    assert lines_of(SUBTITLES) == ["Ann Lee: Hello & welcome", "to the show.", "Bob: Thanks.", "It is nice here."]
    assert lines_of(SRT) == ["ANN: Hello.", "BOB: Hi!"]


def test_what_is_said_of_notes_styles_and_regions_is_said() -> None:
    """Such a word begins a block of its own only where no cue goes on."""
    said = ["NOTES ARE TAKEN.", "STYLE MATTERS", "TO US."]
    note = "NOTE nobody\nsays this\n\n"

    assert lines_of(f"{CUE}{said[0]}\n\n{note}STYLE\n::cue {{}}\n\n1\n{CUE[8:]}{said[1]}\n{said[2]}\n") == said


def test_a_plain_transcript_is_read_as_it_stands() -> None:
    """A time in it, an arrow or a bracket does not make subtitles of it."""
    text = "Ann: 5 < 6 --> true\n\n00:01 Bob: yes <v nobody>\n"

    assert lines_of(text) == ["Ann: 5 < 6 --> true", "00:01 Bob: yes <v nobody>"]


def test_what_nobody_can_see_is_left_out() -> None:
    """Control characters, and what turns the direction of the rest; letters that join others stay."""
    assert lines_of("a\x00\x1b[31mb\u202ec\u200bd\x85e\u2028f\tg\u200dh\ufeff") == ["a[31mbcd", "e", "f\tg\u200dh"]


def test_the_pieces_are_the_whole_transcript_in_its_order() -> None:
    """Cut between lines, each as long as it may be."""
    lines = talk(40_000).splitlines()

    pieces = pieces_of(lines, most=PIECE_CHARACTERS)

    assert "\n".join(pieces).splitlines() == lines
    assert all(len(piece) <= PIECE_CHARACTERS for piece in pieces)
    assert all(len(piece) > PIECE_CHARACTERS - 200 for piece in pieces[:-1])


@pytest.mark.parametrize("line", ["word " * 50_000 + "word", "x" * 200_000, "x" * 99_999 + " y"])
def test_a_line_that_is_too_long_is_cut_between_words_if_it_has_any(line: str) -> None:
    """And anywhere if it has none."""
    pieces = pieces_of([line], most=PIECE_CHARACTERS)

    assert "".join(pieces).replace(" ", "") == line.replace(" ", "")
    assert all(len(piece) <= PIECE_CHARACTERS for piece in pieces)
    assert not line.startswith("word") or all(piece.endswith("word") for piece in pieces)


@pytest.mark.parametrize(
    ("transcript", "why"),
    [
        ("x" * (MOST_CHARACTERS + 1), "characters"),
        (" \n\t", "no words"),
        (CUE + "x" * (LONGEST_CUE_LINE + 1), "lines"),
        ("WEBVTT\n" + "-->\n" * (MOST_CUES + 1), "cues"),
    ],
    ids=["too long", "blank", "a cue that is no line", "too many cues"],
)
def test_a_transcript_beyond_the_bounds_is_not_taken(transcript: str, why: str) -> None:
    """The reason says which bound, and nothing of the transcript."""
    with pytest.raises(ValidationError, match=why):
        TranscriptInput(transcript=transcript)


@pytest.mark.parametrize("name", HOSTILE)
def test_no_text_takes_longer_to_read_than_its_length(name: str) -> None:
    """The longest that is taken; anything worse than linear in it would go on for hours."""
    text = HOSTILE[name](MOST_CHARACTERS - LONGEST_CUE_LINE)

    assert trouble_with(text) is None
    assert pieces_of(lines_of(text), most=PIECE_CHARACTERS)
