"""A job whose one part grows for as long as a test talks."""

from dataclasses import dataclass

from jobs.leases import Claim
from jobs.model import JobId
from tests.jobs import lines
from tests.jobs.doors import Doors

PART = "openai"


@dataclass
class Talk:
    """A job in the test's own hands."""

    doors: Doors
    claim: Claim
    said: int = 0
    seq: int = 0

    @property
    def job_id(self) -> JobId:
        return self.claim.job_id

    async def say(self, text: str) -> int:
        """One more piece of the text, of letters that are one code unit each; the number of its update."""
        await self.doors.append(self.claim, lines.wrote(PART, text, at=self.said))
        self.said += len(text)
        self.seq += 1
        return self.seq

    async def end(self) -> int:
        """The end of the run; the number of its update."""
        await self.doors.append(self.claim, lines.end())
        self.seq += 1
        return self.seq


async def begin_talk(doors: Doors, name: str = "talk") -> Talk:
    """A job that runs, and has said nothing yet; the name tells it from others of the same test."""
    claim = await doors.running(token=name)
    await doors.append(claim, lines.begun(PART))
    return Talk(doors, claim, seq=(await doors.log.head(claim.job_id)).cursor.seq)
