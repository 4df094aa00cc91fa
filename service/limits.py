"""How much one caller may ask for: submissions, polls, jobs and streams, each for whom it is and for its address."""

from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_address

from starlette.requests import HTTPConnection

from jobs import keys
from jobs.errors import StorageFull
from jobs.model import JobId
from jobs.queue import Room
from jobs.quotas import Bucket, Places, Quotas, Window
from service.auth import Access
from service.credentials import Browser, Operator, Service, Watcher
from service.errors import RateLimited, TooManyStreams
from service.seats import Seat, Seats
from service.witness import Transport, Witness

MINUTE_SECONDS = 60


@dataclass(frozen=True)
class Allowance:
    """How much there is for one subject; an address stands for several, since a whole office may share it."""

    active_jobs: int = 10
    waiting_jobs: int = 100_000
    """Of everybody: more are not taken, whoever submits them."""
    submissions_at_once: int = 20
    submissions_per_second: float = 5
    polls_per_minute: int = 150
    """Of one job."""
    streams: int = 20
    subjects_of_an_address: int = 10


ALLOWANCE = Allowance()


@dataclass(frozen=True)
class Guest:
    """A caller to whom limits apply: who it is, unless nothing says so yet, and from where it calls."""

    name: str | None
    address: str


class Limits:
    """Keeps every caller within its allowance; a caller without limits is None, and costs the store nothing."""

    def __init__(self, quotas: Quotas, seats: Seats, allowance: Allowance, witness: Witness) -> None:
        self._quotas = quotas
        self._seats = seats
        self._allowance = allowance
        self._witness = witness

    async def submission(self, guest: Guest | None) -> Room:
        """What there must be room for when the caller's job comes in; RateLimited if it submits too fast."""
        allowance = self._allowance
        if guest is None:
            return Room(waiting=allowance.waiting_jobs)
        buckets = [
            Bucket(name, allowance.submissions_at_once * times, allowance.submissions_per_second * times)
            for name, times in self._counted("submissions", guest)
        ]
        if wait := await self._quotas.take(buckets):
            raise RateLimited("Jobs are submitted too fast.", wait_seconds=wait)
        return Room(active=allowance.active_jobs, waiting=allowance.waiting_jobs)

    async def poll(self, guest: Guest | None, job_id: JobId) -> None:
        """Count a look at the job; RateLimited if there were too many in this minute."""
        if guest is None:
            return
        most = self._allowance.polls_per_minute
        windows = [
            Window(name, most * times, MINUTE_SECONDS) for name, times in self._counted(f"polls:{job_id}", guest)
        ]
        with suppress(StorageFull):  # a store that takes no writes cannot count, and is still read
            if wait := await self._quotas.take(windows):
                raise RateLimited("The job is polled too often: wait with Prefer, or stream.", wait_seconds=wait)

    async def stream(self, guest: Guest | None, transport: Transport) -> Seat:
        """A seat for one more stream; TooManyStreams where the caller has as many as it may."""
        return (await self._seat(guest)).seen_by(self._witness, transport)

    async def _seat(self, guest: Guest | None) -> Seat:
        if guest is None:
            return Seat()
        places = [Places(name, self._allowance.streams * times) for name, times in self._counted("streams", guest)]
        with suppress(StorageFull):
            if seat := await self._seats.take(places):
                return seat
            raise TooManyStreams("Close a stream, or follow many jobs on one: GET /v1/stream.")
        return Seat()

    def _counted(self, what: str, guest: Guest) -> list[tuple[str, int]]:
        """The name of each quota that counts this, and how many subjects it stands for."""
        address = keys.quota(what, f"address:{guest.address}"), self._allowance.subjects_of_an_address
        return [address] if guest.name is None else [(keys.quota(what, guest.name), 1), address]


def guest_of(access: Access | None, connection: HTTPConnection) -> Guest | None:
    """Whom the limits count; None for a secret. Whoever holds but a stream token is its job at this address."""
    address = _address(connection)
    match access.caller if access else None:
        case Service() | Operator():
            return None
        case Browser(subject=subject):
            return Guest(f"subject:{subject}", address)
        case Watcher(job_id=job_id):
            return Guest(f"job:{job_id}:{address}", address)
    return Guest(None, address)


def _address(connection: HTTPConnection) -> str:
    """The peer's address; of IPv6 the network, since one machine has all of its addresses."""
    host = connection.client.host if connection.client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host  # a socket in the file system has no address
    if not isinstance(address, IPv6Address):
        return host
    return str(address.ipv4_mapped or IPv6Network((int(address), 64), strict=False))
