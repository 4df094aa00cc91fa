"""What a prompt tells the sandbox to do with its tools, in a line of its own.

    sandbox-plan: list_metrics {}; "I look at two." query_metric {"metric": "a"} query_metric {"metric": "b"}; done

Steps end at `;`, and each is one answer: a text in quotes, if it begins with one, and the calls. Arguments that are
left out are made up to satisfy the tool's schema. After the last step, and at `done`, comes the final answer.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sandbox.question import Question

_LINE = re.compile(r"^[ \t]*sandbox-plan:(.*)$", re.MULTILINE)
_NAME = re.compile(r"[A-Za-z_][\w.-]*")
_END = "done"


@dataclass
class Planned:
    """A call to be made; `arguments` None are to be made up."""

    name: str
    arguments: dict[str, object] | None = None


@dataclass
class Step:
    """One answer of the plan."""

    text: str = ""
    calls: list[Planned] = field(default_factory=list)


def next_step(question: Question) -> Step:
    """What is to be said and called now; nothing once it is time for the final answer. Without a plan each tool that
    is offered is called once, in their order."""
    if not question.tools:
        return Step()
    for place in reversed(range(len(question.turns))):
        turn = question.turns[place]
        if turn.role == "user" and (line := _LINE.search(turn.text)):
            return _after(_steps(line[1]), answered=len(question.results_since(place)))
    return _after([Step(calls=[Planned(tool.name)]) for tool in question.tools], answered=len(question.results))


def _after(steps: Sequence[Step], *, answered: int) -> Step:
    for step in steps:
        if answered <= 0:
            return step
        answered -= len(step.calls)
    return Step()


def _steps(line: str) -> list[Step]:
    steps = [Step()]
    for token in _tokens(line):
        match token:
            case ";":
                steps.append(Step())
            case _ if token == _END:
                break
            case _Text(text):
                steps[-1].text = text
            case str(name):
                steps[-1].calls.append(Planned(name))
            case dict(arguments) if steps[-1].calls:
                steps[-1].calls[-1].arguments = arguments
    return [step for step in steps if step.calls]


@dataclass(frozen=True)
class _Text:
    text: str


def _tokens(line: str) -> Iterator[object]:
    """Names, texts, objects and `;`, as far as the line can be read."""
    place = 0
    while place < len(line):
        character = line[place]
        if character in '{"':
            try:
                value, place = json.JSONDecoder().raw_decode(line, place)
            except ValueError:
                return
            yield _Text(value) if isinstance(value, str) else value
        elif name := _NAME.match(line, place):
            yield name[0]
            place = name.end()
        else:
            if character == ";":
                yield ";"
            place += 1
