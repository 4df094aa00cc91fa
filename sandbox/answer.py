"""What the sandbox says: a text, a structured text or a tool call, decided by the question alone."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.draw import deal, digest, number, pick
from sandbox.example import example_of
from sandbox.question import Provider, Question
from sandbox.topic import topic_of
from sandbox.voices import VOICES

_CHARACTERS_PER_TOKEN = 4
_TOKENS_PER_IMAGE = 258
_PROMPT_CHARACTERS_PER_PARAGRAPH = 1_500  # a long prompt gets a longer answer
_MOST_EXTRA_PARAGRAPHS = 8
_MOST_WORDS_PER_PIECE: dict[Provider, int] = {"openai": 2, "anthropic": 3, "google": 6}


@dataclass(frozen=True)
class Call:
    """A call of a tool, with arguments that satisfy its schema."""

    name: str
    arguments: dict[str, object]


@dataclass(frozen=True)
class Answer:
    """What is said: a `text`, or a `call` and no text; the `pieces` are of the text or of the arguments."""

    id: str
    text: str
    call: Call | None
    truncated: bool
    input_tokens: int
    output_tokens: int
    pieces: tuple[str, ...]


def answer_to(question: Question) -> Answer:
    """The answer to a question, always the same; its id too, 24 hex digits."""
    call = _call(question)
    whole = _json(call.arguments) if call else _text(question)
    said = whole if call else whole[: _most_characters(question)]
    return Answer(
        id=digest(question.provider, question.model, *(turn.text for turn in question.turns), whole)[:24],
        text="" if call else said,
        call=call,
        truncated=len(said) < len(whole),
        input_tokens=_input_tokens(question),
        output_tokens=_tokens(said),
        pieces=_pieces(said, question.provider),
    )


def text_for(
    provider: Provider,
    prompt: str,
    *,
    earlier_turns: int = 0,
    images: Sequence[int] = (),
    tool_results: int = 0,
) -> str:
    """The Markdown with which this provider answers a prompt: 80-150 words, more for a long prompt."""
    voice, topic = VOICES[provider], topic_of(prompt)
    seed = (provider, topic.seed)

    def told(sentence: str, place: int) -> str:
        return sentence.format(quote=topic.quote, first=topic.word(place), second=topic.word(place + 1))

    extra = min(len(prompt) // _PROMPT_CHARACTERS_PER_PARAGRAPH, _MOST_EXTRA_PARAGRAPHS)
    points = deal(voice.points, 2 * (1 + extra), *seed, "points")
    sentences = [told(point, place // 2) for place, point in enumerate(points)]
    bullets = deal(voice.bullets, 3, *seed, "bullets")
    return "\n\n".join(
        [
            told(pick(voice.openings, *seed, "opening"), 0),
            *_seen(earlier_turns, images, tool_results),
            *(f"{one} {two}" for one, two in zip(sentences[::2], sentences[1::2], strict=True)),
            pick(voice.lead_ins, *seed, "lead-in"),
            "\n".join(f"- {told(bullet, place)}" for place, bullet in enumerate(bullets)),
            told(pick(voice.closings, *seed, "closing"), 0),
        ]
    )


def _seen(earlier_turns: int, images: Sequence[int], tool_results: int) -> list[str]:
    seen = [f"I see an image of {size} bytes." if size else "I see a linked image." for size in images]
    if tool_results:
        seen.append(f"I have used {tool_results} tool result{'s' * (tool_results > 1)}.")
    if earlier_turns:
        seen.append(f"I have read the {earlier_turns} earlier turn{'s' * (earlier_turns > 1)} of this talk.")
    return [" ".join(seen)] if seen else []


def _call(question: Question) -> Call | None:
    if not question.tools or question.tool_results:
        return None
    tool = question.tools[0]
    arguments = example_of(tool.parameters, question.asked.text)
    return Call(tool.name, arguments if isinstance(arguments, dict) else {})


def _text(question: Question) -> str:
    asked = question.asked
    if question.schema is not None:
        return _json(example_of(question.schema, asked.text))
    return text_for(
        question.provider,
        asked.text,
        earlier_turns=question.earlier_turns,
        images=asked.images,
        tool_results=question.tool_results,
    )


def _most_characters(question: Question) -> int | None:
    return None if question.max_tokens is None else question.max_tokens * _CHARACTERS_PER_TOKEN


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _tokens(text: str) -> int:
    return max(1, len(text) // _CHARACTERS_PER_TOKEN)


def _input_tokens(question: Question) -> int:
    text = question.system + "".join(turn.text for turn in question.turns)
    return _tokens(text) + _TOKENS_PER_IMAGE * sum(len(turn.images) for turn in question.turns)


def _pieces(text: str, provider: Provider) -> tuple[str, ...]:
    words = re.findall(r"\s*\S+(?:\s+\Z)?", text)
    pieces, start, seed = list[str](), 0, digest(text)
    while start < len(words):
        end = start + 1 + number(seed, start) % _MOST_WORDS_PER_PIECE[provider]
        pieces.append("".join(words[start:end]))
        start = end
    return tuple(pieces)
