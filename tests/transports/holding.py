"""Many jobs that are written in turn, and a client that follows all of them on one stream."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from jobs.model import JsonObject, State
from tests.api import Api, Event
from tests.jobs.doors import Doors
from tests.transports.hand import Hand, story, take_in_hand
from tests.transports.logs import submit
from tests.transports.reference import held_after_of_many, told
from tests.transports.subjects import listen_to_many


class Holding:
    """A client of one stream over many jobs: after each event what it holds of each, and the word for that."""

    def __init__(self, jobs: Mapping[str, JsonObject] | None = None) -> None:
        self.jobs: dict[str, JsonObject] = dict(jobs or {})
        self.word: str | None = None
        self.moments: list[tuple[str, dict[str, JsonObject]]] = []

    def take(self, event: Event) -> None:
        """Fold one event."""
        if event.id is None:
            return
        job_id = event.data["job"]
        held = self.jobs.get(job_id, {})
        self.jobs[job_id] = held_after_of_many(held, event.id, event.event, event.data)
        self.word = event.id
        self.moments.append((event.id, dict(self.jobs)))

    async def listen(self, caller: Api, jobs: list[str], *, until: int | None = None) -> list[Event]:
        """Take all that is said after the last word, or so many events of it."""
        heard: list[Event] = []
        async with aclosing(listen_to_many(caller, jobs, self.word)) as events:
            async for event in events:
                self.take(event)
                heard.append(event)
                if len(heard) == until:
                    break
        return heard

    @property
    def seen(self) -> dict[str, JsonObject]:
        """What polling would return, but for the cursors."""
        return {job_id: without_cursor(view) for job_id, view in self.jobs.items()}


def without_cursor(view: JsonObject) -> JsonObject:
    return {name: view[name] for name in view if name != "cursor"}


async def polled(caller: Api, jobs: list[str]) -> dict[str, JsonObject]:
    return {job_id: without_cursor(told(await caller.poll(job_id))) for job_id in jobs}


async def hands_on(caller: Api, doors: Doors, count: int) -> dict[str, Hand]:
    """So many jobs, each in a hand of its own."""
    hands: dict[str, Hand] = {}
    while len(hands) < count:
        job_id = await submit(caller)
        hands[job_id] = await take_in_hand(doors, job_id)
    return hands


async def in_turn(hands: Mapping[str, Hand]) -> AsyncGenerator[None, None]:
    """The jobs' whole stories, a line of each at a time; the first job ends long before the last."""
    stories = [story(hand)[:-1][: 6 + 5 * at] for at, hand in enumerate(hands.values())]
    for hand, lines in zip(hands.values(), stories, strict=True):
        lines.append(hand.end(State.FAILED))
    for line in range(max(map(len, stories))):
        for hand, lines in zip(hands.values(), stories, strict=True):
            if line < len(lines):
                await hand.write(lines[line])
                yield
