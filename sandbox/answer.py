"""What the sandbox says: a text, a structured text or tool calls, decided by the question alone."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.draw import deal, digest, number, pick
from sandbox.example import example_of, misfit_of
from sandbox.gleaning import texts_by_name
from sandbox.plan import Planned, next_step
from sandbox.question import Image, Provider, Question
from sandbox.schema import Schema
from sandbox.topic import topic_of
from sandbox.voices import VOICES

_CHARACTERS_PER_TOKEN = 4
_TOKENS_PER_IMAGE = 258
_PROMPT_CHARACTERS_PER_PARAGRAPH = 1_500  # a long prompt gets a longer answer
_MOST_EXTRA_PARAGRAPHS = 8
_MOST_WORDS_PER_PIECE: dict[Provider, int] = {"openai": 2, "anthropic": 3, "google": 6}


@dataclass(frozen=True)
class Call:
    """A call of a tool; the `pieces` are of its arguments, and the id is 24 hex digits."""

    id: str
    name: str
    arguments: dict[str, object]
    pieces: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """What is said: a `text` in `text_pieces`, or `calls` that a text may introduce."""

    id: str
    text: str
    text_pieces: tuple[str, ...]
    calls: tuple[Call, ...]
    truncated: bool
    input_tokens: int
    output_tokens: int

    @property
    def speaks(self) -> bool:
        """Whether there is a text, which may be empty where nothing is called."""
        return bool(self.text) or not self.calls

    @property
    def pieces(self) -> tuple[str, ...]:
        """All pieces in their order."""
        return (*self.text_pieces, *(piece for call in self.calls for piece in call.pieces))


def answer_to(question: Question, *, misfits: bool = False) -> Answer:
    """The answer to a question, always the same; its id too, 24 hex digits. `misfits`: a structured one isn't of the
    schema."""
    step = next_step(question)
    text = step.text if step.calls else _text(question, misfits=misfits)
    said = text if step.calls else text[: _most_characters(question)]
    answer_id = digest(question.provider, question.model, *question.turns, text)[:24]
    calls = tuple(_call(question, planned, answer_id, place) for place, planned in enumerate(step.calls))
    return Answer(
        id=answer_id,
        text=said,
        text_pieces=_pieces(said, question.provider),
        calls=calls,
        truncated=len(said) < len(text),
        input_tokens=_input_tokens(question),
        output_tokens=_tokens("".join((said, *(_json(call.arguments) for call in calls)))),
    )


def text_for(
    provider: Provider,
    prompt: str,
    *,
    earlier_turns: int = 0,
    images: Sequence[Image] = (),
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


def _seen(earlier_turns: int, images: Sequence[Image], tool_results: int) -> list[str]:
    seen = [
        f"I see an image of {image.size} bytes, {image.digest[:8]}." if image.size else "I see a linked image."
        for image in images
    ]
    if tool_results:
        seen.append(f"I have used {tool_results} tool result{'s' * (tool_results > 1)}.")
    if earlier_turns:
        seen.append(f"I have read the {earlier_turns} earlier turn{'s' * (earlier_turns > 1)} of this talk.")
    return [" ".join(seen)] if seen else []


def _call(question: Question, planned: Planned, answer_id: str, place: int) -> Call:
    arguments = planned.arguments
    if arguments is None:
        schemas = [tool.parameters for tool in question.tools if tool.name == planned.name]
        made_up = _example(question, next(iter(schemas), Schema(type=["object"])))
        arguments = made_up if isinstance(made_up, dict) else {}
    pieces = _pieces(_json(arguments), question.provider)
    return Call(digest(answer_id, place)[:24], planned.name, arguments, pieces)


def _text(question: Question, *, misfits: bool) -> str:
    asked = question.asked
    if question.schema is not None:
        fitting = _example(question, question.schema)
        return _json(misfit_of(fitting) if misfits else fitting)
    return text_for(
        question.provider,
        asked.text,
        earlier_turns=question.earlier_turns,
        images=asked.images,
        tool_results=len(question.results),
    )


def _example(question: Question, schema: Schema) -> object:
    known = texts_by_name(result.text for result in question.results)
    seen = [image.digest for turn in question.turns for image in turn.images]
    return example_of(schema, question.told, seen=seen, known=known)


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
