"""Pictures, on each provider's wire."""

import httpx2

from jobs.kind import Image, Question, Turn
from tests.providers.asking import outcome_of
from tests.providers.subjects import KEY, Subject
from workers.provider import Provider
from workers.providers.limits import DEFAULT_LIMITS

RED = Image("image/png", b"\x89PNG\r\n\x1a\n" + bytes(89))
BLUE = Image("image/jpeg", b"\xff\xd8\xff" + b"\x01" * 200)


def showing(*images: Image, prompt: str = "What is this?") -> Question:
    return Question("", (Turn("user", prompt, images=images),), "sandbox-model")


def opened(subject: Subject, http: httpx2.AsyncClient, url: str) -> Provider:
    return subject.open(http, url, KEY, DEFAULT_LIMITS)


async def test_every_image_reaches_the_provider_byte_by_byte(
    subject: Subject, http: httpx2.AsyncClient, sandbox_url: str
) -> None:
    outcome = await outcome_of(opened(subject, http, sandbox_url), showing(RED, BLUE))

    assert "I see an image of 97 bytes" in outcome.text
    assert "I see an image of 203 bytes" in outcome.text


async def test_another_image_of_the_same_size_gets_another_answer(
    subject: Subject, http: httpx2.AsyncClient, sandbox_url: str
) -> None:
    provider = opened(subject, http, sandbox_url)
    darker = Image("image/jpeg", b"\xff\xd8\xff" + b"\x02" * 200)

    texts = [(await outcome_of(provider, showing(image))).text for image in (BLUE, BLUE, darker)]

    assert texts[0] == texts[1] != texts[2]


async def test_an_image_needs_no_words(subject: Subject, http: httpx2.AsyncClient, sandbox_url: str) -> None:
    outcome = await outcome_of(opened(subject, http, sandbox_url), showing(RED, prompt=""))

    assert outcome.fault is None
    assert "I see an image of 97 bytes" in outcome.text


async def test_an_image_of_an_earlier_turn_is_still_there(
    subject: Subject, http: httpx2.AsyncClient, sandbox_url: str
) -> None:
    """The sandbox counts tokens for it."""
    provider = opened(subject, http, sandbox_url)
    later = (Turn("assistant", "A square."), Turn("user", "Which colour?"))

    bare = await outcome_of(provider, Question("", (*showing().turns, *later), "sandbox-model"))
    shown = await outcome_of(provider, Question("", (*showing(RED).turns, *later), "sandbox-model"))

    tokens = [outcome.finish.input_tokens if outcome.finish else None for outcome in (bare, shown)]
    words = len("What is this?A square.Which colour?") // 4
    assert tokens == [words, words + 258]
