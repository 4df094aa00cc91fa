"""Seats of open streams: counted in the store under a lease, so that a process that dies gives its seats back."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from jobs.errors import JobError, StoreUnavailable
from jobs.quotas import Held, Places, Quotas
from service.wire import wire_of
from service.witness import Transport, Witness

PAUSE_SECONDS = 1.0
"""How long to wait before the store is tried again."""

log = structlog.get_logger(__name__)


class Seat:
    """One stream's seat, which is given back when the block ends; one that nothing counts costs nothing."""

    __slots__ = ("_holder", "_seats", "_transport", "_witness")

    def __init__(self, seats: "Seats | None" = None, holder: str = "") -> None:
        self._seats = seats
        self._holder = holder
        self._witness: Witness | None = None

    def seen_by(self, witness: Witness, transport: Transport) -> Self:
        """The seat, taken by a listener of whom the witness is told, and told again when it leaves."""
        self._witness, self._transport = witness, transport
        witness.opened(transport)
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.give_back()

    def give_back(self) -> None:
        """The stream is over."""
        if self._witness is not None:
            self._witness.closed(self._transport)
        if self._seats is not None:
            self._seats.leave(self._holder)


class Seated(Response):
    """A response that keeps its seat while it is sent, and gives it back however that ends."""

    def __init__(self, response: Response, seat: Seat) -> None:
        self._response = response
        self._seat = seat
        self.status_code = response.status_code
        self.raw_headers = response.raw_headers
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._response(scope, receive, send)
        finally:
            wire_of(scope).when_over(self._seat.give_back)


class Seats:
    """The seats that this process's streams have."""

    def __init__(self, quotas: Quotas, *, lease_seconds: float) -> None:
        self._quotas = quotas
        self._renew_seconds = lease_seconds / 3
        self._held: dict[str, tuple[Held, ...]] = {}
        self._left: dict[str, tuple[Held, ...]] = {}
        self._anyone_left = asyncio.Event()

    async def take(self, places: Sequence[Places]) -> Seat | None:
        """A seat in each of the places, None where one of them is full."""
        holder = secrets.token_urlsafe(12)
        held = tuple(Held(place.name, holder) for place in places)
        try:
            if not await self._quotas.sit(places, holder):
                return None
        except StoreUnavailable:
            self._return(holder, held)  # its answer may be all that was lost
            raise
        self._held[holder] = held
        return Seat(self, holder)

    def leave(self, holder: str) -> None:
        """Give the seat back as soon as the store takes it."""
        self._return(holder, self._held.pop(holder))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Renew leases and give seats back while the block runs, and a last time at its end."""
        task = asyncio.create_task(self._keep_for_ever())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})
            with contextlib.suppress(JobError):
                await self._give_back()

    async def _keep_for_ever(self) -> None:
        clock = asyncio.get_running_loop().time
        renew_at = clock() + self._renew_seconds
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(renew_at):
                    await self._anyone_left.wait()
            try:
                await self._give_back()
                if clock() >= renew_at:
                    await self._quotas.keep([each for held in self._held.values() for each in held])
                    renew_at = clock() + self._renew_seconds
            except JobError as error:
                log.warning("the seats of streams cannot be kept, trying again", error=error.code)
                await asyncio.sleep(PAUSE_SECONDS)

    def _return(self, holder: str, held: tuple[Held, ...]) -> None:
        self._left[holder] = held
        self._anyone_left.set()

    async def _give_back(self) -> None:
        self._anyone_left.clear()
        left = dict(self._left)
        await self._quotas.give_back([each for held in left.values() for each in held])
        for holder in left:
            del self._left[holder]
