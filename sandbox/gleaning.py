"""What tools have answered, so that later calls and findings speak of what is there."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

_MOST_CHARACTERS = 100  # of what may be a name

Known = Mapping[str, Sequence[str]]


def texts_by_name(results: Iterable[str]) -> Known:
    """The short texts in results that are JSON, by the name they stand under in the singular: the objects of a list
    count there by their first text, so that `{"metrics": [{"name": "a"}]}` tells of a `metric` `a`."""
    known: dict[str, list[str]] = defaultdict(list)
    for result in results:
        try:
            _glean(json.loads(result), "", known)
        except (ValueError, RecursionError):
            continue
    return known


def singular(name: str) -> str:
    """The name of one of them."""
    return name.removesuffix("s")


def _glean(value: object, name: str, known: dict[str, list[str]]) -> None:
    match value:
        case str() if 0 < len(value) <= _MOST_CHARACTERS and value not in known[singular(name)]:
            known[singular(name)].append(value)
        case list():
            for each in value:
                _glean(_first_text(each), name, known)
                _glean(each, name, known)
        case dict():
            for inner, each in value.items():
                _glean(each, inner, known)


def _first_text(value: object) -> object:
    texts = [each for each in value.values() if isinstance(each, str)] if isinstance(value, dict) else []
    return texts[0] if texts else None
