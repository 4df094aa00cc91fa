"""The rooms of the product examined, each by a process of its own that knows what it refuses at its start."""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE

from pydantic import ValidationError

from jobstream.findings import Examination, Finding

ROOMS = ("jobs", "service", "workers")
LOOK_SECONDS = 60.0
"""How long a room may take: the worker's fetches every provider's library."""


async def examine_rooms() -> list[Examination]:
    """What each room says of itself, as it would find the settings if it were started here."""
    async with asyncio.TaskGroup() as tasks:
        looks = [tasks.create_task(_examine(room)) for room in ROOMS]
    return [look.result() for look in looks]


async def _examine(room: str) -> Examination:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", f"{room}.checkup"), stdin=DEVNULL, stdout=PIPE, stderr=PIPE
    )
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            said, complaints = await process.communicate()
        return Examination.model_validate_json(said)
    except TimeoutError:
        return _unknown(room, f"it says nothing for {LOOK_SECONDS:.0f} s")
    except ValidationError:
        return _unknown(room, (complaints.decode(errors="replace").strip().splitlines() or ["it said nothing"])[-1])
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _unknown(room: str, why: str) -> Examination:
    detail = f"{room} cannot be examined ({why})"
    return Examination(findings=(Finding(code="unexamined", detail=detail, mend=f"see: python -m {room}.checkup"),))
