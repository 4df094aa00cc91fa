"""What a prompt is about, as far as its words tell."""

import re
from collections import Counter
from dataclasses import dataclass

from sandbox.draw import digest

_WORD = re.compile(r"[^\W\d_][\w'-]{3,23}")
_EMPTY_WORDS = """
about after also answer because been before being best better both could describe does each every explain
from give good have having help here into just like list make many more most much need only other over
people please said same should show some such summarize take tell than that their them then there these they
thing things this those using very want well were what when where which while will with work works would
write your
"""
_EMPTY = frozenset(_EMPTY_WORDS.split())
_READ_CHARACTERS = 100_000
_QUOTE_CHARACTERS = 60


@dataclass(frozen=True)
class Topic:
    """A prompt's first words, the words that it uses most, and a seed of all of it."""

    quote: str
    words: tuple[str, ...]
    seed: str

    def word(self, place: int) -> str:
        """The word at this place; they repeat when they run out."""
        return self.words[place % len(self.words)]


def topic_of(prompt: str) -> Topic:
    """The topic of a prompt; an empty prompt has one too."""
    counts = Counter(word.lower() for word in _WORD.findall(prompt[:_READ_CHARACTERS]))
    telling = [word for word, _ in counts.most_common() if word not in _EMPTY]
    return Topic(
        quote=_quote(prompt) or "an open question",
        words=tuple(telling[:12]) or ("question", "context"),
        seed=digest(prompt),
    )


def _quote(prompt: str) -> str:
    line = " ".join(prompt[:_READ_CHARACTERS].split())
    if len(line) <= _QUOTE_CHARACTERS:
        return line
    whole_words = line[:_QUOTE_CHARACTERS].rpartition(" ")[0]
    return (whole_words or line[:_QUOTE_CHARACTERS]) + "…"
