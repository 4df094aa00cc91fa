"""When each piece of an answer is due."""

from collections.abc import Sequence

from sandbox.draw import fraction
from sandbox.question import Provider, Question

_FIRST_SECONDS: dict[Provider, float] = {"openai": 0.4, "anthropic": 0.6, "google": 0.2}
_SECONDS_PER_WORD: dict[Provider, float] = {"openai": 0.028, "anthropic": 0.024, "google": 0.032}
_SHORTEST_SECONDS = 2.0
_LONGEST_SECONDS = 5.0
_LONG_PROMPT_CHARACTERS = 1_500
_LONG_PROMPT_LONGEST_SECONDS = 20.0


def waits(question: Question, pieces: Sequence[str]) -> list[float]:
    """The seconds to wait before each piece: 2 to 5 in all, at most 20 for a long prompt; always the same."""
    first = _FIRST_SECONDS[question.provider]
    prompt, per_word = question.asked.text, _SECONDS_PER_WORD[question.provider]
    natural = [
        per_word * len(piece.split()) * (0.5 + fraction(prompt[:100], place)) for place, piece in enumerate(pieces)
    ]
    is_long = len(prompt) >= _LONG_PROMPT_CHARACTERS
    longest = _LONG_PROMPT_LONGEST_SECONDS if is_long else _LONGEST_SECONDS
    speaking = min(max(sum(natural), _SHORTEST_SECONDS - first), longest - first)
    even = [seconds * speaking / sum(natural) for seconds in natural]
    return [first + even[0], *even[1:]]
