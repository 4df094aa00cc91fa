"""An instance of a JSON Schema, written from the words of a prompt."""

import math
from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType

from sandbox.draw import digest, fraction, number, pick
from sandbox.gleaning import Known, singular
from sandbox.phrases import PHRASES
from sandbox.schema import Schema
from sandbox.topic import Topic, topic_of

_ADJECTIVES = ("Clear", "Steady", "Early", "Shared", "Careful", "Practical", "Quiet", "Bold", "Lasting")
_FORMATS = {
    "date": "2026-03-14",
    "date-time": "2026-03-14T09:26:53Z",
    "duration": "PT15M",
    "email": "ada@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "time": "09:26:53Z",
    "uri": "https://example.com/",
    "uuid": "0f8fad5b-d9cb-469f-a165-70867728950e",
}
# A schema may refer to itself: beyond one depth only what is required is written, beyond the other nothing.
_FULL_DEPTH = 8
_LAST_DEPTH = 24
_MOST_REFERENCES = 16
_MOST_VALUES = 10_000
# How many items a list has: at least, and up to so many more, by how many lists it is in.
_ITEMS = ((3, 3), (2, 3), (1, 2))

_NOTHING: Known = MappingProxyType({})

Path = tuple[str | int, ...]


def example_of(schema: Schema, prompt: str, *, seen: Sequence[str] = (), known: Known = _NOTHING) -> object:
    """An instance of the schema, always the same for the same prompt and what was `seen` with it; where a text's
    name is `known`, it is one of the texts known for it."""
    topic = topic_of(prompt)
    if seen:
        topic = replace(topic, seed=digest(topic.seed, *seen))
    return _Writer(schema, topic, known).write(schema, ())


def misfit_of(example: object) -> object:
    """The example with its first member of a type that it can't be and its last one missing."""
    if not isinstance(example, dict) or not example:
        return {"misfit": example}
    names = [*example]
    return {name: example[name] for name in names[:-1]} | {names[0]: {"misfit": True}}


class _Writer:
    """Writes each value by its place in the whole."""

    def __init__(self, root: Schema, topic: Topic, known: Known) -> None:
        self._root = root
        self._topic = topic
        self._known = known
        self._values = 0

    def write(self, schema: Schema, path: Path) -> object:
        self._values += 1
        if len(path) > _LAST_DEPTH or self._values > _MOST_VALUES:
            return None
        plain = self._plain(schema, path)
        if plain.has_const:
            return plain.const
        if plain.enum:
            return pick(plain.enum, self._topic.seed, *path)
        if plain.all_of:
            return self._all_of(plain, path)
        writers = {
            "object": self._object,
            "array": self._array,
            "integer": self._integer,
            "number": self._number,
            "boolean": self._boolean,
            "null": self._null,
        }
        return writers.get(plain.main_type, self._string)(plain, path)

    def _plain(self, schema: Schema, path: Path) -> Schema:
        for _ in range(_MOST_REFERENCES):
            if schema.ref:
                schema = self._referred(schema.ref)
            elif options := schema.any_of or schema.one_of:
                schema = _simplest(options, path)
            else:
                return schema
        return Schema(type=["null"])

    def _referred(self, ref: str) -> Schema:
        known = {"#": self._root} | self._root.definitions | self._root.defs
        return known.get(ref.rpartition("/")[2], Schema())

    def _all_of(self, schema: Schema, path: Path) -> object:
        parts = [self.write(part, (*path, "")) for part in schema.all_of]
        objects = [part for part in [*parts, self._object(schema, path)] if isinstance(part, dict)]
        return {name: value for part in objects for name, value in part.items()} or parts[0]

    def _object(self, schema: Schema, path: Path) -> dict[str, object]:
        full = len(path) < _FULL_DEPTH
        names = dict.fromkeys([*(schema.properties if full else ()), *schema.required])
        members = {name: schema.properties.get(name, Schema()) for name in names}
        if full and not members and isinstance(schema.additional_properties, Schema):
            members = {self._topic.word(place): schema.additional_properties for place in range(2)}
        return {name: self.write(member, (*path, name)) for name, member in members.items()}

    def _array(self, schema: Schema, path: Path) -> list[object]:
        usual = self._usual_items(path) if len(path) < _FULL_DEPTH else 0
        wanted = usual if schema.max_items is None else min(usual, schema.max_items)
        count = max(wanted, schema.min_items, len(schema.prefix_items))
        rest = [schema.items or Schema()] * (count - len(schema.prefix_items))
        items: list[Schema] = [*schema.prefix_items, *rest]
        written = [self.write(item, (*path, place)) for place, item in enumerate(items)]
        if schema.unique_items:
            return [value for place, value in enumerate(written) if value not in written[:place]]
        return written

    def _usual_items(self, path: Path) -> int:
        depth = sum(isinstance(step, int) for step in path)
        least, spread = _ITEMS[min(depth, len(_ITEMS) - 1)]
        return least + number(self._topic.seed, *path) % spread

    def _integer(self, schema: Schema, path: Path) -> int:
        return int(self._multiple(schema, path, step=schema.multiple_of or 1))

    def _number(self, schema: Schema, path: Path) -> float:
        return self._multiple(schema, path, step=schema.multiple_of or 0.25)

    def _multiple(self, schema: Schema, path: Path, *, step: float) -> float:
        lowest, highest = _bounds(schema)
        first, last = math.ceil(lowest / step), math.floor(highest / step)
        first += first * step == schema.exclusive_minimum
        last -= last * step == schema.exclusive_maximum
        if first > last:  # a narrow range of fractions
            return (lowest + highest) / 2
        return (first + math.floor(fraction(self._topic.seed, *path) * (last - first + 1))) * step

    def _boolean(self, _schema: Schema, path: Path) -> bool:
        return number(self._topic.seed, *path) % 2 == 0

    def _null(self, _schema: Schema, _path: Path) -> None:
        return None

    def _string(self, schema: Schema, path: Path) -> str:
        words = _FORMATS.get(schema.format or "") or self._phrase(path)
        while len(words) < schema.min_length:
            words = f"{words} {words.lower()}"
        if schema.max_length is None or len(words) <= schema.max_length:
            return words
        return words[: schema.max_length].rstrip().ljust(schema.min_length, ".")

    def _phrase(self, path: Path) -> str:
        names = [step for step in path if isinstance(step, str) and step] or ["answer"]
        name = names[-1].lower().replace("-", "_")
        if texts := self._known.get(name) or self._known.get(singular(name)):
            return pick(texts, self._topic.seed, *path)
        place = number("about", self._topic.seed, *path)
        first, second = self._topic.word(place), self._topic.word(place + 1)
        if phrases := PHRASES.get(name) or PHRASES.get(singular(name)):
            told = phrases[(number(self._topic.seed, *names) + _rank(path)) % len(phrases)]
            phrase = told.format(first=first, second=second)
            return phrase[0].upper() + phrase[1:] if told.startswith("{") else phrase
        noun = name.replace("_", " ")
        one = singular(noun) if path and isinstance(path[-1], int) else noun
        return f"{pick(_ADJECTIVES, self._topic.seed, *path)} {first} {one}"


def _rank(path: Path) -> int:
    """A number of its own for each neighbour in a list, and in the lists around it."""
    rank = 0
    for step in path:
        rank = 3 * rank + step if isinstance(step, int) else rank
    return rank


def _simplest(options: Sequence[Schema], path: Path) -> Schema:
    """The first option that is not null, or null itself where the depth asks for an end."""
    empty = [option for option in options if option.type == ["null"]]
    full = [option for option in options if option.type != ["null"]]
    return [*full, *empty][0] if len(path) < _FULL_DEPTH else [*empty, *full][0]


def _bounds(schema: Schema) -> tuple[float, float]:
    lowest = schema.exclusive_minimum if schema.minimum is None else schema.minimum
    highest = schema.exclusive_maximum if schema.maximum is None else schema.maximum
    if lowest is None:
        lowest = 1 if highest is None or highest >= 1 else highest - 9
    return lowest, lowest + 9 if highest is None else highest
