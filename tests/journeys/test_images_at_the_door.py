"""Images that are handed in: what is taken and kept, and what is refused by name and leaves nothing behind."""

import base64
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs import keys
from jobs.connection import Client
from jobs.images import MOST_BYTES, Images
from jobs.kind import DAY_SECONDS
from jobs.model import JobId
from tests.api import Api
from tests.figures import Say
from tests.journeys.pictures import BOMBS, MEGABYTE, NO_PICTURES, SVG, as_file, drawing, opened
from tests.journeys.sending import diagram_form, field, form, refusal, send, send_diagram, send_form, taken
from tests.service.edge import edge_process
from tests.system import SECRET
from tests.valkey import ValkeyProcess

PICTURE = as_file(drawing())
IN_BASE64 = base64.b64encode(PICTURE).decode()
WRONG = {**NO_PICTURES, **BOMBS}
MALFORMED: dict[str, tuple[bytes, tuple[int, str]]] = {
    "21 parts": (form(*(field(f"f{number}", b"x") for number in range(21))), (400, "invalid-request")),
    "a million parts": (b"--canary-boundary\r\n\r\n\r\n" * 500_000, (400, "invalid-request")),
    "many headers": (form(field("kind", b"chat", headers=b"X-Filler: x\r\n" * 100_000)), (400, "invalid-request")),
    "a long header": (form(field("kind", b"chat", headers=b"X: " + b"x" * MEGABYTE)), (400, "invalid-request")),
    "no end": (diagram_form(PICTURE)[:-8], (400, "invalid-request")),
    "another boundary": (diagram_form(PICTURE).replace(b"canary", b"bird"), (400, "invalid-request")),
    "nothing": (b"", (400, "invalid-request")),
    "a field twice": (form(field("kind", b"chat"), field("kind", b"chat")), (400, "invalid-request")),
    "Latin-1": (form(field("kind", b"chat"), field("message", b"\xe9")), (400, "invalid-request")),
    "a NUL": (form(field("kind", b"chat"), field("message", b"x\0")), (400, "invalid-json")),
    "a priority that is no number": (form(field("kind", b"chat"), field("priority", b"high")), (400, "invalid-json")),
    "a priority and more": (form(field("kind", b"chat"), field("priority", b'1, "x": 2')), (400, "invalid-json")),
    "no kind": (form(field("message", b"x")), (422, "invalid-input")),
    "a field without a name": (form(b"\r\nx", field("kind", b"chat")), (422, "invalid-input")),
    "a field of another kind": (diagram_form(PICTURE, field("message", b"x")), (422, "invalid-input")),
    "a picture that is none": (diagram_form(SVG), (422, "image-rejected")),
    "a picture that is too large": (diagram_form(bytes(MOST_BYTES + 1)), (413, "payload-too-large")),
    "15 MB": (diagram_form(bytes(15 * MEGABYTE)), (413, "payload-too-large")),
}


async def kept(redis: Client) -> list[bytes]:
    """What the store holds of jobs."""
    return [key async for key in redis.scan_iter(f"{keys.PREFIX}*") if b":quota:" not in key]


def resident(pid: int) -> int:
    """Bytes of memory that the process has."""
    return int(Path(f"/proc/{pid}/status").read_text().partition("VmRSS:")[2].split()[0]) * 1024


async def image_of(redis: Client, job_id: str) -> bytes:
    return (await Images(redis).of(JobId(job_id), None)).data


@pytest.mark.parametrize("name", [name for name in WRONG if name != "nothing"])
async def test_what_is_no_picture_is_refused_by_name(caller: Api, redis: Client, name: str) -> None:
    """422, and no job, whatever it is instead."""
    answer = await send_diagram(caller, WRONG[name])

    assert refusal(answer) == (422, "image-rejected")
    assert await kept(redis) == []


@pytest.mark.parametrize(
    "image", ["####", "data:image/png,abc", "data:image/svg+xml;base64,PHN2Zy8+", "https://x.test/a.png", "YQ", "ü"]
)
async def test_what_spells_no_file_is_refused_by_name(caller: Api, redis: Client, image: str) -> None:
    """Neither base64 nor a data URL of base64; no address is ever fetched."""
    assert refusal(await send(caller, "diagram-to-journey", image=image)) == (422, "image-rejected")
    assert await kept(redis) == []


async def test_a_file_that_is_too_large_is_refused_by_name(caller: Api, redis: Client) -> None:
    """By its own size, and by that of the body."""
    answers = [await send_diagram(caller, bytes(size)) for size in (MOST_BYTES + 1, 15 * MEGABYTE)]

    assert [refusal(answer) for answer in answers] == [(413, "payload-too-large")] * 2
    assert await kept(redis) == []


async def test_an_image_is_kept_beside_its_job_and_nowhere_else(caller: Api, redis: Client) -> None:
    """Redrawn, with an end; the input only names it."""
    file = as_file(drawing(), "JPEG", comment=b"canary-comment")

    job = await taken(await send_diagram(caller, file, prompt="What happens?"))

    held = await redis.get(keys.payload(JobId(job["id"])))
    assert held is not None
    assert b'"image":"sha256:' in held
    assert len(held) < 200
    drawn = await image_of(redis, job["id"])
    assert b"canary" not in drawn
    assert opened(drawn).size == (640, 400)
    assert 0 < await redis.ttl(keys.image(JobId(job["id"]))) <= 31 * DAY_SECONDS


async def test_an_image_lives_as_long_as_its_job(caller: Api, redis: Client) -> None:
    """Until its retention is over, over a retry by hand, and not beyond the job's deletion."""
    job = await taken(await send_diagram(caller, PICTURE))
    name = keys.image(JobId(job["id"]))
    drawn = await redis.get(name)

    await caller.http.post(f"/v1/jobs/{job['id']}/cancel")
    assert 0 < await redis.ttl(name) <= DAY_SECONDS
    retried = await caller.http.post(f"/v1/jobs/{job['id']}/retry")
    assert retried.status_code == 202
    assert await redis.get(name) == drawn
    assert await redis.ttl(name) > DAY_SECONDS
    await caller.http.post(f"/v1/jobs/{job['id']}/cancel")
    assert (await caller.http.delete(f"/v1/jobs/{job['id']}")).status_code == 204

    assert await redis.exists(name) == 0


async def test_a_subjects_images_are_forgotten_with_the_subject(caller: Api, redis: Client) -> None:
    """Like all that belongs to it."""
    body = {"kind": "diagram-to-journey", "input": {"image": IN_BASE64}, "subject": "user-42"}
    job = await taken(await caller.http.post("/v1/jobs", json=body))
    await caller.http.post(f"/v1/jobs/{job['id']}/cancel")

    assert (await caller.http.delete("/v1/subjects/user-42")).status_code == 202

    assert await redis.exists(keys.image(JobId(job["id"]))) == 0


async def test_the_same_file_is_the_same_input_however_it_is_sent(caller: Api) -> None:
    """In base64, with lines or without, as a data URL, as a file of a form."""
    first = await taken(
        await send(caller, "diagram-to-journey", image=IN_BASE64, headers={"Idempotency-Key": "a-key"})
    )

    wrapped = "\n".join(textwrap.wrap(IN_BASE64, 76))
    again = [
        await send(caller, "diagram-to-journey", image=image, headers={"Idempotency-Key": "a-key"})
        for image in (wrapped, f"data:image/png;base64,{IN_BASE64}", f"data:image/jpeg;charset=x;base64,{wrapped}")
    ]
    again.append(await send_form(caller, diagram_form(PICTURE, field("idempotency_key", b"a-key"))))

    assert [(answer.status_code, answer.json()["id"]) for answer in again] == [(200, first["id"])] * 4


async def test_another_file_is_another_input(caller: Api) -> None:
    """The key belongs to the picture that came with it."""
    await taken(await send(caller, "diagram-to-journey", image=IN_BASE64, headers={"Idempotency-Key": "a-key"}))

    other = base64.b64encode(as_file(drawing(300, 200))).decode()
    answer = await send(caller, "diagram-to-journey", image=other, headers={"Idempotency-Key": "a-key"})

    assert refusal(answer) == (422, "idempotency-key-reused")


async def test_a_form_says_what_a_json_body_would(caller: Api, redis: Client) -> None:
    """Fields of the submission and of the input, and the file as it is; its name is nobody's business."""
    more = [field("prompt", b"What happens?"), field("priority", b"7"), field("metadata", b'{"page": "3"}')]

    job = await taken(await send_form(caller, diagram_form(PICTURE, *more, filename="../../../../etc/passwd\0.png")))

    assert (job["priority"], job["metadata"]) == (7, {"page": "3"})
    held = await redis.get(keys.payload(JobId(job["id"])))
    assert held is not None
    assert b'"prompt":"What happens?"' in held
    assert b"passwd" not in held
    assert opened(await image_of(redis, job["id"])).size == (640, 400)


async def test_a_form_may_submit_any_kind(caller: Api) -> None:
    """A form of the page needs no script to spell JSON."""
    job = await taken(await send_form(caller, form(field("kind", b"chat"), field("message", b"Hello?"))))

    assert job["kind"] == "chat"


async def test_a_form_that_any_page_could_send_is_not_read(caller: Api, redis: Client) -> None:
    """A header that only the own pages can add tells them from others."""
    answer = await send_form(caller, diagram_form(PICTURE), asked_by=None)

    assert refusal(answer) == (415, "unsupported-media-type")
    assert await kept(redis) == []


@pytest.mark.parametrize("name", MALFORMED)
async def test_a_form_that_cannot_be_taken_is_refused_by_name(caller: Api, redis: Client, name: str) -> None:
    """Floods and broken forms, with nothing left behind."""
    body, told = MALFORMED[name]

    assert refusal(await send_form(caller, body)) == told
    assert await kept(redis) == []


@pytest.mark.parametrize("boundary", ["", "x" * 300, "canary boundary?"])
async def test_a_strange_boundary_is_no_fault_of_ours(caller: Api, boundary: str) -> None:
    """It is the client's to choose, within bounds."""
    assert refusal(await send_form(caller, diagram_form(PICTURE), boundary=boundary)) == (400, "invalid-request")


async def test_an_event_starts_a_diagram_if_its_image_is_one(caller: Api, redis: Client) -> None:
    """What the kind does not accept is kept as dropped."""
    event = {"name": "diagram-to-journey", "data": {"image": IN_BASE64}}
    wrong = event | {"data": {"image": base64.b64encode(SVG).decode()}}

    sent = (await caller.http.post("/v1/events", json=event)).json()
    dropped = (await caller.http.post("/v1/events", json=wrong)).json()

    assert opened(await image_of(redis, sent["job_ids"][0])).size == (640, 400)
    assert dropped["job_ids"] == []
    assert (await caller.http.get(f"/v1/events/{dropped['event_id']}")).json()["dropped"]


@pytest.fixture
def other_process(store: ValkeyProcess, redis: Client) -> Iterator[tuple[int, str]]:
    """An API in a process of its own: which one, and where it listens."""
    with edge_process(store.url) as (process, url):
        yield process.pid, url


@pytest.mark.skipif(sys.platform != "linux", reason="Only Linux tells how much memory another process takes")
async def test_hostile_images_leave_the_memory_of_the_service_as_it_was(
    other_process: tuple[int, str], say: Say
) -> None:
    """However often they come."""
    pid, url = other_process
    hostile = [*BOMBS.values(), bytes(MOST_BYTES), PICTURE[:500], as_file(drawing(5_000, 4_000))]

    async def round_of_them(caller: Api) -> int:
        for file in hostile:
            await send_diagram(caller, file)
        return resident(pid)

    async with Api(url, SECRET) as caller:
        await round_of_them(caller)
        before = await round_of_them(caller)
        after = await round_of_them(caller)

    say(f"resident after two rounds {before // MEGABYTE} MB, after three {after // MEGABYTE} MB")
    assert after < before + 40 * MEGABYTE
