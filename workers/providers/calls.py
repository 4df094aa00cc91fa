"""The calls in an answer, put together from what a stream brings of them."""

import secrets
from collections.abc import Mapping

import orjson
from pydantic import JsonValue

from jobs.kind import Call
from workers.providers import faults


class Calls:
    """Calls whose arguments come in pieces, each call at its place in the answer."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._begun: dict[int, tuple[str | None, str, str | None]] = {}
        self._arguments: dict[int, list[str]] = {}

    @property
    def next_place(self) -> int:
        """The place after the last."""
        return len(self._begun)

    def has(self, place: int) -> bool:
        """Whether a call has begun there."""
        return place in self._begun

    def begin(self, place: int, *, call_id: str | None, name: str, token: str | None = None) -> None:
        """The call at this place is of this tool."""
        self._begun[place] = call_id, name, token
        self._arguments[place] = []

    def add(self, place: int, text: str) -> None:
        """More of its arguments; ProviderError where no call has begun there."""
        if not self.has(place):
            raise faults.unreadable(self._title)
        self._arguments[place].append(text)

    def whole(self) -> tuple[Call, ...]:
        """All calls in their order; ProviderError where the arguments of one are no JSON object."""
        return tuple(
            made(self._title, call_id=call_id, name=name, arguments="".join(self._arguments[place]), token=token)
            for place, (call_id, name, token) in sorted(self._begun.items())
        )


def made(
    title: str, *, call_id: str | None, name: str, arguments: str | Mapping[str, object], token: str | None = None
) -> Call:
    """The call, with an id of ours where the provider gives none; ProviderError where its arguments are no object."""
    return Call(call_id or f"call_{secrets.token_hex(12)}", name, _object(title, arguments), token)


def written(arguments: Mapping[str, JsonValue]) -> str:
    """The arguments as the model wrote them, to be shown to it again."""
    return orjson.dumps(arguments).decode()


def _object(title: str, arguments: str | Mapping[str, object]) -> dict[str, JsonValue]:
    """An empty text is what some send for no arguments."""
    try:
        given = arguments if isinstance(arguments, str) else orjson.dumps(arguments)
        read = orjson.loads(given or "{}")
    except (ValueError, TypeError):  # TypeError: a lone surrogate on its way out
        raise faults.miscalled(title) from None
    if not isinstance(read, dict):
        raise faults.miscalled(title)
    return read
