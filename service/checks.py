"""What is looked at beside the form of an input, by kind: whether what it names is there."""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from jobs.copying import Copy
from jobs.kinds.copy_records import COPY_RECORDS
from jobs.model import JsonObject
from jobs.records.connections import Connections
from jobs.records.door import check_copy

Check = Callable[[Connections, JsonObject], Awaitable[None]]


async def _check_copy(connections: Connections, given: JsonObject) -> None:
    await check_copy(connections, Copy.model_validate(given))


_CHECKS: Mapping[str, Check] = MappingProxyType({COPY_RECORDS.name: _check_copy})


async def check(kind: str, given: JsonObject, connections: Connections) -> None:
    """InvalidInput where an input that its kind takes cannot succeed here and now."""
    if kind in _CHECKS:
        await _CHECKS[kind](connections, given)
