"""What the sandbox says."""

import os
import subprocess
import sys

import pytest

from sandbox.answer import answer_to, text_for
from sandbox.cadence import waits
from sandbox.draw import deal, digest, pick
from sandbox.question import Provider, Question, Turn

PROVIDERS: tuple[Provider, ...] = ("openai", "anthropic", "google")
SHORT_PROMPTS = [
    "Hi",
    "Explain how garbage collection works in Python, please.",
    "Write a haiku about the sea and the moon",
    "Was spricht für erneuerbare Energien in Städten?",
    "なぜ空は青いのですか",
    "Compare PostgreSQL, MongoDB and SQLite for a small team: cost, speed, backups, hosting, migrations.",
]
LONG_PROMPT = "Summarize this transcript. " + "The customer opened the ticket about billing on Monday. " * 300


def _question(provider: Provider, prompt: str) -> Question:
    return Question(provider=provider, model="m", turns=(Turn("user", prompt),), streamed=True)


@pytest.fixture(params=PROVIDERS)
def provider(request: pytest.FixtureRequest) -> Provider:
    provider: Provider = request.param
    return provider


def test_draws_are_the_same_in_every_version() -> None:
    assert digest("a", 1) == "839e11a421d370be28db56fde67e9aadde2f31514becf2626b521ea3b9009ef4"
    assert pick("abcdefgh", "seed") == "b"
    assert deal("abc", 5, "seed") == list("abcab")


def test_another_process_says_the_same(provider: Provider) -> None:
    code = f"from sandbox.answer import text_for; print(ascii(text_for({provider!r}, 'Tell me a story')))"
    environment = {**os.environ, "PYTHONHASHSEED": "4711"}

    told = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True)

    assert told.stdout.decode().strip() == ascii(text_for(provider, "Tell me a story"))


@pytest.mark.parametrize("prompt", SHORT_PROMPTS)
def test_the_three_providers_use_different_words(prompt: str) -> None:
    texts = [set(text_for(provider, prompt).split("\n")) - {""} for provider in PROVIDERS]

    assert not texts[0] & texts[1]
    assert not texts[0] & texts[2]
    assert not texts[1] & texts[2]


@pytest.mark.parametrize("prompt", SHORT_PROMPTS)
def test_a_text_is_of_a_readable_length_and_not_of_ascii_alone(provider: Provider, prompt: str) -> None:
    text = text_for(provider, prompt)

    assert 60 <= len(text.split()) <= 160
    assert not text.isascii()


def test_a_text_has_characters_that_are_two_units_in_utf_16() -> None:
    text = text_for("google", "Hi")

    assert len(text.encode("utf-16-le")) // 2 > len(text)


def test_a_text_refers_to_its_prompt(provider: Provider) -> None:
    text = text_for(provider, "Explain photosynthesis and chlorophyll")

    assert "photosynthesis" in text
    assert "chlorophyll" in text


def test_a_long_prompt_gets_a_longer_text(provider: Provider) -> None:
    assert len(text_for(provider, LONG_PROMPT)) > 1.5 * len(text_for(provider, "Hi"))


@pytest.mark.parametrize("prompt", [*SHORT_PROMPTS, LONG_PROMPT])
def test_pieces_are_the_text(provider: Provider, prompt: str) -> None:
    answer = answer_to(_question(provider, prompt))

    assert "".join(answer.pieces) == answer.text == text_for(provider, prompt)


@pytest.mark.parametrize("prompt", SHORT_PROMPTS)
def test_an_answer_takes_two_to_five_seconds(provider: Provider, prompt: str) -> None:
    question = _question(provider, prompt)

    seconds = waits(question, answer_to(question).pieces)

    assert 2 <= round(sum(seconds), 3) <= 5
    assert 0.2 <= seconds[0] <= 0.8
    assert max(seconds[1:]) < 0.5


@pytest.mark.parametrize(("words", "seconds"), [(1, 2), (10, 2), (5000, 5)])
def test_an_answer_of_any_length_takes_two_to_five_seconds(provider: Provider, words: int, seconds: int) -> None:
    assert round(sum(waits(_question(provider, "Hi"), ["word "] * words)), 3) == seconds


def test_the_answer_to_a_long_prompt_takes_longer_but_twenty_seconds_at_most(provider: Provider) -> None:
    question = _question(provider, LONG_PROMPT)

    assert 5 < sum(waits(question, answer_to(question).pieces)) <= 20
    assert round(sum(waits(question, ["words "] * 5000)), 3) == 20


def test_the_cadence_is_uneven_and_always_the_same(provider: Provider) -> None:
    question = _question(provider, "Hi")
    pieces = ["two words "] * 20

    assert len(set(waits(question, pieces))) > 10
    assert waits(question, pieces) == waits(question, pieces)
