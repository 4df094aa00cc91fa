"""Every kind of job, by name."""

from collections.abc import Mapping
from types import MappingProxyType

from jobs.kind import AnyKind
from jobs.kinds.chat import CHAT
from jobs.kinds.copy_records import COPY_RECORDS
from jobs.kinds.diagram_to_journey import DIAGRAM_TO_JOURNEY
from jobs.kinds.generate_insights import GENERATE_INSIGHTS
from jobs.kinds.summarize_session import SUMMARIZE_SESSION
from jobs.kinds.summarize_stale import SUMMARIZE_BATCH, SUMMARIZE_STALE
from jobs.kinds.summarize_tree import SUMMARIZE_TREE
from jobs.kinds.transcript_to_journey import TRANSCRIPT_TO_JOURNEY

_SUBMITTED = (
    CHAT,
    TRANSCRIPT_TO_JOURNEY,
    DIAGRAM_TO_JOURNEY,
    SUMMARIZE_SESSION,
    SUMMARIZE_TREE,
    GENERATE_INSIGHTS,
    COPY_RECORDS,
)

KINDS: Mapping[str, AnyKind] = MappingProxyType({kind.name: kind for kind in _SUBMITTED})

EVERY_KIND: Mapping[str, AnyKind] = MappingProxyType(
    {**KINDS, **{kind.name: kind for kind in (SUMMARIZE_STALE, SUMMARIZE_BATCH)}}
)
"""Those too that nobody submits: the clock starts them, and they act for every subject."""
