"""Examples satisfy their schemas, as pydantic writes them and as the SDKs rewrite them."""

import datetime as dt
import enum
import json
import uuid
from typing import Annotated, Any, Literal

import pytest
from anthropic import transform_schema
from google.genai import types as gemini
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from sandbox.example import example_of
from sandbox.schema import Schema


class Mood(enum.Enum):
    """How it felt."""

    GLAD = "glad"
    SAD = "sad"


class Step(BaseModel):
    """A part of a trip."""

    title: str = Field(min_length=10, max_length=30)
    mood: Mood
    minutes: int = Field(ge=100, le=120)
    tags: list[str] = Field(min_length=4, max_length=6)
    note: str | None = None


class Trip(BaseModel):
    """A trip, with most of what a schema may ask."""

    kind: Literal["trip"]
    name: str
    steps: list[Step]
    price: float = Field(gt=0, lt=1)
    starts: dt.datetime
    extra: dict[str, int]
    pair: tuple[int, str]
    by: uuid.UUID
    best: Step | int


class Tree(BaseModel):
    """A value that holds others of its kind."""

    name: str
    children: list["Tree"]
    parent: "Tree | None" = None


TYPES: list[Any] = [
    Trip,
    Tree,
    Step | None,
    list[Trip],
    bool,
    Annotated[int, Field(multiple_of=7, ge=50)],
    Annotated[int, Field(lt=-5)],
    Annotated[float, Field(gt=0, lt=0.001)],
    Annotated[str, Field(max_length=3)],
    Annotated[str, Field(min_length=500)],
    Annotated[list[int], Field(max_length=1)],
    Annotated[list[bool], Field(min_length=7)],
    set[Mood],
    dt.date,
]


@pytest.mark.parametrize("type_", TYPES, ids=str)
def test_an_example_is_valid(type_: Any) -> None:
    adapter: TypeAdapter[object] = TypeAdapter(type_)
    schema = Schema.model_validate(adapter.json_schema())

    for prompt in ("", "Plan a trip to Bergen", "Plan a trip to Rome", "x" * 9000):
        adapter.validate_json(json.dumps(example_of(schema, prompt)))


def test_an_example_keeps_the_limits_that_anthropics_sdk_moves_into_descriptions() -> None:
    schema = Schema.model_validate(transform_schema(Step))

    Step.model_validate(example_of(schema, "Plan a trip"))


def test_an_example_of_googles_spelling_is_valid() -> None:
    spelled = gemini.Schema.from_json_schema(
        json_schema=gemini.JSONSchema.model_validate(TypeAdapter(list[str]).json_schema())
    )
    schema = Schema.model_validate(spelled.model_dump(exclude_none=True, mode="json"))

    TypeAdapter(list[str]).validate_python(example_of(schema, "Plan a trip"))


def test_examples_follow_their_prompt_and_nothing_else() -> None:
    schema = Schema.model_validate(Trip.model_json_schema())

    assert example_of(schema, "Plan a trip") == example_of(schema, "Plan a trip")
    assert example_of(schema, "Plan a trip") != example_of(schema, "Plan a feast")


def test_strings_are_words_of_the_prompt_and_of_the_property() -> None:
    schema = Schema.model_validate({"type": "object", "properties": {"odd_sign": {"type": "string"}}})

    example = example_of(schema, "checkout")

    assert isinstance(example, dict)
    assert "checkout odd sign" in example["odd_sign"]


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/A"}}},
        {"type": "object", "properties": {"again": {"$ref": "#"}}, "required": ["again"]},
        {"type": "array", "minItems": 100, "items": {"$ref": "#"}},
        {"anyOf": [{"$ref": "#"}]},
        {"allOf": [{"$ref": "#"}]},
        {"$ref": "#/$defs/Missing"},
    ],
)
def test_a_schema_without_an_end_ends(schema: dict[str, object]) -> None:
    json.dumps(example_of(Schema.model_validate(schema), "Go on"))


@pytest.mark.parametrize("schema", [{"minItems": 10**9}, {"minLength": 10**9}, {"minimum": 1e300}, {"type": 5}])
def test_a_schema_that_asks_too_much_is_refused(schema: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Schema.model_validate(schema)
