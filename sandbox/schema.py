"""A JSON Schema as requests carry it, read into a type; Google's own spelling of it too."""

import re
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

# Anthropic's SDK moves limits that its API doesn't enforce into the description, for the model to read.
_TOLD_LIMIT = re.compile(
    r"\b(minimum|maximum|exclusiveMinimum|exclusiveMaximum|multipleOf|minLength|maxLength|minItems|maxItems)"
    r": (-?\d+(?:\.\d+)?)\b"
)

Limit = Annotated[float, Field(ge=-1e19, le=1e19)]


def _type_names(given: object) -> object:
    names = given if isinstance(given, list) else [given]
    return [name.lower() if isinstance(name, str) else name for name in names]


class Schema(BaseModel):
    """One schema; `{}` and `true` allow anything. `pattern` and the rarer keywords are not read."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)

    type: Annotated[list[str], BeforeValidator(_type_names)] = []
    ref: str | None = Field(default=None, alias="$ref")
    defs: dict[str, Self] = Field(default={}, alias="$defs")
    definitions: dict[str, Self] = {}
    const: object = None
    enum: list[object] = []
    any_of: list[Self] = []
    one_of: list[Self] = []
    all_of: list[Self] = []
    properties: dict[str, Self] = {}
    required: list[str] = []
    additional_properties: bool | Self = True
    items: Self | None = None
    prefix_items: list[Self] = []
    min_items: int = Field(default=0, ge=0, le=100)
    max_items: int | None = Field(default=None, ge=0)
    unique_items: bool = False
    min_length: int = Field(default=0, ge=0, le=10_000)
    max_length: int | None = Field(default=None, ge=0)
    format: str | None = None
    minimum: Limit | None = None
    maximum: Limit | None = None
    exclusive_minimum: Limit | None = None
    exclusive_maximum: Limit | None = None
    multiple_of: float | None = Field(default=None, ge=1e-9, le=1e19)

    @model_validator(mode="before")
    @classmethod
    def _with_told_limits(cls, given: object) -> object:
        match given:
            case bool():
                return {}
            case {"description": str(description), **rest}:
                return dict(_TOLD_LIMIT.findall(description)) | rest
            case _:
                return given

    @property
    def has_const(self) -> bool:
        """Whether there is a `const`, which may be null."""
        return "const" in self.model_fields_set

    @property
    def main_type(self) -> str:
        """The first type that is not null; where none is given, the one that the other keywords imply."""
        if self.type:
            return next((name for name in self.type if name != "null"), "null")
        if self.properties or self.required:
            return "object"
        return "array" if self.items or self.prefix_items else "string"


ANY_OBJECT = Schema(type=["object"], properties={"answer": Schema(type=["string"])})
