"""How a job looks in a terminal."""

import hashlib
import io

import pytest
from rich.console import Console, RenderableType

from jobstream.answers import Answers
from jobstream.client import Job
from jobstream.figures import Figures
from tests.client.samples import a_job

LONG = " ".join(f"word{number}" for number in range(500))
FAILURE = {"type": "provider-failed", "title": "The provider failed", "detail": "It answers 500."}
DIGEST = hashlib.sha256("hé\U0001f680".encode()).hexdigest()


def job(**parts: dict[str, object]) -> Job:
    return Job.of(a_job(parts=parts))


def drawn(what: RenderableType, *, width: int = 90) -> str:
    output = io.StringIO()
    Console(file=output, width=width, height=50).print(what)
    return output.getvalue()


def test_the_cards_stand_side_by_side() -> None:
    first, *_ = drawn(Answers(job(openai={}, anthropic={}, google={}))).splitlines()

    assert [word for word in first.split() if word.isalpha()] == [
        *("OpenAI", "pending", "Anthropic", "pending", "Google", "pending")
    ]


@pytest.mark.parametrize("width", [20, 50, 80, 200])
def test_cards_are_never_higher_or_wider_than_they_may_be(width: int) -> None:
    lines = drawn(Answers(job(openai={"text": LONG}, google={"text": LONG}), rows=12), width=width).splitlines()

    assert len(lines) <= 12
    assert max(map(len, lines)) <= width


def test_of_a_long_text_the_end_is_shown() -> None:
    cards = drawn(Answers(job(openai={"text": LONG}), rows=10))

    assert "word499" in cards
    assert "word0 " not in cards


def test_without_a_bound_the_whole_text_is_shown() -> None:
    cards = drawn(Answers(job(openai={"text": LONG})))

    assert "word499" in cards
    assert "word0 " in cards


def test_a_text_cannot_move_the_cursor() -> None:
    """What a model writes must not become a command to the terminal."""
    assert "\x1b" not in drawn(Answers(job(openai={"text": "\x1b[2J\x1b]0;title\x07"})))


def test_a_part_that_failed_says_why_below_what_it_wrote() -> None:
    card = drawn(Answers(job(openai={"state": "failed", "text": "Half an", "error": FAILURE})))

    assert card.index("Half an") < card.index("The provider failed: It answers 500.")


@pytest.mark.parametrize(
    ("text", "length", "sha256", "shown"),
    [
        ("hé\U0001f680", 4, DIGEST, "verified"),
        ("he\U0001f680", 4, DIGEST, "differs"),
        ("hé\U0001f680", 3, DIGEST, "differs"),
        ("hé\U0001f680", None, None, "-"),
    ],
)
def test_the_figures_say_whether_a_text_is_the_one_that_was_written(
    text: str, length: int | None, sha256: str | None, shown: str
) -> None:
    figures = Figures(job(openai={"text": text, "length": length, "sha256": sha256}), submitted_at=0)

    (line,) = [line for line in drawn(figures).splitlines() if "OpenAI" in line]

    assert line.split()[-1] == shown
