"""Images that come with a job: redrawn by a program of its own before anybody keeps them, and read by the job."""

import asyncio
import base64
import hashlib
import sys
from pathlib import Path

from jobs import keys
from jobs.connection import Client, store_faults
from jobs.contents import Contents
from jobs.errors import Corrupt, ImageRejected, ImageTooLarge, QueueFull
from jobs.kind import MEBIBYTE, Image
from jobs.model import JobId

MOST_BYTES = 10 * MEBIBYTE
SECONDS = 10.0
"""How long one image may take."""

AT_ONCE = 2
TURN_SECONDS = 20.0
"""How many images are redrawn at the same time, and how long another waits for its turn."""

_PROGRAM = Path(__file__).with_name("redraw.py")
_REFUSED = 3  # as the program has it
_WHITE_SPACE = b" \t\r\n"  # `base64` breaks its lines
_PNG = b"\x89PNG"


class Images:
    """The images of one store's jobs."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def redrawn(self, file: bytes) -> bytes:
        """The picture that the file holds, as a new file that all providers take; ImageRejected where there is none,
        QueueFull where too many others wait."""
        try:
            async with asyncio.timeout(TURN_SECONDS):
                await self._turns.acquire()
        except TimeoutError:
            raise QueueFull("So many images are being read that no more are taken; try again in a while.") from None
        try:
            return await _redrawn(file)
        finally:
            self._turns.release()

    def sealed(self, drawn: bytes, job_id: JobId, subject: str | None) -> bytes:
        """The redrawn image as the store keeps it with its job."""
        return Contents(self._client.sealer, job_id, subject).seal("image", drawn)

    async def of(self, job_id: JobId, subject: str | None) -> Image:
        """The image that came with the job; Corrupt where there is none."""
        with store_faults():
            held = await self._client.get(keys.image(job_id))
        if held is None:
            raise Corrupt("The image of this job is not there.")
        drawn = Contents(self._client.sealer, job_id, subject).open("image", held)
        return Image("image/png" if drawn.startswith(_PNG) else "image/jpeg", drawn)


def spelled_out(given: str) -> bytes:
    """The file that base64 or a data URL spells; ImageRejected, ImageTooLarge."""
    head, comma, rest = given.partition(",") if given[:5].lower() == "data:" else ("", "", given)
    if head and not (comma and head.lower().endswith(";base64")):
        raise ImageRejected("The data URL of an image is written as data:image/png;base64,...")
    try:
        file = base64.b64decode(rest.encode("ascii").translate(None, _WHITE_SPACE), validate=True)
    except ValueError:
        raise ImageRejected("The image is neither base64 nor a data URL.") from None
    if len(file) > MOST_BYTES:
        raise ImageTooLarge(f"The image may have {MOST_BYTES} bytes at most.")
    return file


def name_of(file: bytes) -> str:
    """What the job's input says instead of the file: the same for the same file, however it was sent."""
    return f"sha256:{hashlib.sha256(file).hexdigest()}"


async def _redrawn(file: bytes) -> bytes:
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", str(_PROGRAM)), stdin=pipe, stdout=pipe, stderr=pipe, env={}
    )
    try:
        async with asyncio.timeout(SECONDS):
            drawn, told = await child.communicate(file)
    except TimeoutError:
        raise ImageRejected("The image takes too long to decode.") from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode == _REFUSED:
        raise ImageRejected(told.decode())
    if child.returncode != 0:
        raise ImageRejected("The image cannot be decoded; it is damaged, or takes too much memory.")
    return drawn
