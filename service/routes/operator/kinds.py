"""Kinds of job as they are worked on: how much there is of each, and which are paused."""

from jobs.kind import AnyKind
from jobs.model import JsonObject
from jobs.overview import Counts
from service.api import Api, ApiOf
from service.errors import NotFound
from service.routes.operator.acting import ClerkOf, own_router

router = own_router("/kinds")


@router.get("")
async def listed(api: ApiOf) -> JsonObject:
    """Every kind, those too that only the clock starts."""
    counts, paused = await api.desk.overview.counts(), await api.desk.pauses.paused()
    return {"items": [_told(kind, counts, paused) for kind in api.desk.kinds.values()]}


@router.post("/{name}/pause")
async def pause(name: str, api: ApiOf, clerk: ClerkOf) -> JsonObject:
    """Start no job of the kind until it is resumed."""
    kind = _known(api, name)
    await clerk.note("pause kind", kind.name)
    await api.desk.pauses.pause(kind.name)
    return await _now(api, kind)


@router.post("/{name}/resume")
async def resume(name: str, api: ApiOf, clerk: ClerkOf) -> JsonObject:
    """Start jobs of the kind again."""
    kind = _known(api, name)
    await clerk.note("resume kind", kind.name)
    await api.desk.pauses.resume(kind.name)
    return await _now(api, kind)


def _known(api: Api, name: str) -> AnyKind:
    if (kind := api.desk.kinds.get(name)) is None:
        raise NotFound("No kind has this name.")
    return kind


async def _now(api: Api, kind: AnyKind) -> JsonObject:
    return _told(kind, await api.desk.overview.counts(), await api.desk.pauses.paused())


def _told(kind: AnyKind, counts: Counts, paused: dict[str, str]) -> JsonObject:
    jobs = counts.by_state(kind.name)
    return {
        "kind": kind.name,
        "summary": kind.summary,
        "paused": kind.name in paused,
        "paused_at": paused.get(kind.name),
        "queued": jobs["queued"],
        "running": jobs["running"],
        "concurrency": kind.concurrency or None,
    }
