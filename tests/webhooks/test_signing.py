"""Signatures: those of the specification, those that we make, and those that receivers refuse."""

import time
from base64 import b64encode

import pytest

from jobs.signing import read_secrets, signatures
from jobstream.client import JobstreamError, WebhookRefused, WebhookRepeated, verify_webhook
from tests.webhooks.receiver import OTHER_SECRET, SECRET

SPECIFIED = ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330)
SPECIFIED_BODY = b'{"test": 2432232314}'
SPECIFIED_SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
BODY = b'{"type":"job.completed","timestamp":"2026-11-21T22:33:05.123Z","data":{}}'
CENTURY_SECONDS = 3_155_760_000


def signed(*secrets: str, message_id: str = "a-job-1", at: float | None = None, body: bytes = BODY) -> dict[str, str]:
    """The headers of a webhook that is signed with these, now or then."""
    timestamp = int(time.time() if at is None else at)
    keys = read_secrets(",".join(secrets)).keys_for("hooks.example.com")
    return {
        "Webhook-Id": message_id,
        "Webhook-Timestamp": str(timestamp),
        "Webhook-Signature": signatures(keys, message_id, timestamp, body),
    }


def test_the_signature_of_the_specification_is_made_and_taken() -> None:
    secret, message_id, timestamp = SPECIFIED
    keys = read_secrets(secret).keys_for("hooks.example.com")
    made = signatures(keys, message_id, timestamp, SPECIFIED_BODY)
    headers = {"webhook-id": message_id, "webhook-timestamp": str(timestamp), "webhook-signature": made}

    assert made == SPECIFIED_SIGNATURE
    assert verify_webhook(secret, headers, SPECIFIED_BODY, tolerance_seconds=CENTURY_SECONDS) == {"test": 2432232314}


def test_a_webhook_is_believed_by_any_of_its_secrets() -> None:
    """Sender and receiver change them one after the other, in whichever order."""
    both = signed(SECRET, OTHER_SECRET)

    assert len(both["Webhook-Signature"].split(" ")) == 2
    for secrets in (SECRET, OTHER_SECRET, [OTHER_SECRET, SECRET]):
        assert verify_webhook(secrets, both, BODY)["type"] == "job.completed"
    assert verify_webhook([SECRET, OTHER_SECRET], signed(OTHER_SECRET), BODY)


@pytest.mark.parametrize(
    "changes",
    [
        {"Webhook-Id": "a-job-2"},
        {"Webhook-Timestamp": str(int(time.time()) - 60)},
        {"Webhook-Timestamp": "now"},
        {"Webhook-Timestamp": ""},
        {"Webhook-Signature": ""},
        {"Webhook-Signature": "v1,"},
        {"Webhook-Signature": "v1,AAAA"},
        {"Webhook-Signature": signed(OTHER_SECRET)["Webhook-Signature"]},
        {"Webhook-Signature": signed(SECRET)["Webhook-Signature"].replace("v1,", "v2,")},
        {"Webhook-Signature": signed(SECRET)["Webhook-Signature"].replace("v1,", "")},
        {"Webhook-Signature": "v1,\N{PILE OF POO}"},
    ],
)
def test_a_webhook_that_was_changed_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(WebhookRefused):
        verify_webhook(SECRET, signed(SECRET) | changes, BODY)


def test_a_webhook_with_another_body_or_without_headers_is_refused() -> None:
    for headers, body in ((signed(SECRET), BODY + b" "), ({}, BODY), ({}, b"")):
        with pytest.raises(WebhookRefused):
            verify_webhook(SECRET, headers, body)


@pytest.mark.parametrize("late", [301, 86_400, -301])
def test_a_webhook_of_another_time_is_refused(late: float) -> None:
    """Five minutes earlier or later, unless the receiver says otherwise."""
    headers = signed(SECRET, at=time.time() - late)

    with pytest.raises(WebhookRefused, match="too old"):
        verify_webhook(SECRET, headers, BODY)
    assert verify_webhook(SECRET, headers, BODY, tolerance_seconds=100_000)


def test_a_webhook_that_came_before_is_refused_where_ids_are_kept() -> None:
    """A forged one does not take the id of one that is to come."""
    seen: set[str] = set()
    with pytest.raises(WebhookRefused):
        verify_webhook(OTHER_SECRET, signed(SECRET), BODY, seen=seen)
    verify_webhook(SECRET, signed(SECRET), BODY, seen=seen)

    with pytest.raises(WebhookRepeated):
        verify_webhook(SECRET, signed(SECRET), BODY, seen=seen)
    assert verify_webhook(SECRET, signed(SECRET, message_id="a-job-2"), BODY, seen=seen)
    assert seen == {"a-job-1", "a-job-2"}
    assert issubclass(WebhookRepeated, JobstreamError)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_not base64"])
def test_a_receiver_without_a_secret_is_told_so(secret: str) -> None:
    """Rather than taking what anybody could have signed."""
    with pytest.raises(ValueError, match=r"."):
        verify_webhook(secret, signed(SECRET), BODY)


def whsec(count: int) -> str:
    return f"whsec_{b64encode(b'x' * count).decode()}"


def test_the_secrets_of_a_host_go_before_those_of_all() -> None:
    secrets = read_secrets(f"{SECRET}, Hooks.example.com={OTHER_SECRET}")

    assert len(secrets.keys_for("example.com")) == len(secrets.keys_for("hooks.example.com")) == 1
    assert secrets.keys_for("example.com") != secrets.keys_for("hooks.example.com")
    assert read_secrets(f"a.example.com={SECRET}").keys_for("b.example.com") == ()
    assert read_secrets("").keys_for("a.example.com") == ()


@pytest.mark.parametrize(
    "text",
    [
        "secret",
        "whsec_",
        "whsec_%%%",
        whsec(23),
        whsec(65),
        whsec(32).removeprefix("whsec_"),
        f"={whsec(32)}",
        f"host {whsec(32)}",
        f"{whsec(32)},{whsec(32)}",
        f"{whsec(32)},{whsec(33)},{whsec(34)}",
    ],
)
def test_secrets_that_cannot_stand_are_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(ValueError, match=r"secret") as refused:
        read_secrets(text)

    assert len(text) < 8 or text not in str(refused.value)
