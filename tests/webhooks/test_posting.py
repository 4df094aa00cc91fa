"""One call of a webhook: it reaches a public address over TLS for its name, or nobody."""

import asyncio
import ssl
from collections.abc import Sequence
from pathlib import Path

import pytest

from jobs.addresses import is_public
from jobs.endpoints import Endpoint, Endpoints
from jobs.signing import Secrets
from tests.transports.certificate import write_certificate
from tests.webhooks.conftest import Office
from tests.webhooks.receiver import Answer, Receiver, drop_by_drop, endless, never, no_http, receiving, status
from tests.webhooks.urls import REFUSED
from workers.lookup import Lookup, look_up
from workers.posting import NotPosted, Postman

NAME = "hooks.example.com"
BODY = b'{"type": "job.completed"}'
ADDRESSES = [
    url.removeprefix("https://").rpartition("/")[0].strip("[]")
    for name, url in REFUSED.items()
    if url.startswith("https://[") or url.removeprefix("https://")[:1].isdigit()
]


def endpoint(receiver: Receiver, name: str = NAME) -> Endpoint:
    """The receiver by a public name, as if its port were the usual one."""
    return Endpoint(f"http://{name}:{receiver.port}/hook", "http", name, receiver.port, trusted=False)


def leading_to(*answers: Sequence[str]) -> tuple[Lookup, list[str]]:
    """A resolver that gives these answers one after the other, and which names it was asked for."""
    asked: list[str] = []

    async def look(host: str, port: int) -> list[str]:
        asked.append(host)
        return list(answers[min(len(asked), len(answers)) - 1])

    return look, asked


def loopback_is_public(address: str) -> bool:
    """What stands for the public internet where there is none."""
    return address == "127.0.0.1"


@pytest.mark.parametrize("address", [*ADDRESSES, "::ffff:8.8.8.8", "fe80::1%1", "", "hooks.example.com"])
def test_an_address_that_is_not_public_is_none(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "192.0.1.1", "2606:4700::1"])
def test_a_public_address_is_one(address: str) -> None:
    assert is_public(address)


async def test_a_name_is_looked_up_once_and_its_address_called(receiver: Receiver) -> None:
    """A resolver that names another address the second time is not asked a second time for the same call."""
    lookup, asked = leading_to(["127.0.0.1"], ["127.0.0.2"])
    postman = Postman(lookup=lookup, allowed=loopback_is_public)

    response = await postman.post(endpoint(receiver), {"X-A": "b"}, BODY)

    assert (response.status_code, asked) == (204, [NAME])
    (came,) = receiver.came
    assert (came.headers["host"], came.headers["x-a"], came.body) == (f"{NAME}:{receiver.port}", "b", BODY)
    with pytest.raises(NotPosted, match="public internet"):
        await postman.post(endpoint(receiver), {}, BODY)
    assert len(receiver.came) == 1


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["64:ff9b::7f00:1"], ["::1"]])
async def test_a_name_that_leads_inside_is_not_called(addresses: list[str], receiver: Receiver) -> None:
    """Not even by its public addresses, where it has both."""
    lookup, _ = leading_to(addresses)

    with pytest.raises(NotPosted, match="public internet"):
        await Postman(lookup=lookup).post(endpoint(receiver), {}, BODY)

    assert receiver.came == []


async def test_the_next_address_is_tried_where_nobody_listens(receiver: Receiver) -> None:
    lookup, _ = leading_to(["127.0.0.2", "127.0.0.1"])
    postman = Postman(lookup=lookup, allowed=lambda _: True)

    assert (await postman.post(endpoint(receiver), {}, BODY)).status_code == 204


async def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    """Wherever it leads, such as to a cloud's credentials."""
    receiver.answers = [status(302, Location="http://169.254.169.254/latest/meta-data/")]
    lookup, asked = leading_to(["127.0.0.1"])

    response = await Postman(lookup=lookup, allowed=loopback_is_public).post(endpoint(receiver), {}, BODY)

    assert (response.status_code, asked, len(receiver.came)) == (302, [NAME], 1)


async def test_neither_proxies_nor_cookies_are_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy would look the name up anew, and a cookie tell one job's endpoint of another's."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    receiver.answers = [status(200, Set_Cookie="a=b; Path=/")]
    lookup, _ = leading_to(["127.0.0.1"])
    postman = Postman(lookup=lookup, allowed=loopback_is_public)

    for _ in range(2):
        await postman.post(endpoint(receiver), {}, BODY)

    assert [came.headers.get("cookie") for came in receiver.came] == [None, None]


@pytest.mark.parametrize(
    ("answer", "says"),
    [(drop_by_drop, "took longer"), (never, "took longer"), (no_http, "gave no HTTP answer")],
    ids=["a head without end", "no answer", "no HTTP"],
)
async def test_an_endpoint_that_does_not_answer_is_left(
    answer: Answer, says: str, office: Office, receiver: Receiver
) -> None:
    receiver.answers = [answer]
    job_id = await office.ended(receiver.url)
    async with office.courier(call_seconds=0.5):
        story = await office.until(job_id, "pending")

    assert says in (story.error or "")


async def test_an_answer_counts_whatever_follows_its_head(office: Office, receiver: Receiver) -> None:
    """Of a body without an end nothing is taken in."""
    receiver.answers = [endless]
    job_id = await office.ended(receiver.url)
    async with office.courier():
        story = await office.until(job_id, "delivered")

    assert story.status == 200


@pytest.mark.parametrize(
    ("name", "says"), [("127.0.0.1", None), (NAME, "certificate")], ids=["its name", "another name"]
)
async def test_the_certificate_must_be_for_the_name(name: str, says: str | None, tmp_path: Path) -> None:
    """Though it is the address that is called."""
    certificate = write_certificate(tmp_path)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate.file, certificate.key)
    lookup, _ = leading_to(["127.0.0.1"])
    trusting = Postman(lookup=lookup, trusts=ssl.create_default_context(cafile=str(certificate.file)))
    suspicious = Postman(lookup=lookup)
    async with receiving(tls) as receiver:
        place = f"{name}:{receiver.port}"
        there = Endpoints(Secrets(), [place]).read(f"https://{place}/hook")
        with pytest.raises(NotPosted, match="certificate"):
            await suspicious.post(there, {}, BODY)
        if says is None:
            assert (await trusting.post(there, {}, BODY)).status_code == 204
        else:
            with pytest.raises(NotPosted, match=says):
                await trusting.post(there, {}, BODY)
        assert len(receiver.came) == (1 if says is None else 0)


async def test_the_machine_s_own_resolver_is_asked() -> None:
    """An address is its own; what is no name leads nowhere."""
    assert await look_up("127.0.0.1", 80) == ["127.0.0.1"]
    assert "127.0.0.1" in await look_up("localhost", 80)
    with pytest.raises((OSError, UnicodeError)):
        await look_up("x" * 64 + ".example", 80)


async def test_whoever_waits_for_a_name_can_be_cancelled() -> None:
    """Though the resolver itself cannot."""
    asking = asyncio.create_task(look_up("127.0.0.1", 80))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
