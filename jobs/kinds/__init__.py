"""Every kind of job, by name."""

from collections.abc import Mapping
from types import MappingProxyType

from jobs.kind import AnyKind
from jobs.kinds.chat import CHAT

KINDS: Mapping[str, AnyKind] = MappingProxyType({kind.name: kind for kind in (CHAT,)})
