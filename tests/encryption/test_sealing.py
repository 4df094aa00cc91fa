"""What a ring of keys seals, and what it refuses to open."""

import os
import time
from base64 import b64decode, b64encode, urlsafe_b64encode

import pytest

from jobs.encryption import NONCE_BYTES, PLAIN, SEALED, UNSEALED, Ring, Sealer, sealer_of
from jobs.errors import IntegrityError
from tests.encryption.keys import FIRST, SECOND
from tests.figures import Say

VALUE = "naïve 𝄞".encode()


def seal(sealer: Sealer, value: bytes = VALUE) -> bytes:
    return sealer.seal("input", value, subject="somebody", job_id="a-job")


def opened(sealer: Sealer, sealed: bytes) -> bytes:
    return sealer.open("input", sealed, subject="somebody", job_id="a-job")


@pytest.mark.parametrize("size", [1, 2, 3, 4, 100, 100_000])
def test_what_was_sealed_is_opened_and_cannot_be_read_before(size: int) -> None:
    """Also by a ring of its own, as another process has it; the same value never looks the same."""
    value = os.urandom(size) if size > 4 else b"word"[:size]
    sealed = [seal(sealer_of(FIRST), value) for _ in range(20)]

    assert {opened(sealer_of(FIRST), each) for each in sealed} == {value}
    assert len(set(sealed)) == 20
    assert all(each.startswith(SEALED) and each.isascii() and b"\n" not in each for each in sealed)
    if size > 4:
        assert not any(value in b64decode(each.rpartition(b":")[2]) for each in sealed)


def test_a_change_of_any_byte_is_refused() -> None:
    """Of each length that base64 pads in another way; whether it says something else or the same in other words."""
    ring = sealer_of(FIRST)
    for value in (b"one", b"four", b"seven"):
        sealed = seal(ring, value)
        for place in range(len(sealed)):
            for flip in (1, 2, 4, 32, 128):
                changed = bytearray(sealed)
                changed[place] ^= flip
                with pytest.raises(IntegrityError):
                    opened(ring, bytes(changed))
        for shorter in range(1, len(sealed)):
            with pytest.raises(IntegrityError):
                opened(ring, sealed[:shorter])
        for more in (b"=", b"\n", b"A", b" "):
            with pytest.raises(IntegrityError):
                opened(ring, sealed + more)


@pytest.mark.parametrize(
    ("field", "subject", "job_id"),
    [
        ("result", "somebody", "a-job"),
        ("input", "another", "a-job"),
        ("input", None, "a-job"),
        ("input", "somebody", "a-jo"),
        ("input", "somebodya", "-job"),
    ],
)
def test_what_was_sealed_for_one_place_is_refused_at_another(field: str, subject: str | None, job_id: str) -> None:
    ring = sealer_of(FIRST)

    with pytest.raises(IntegrityError):
        ring.open(field, seal(ring), subject=subject, job_id=job_id)


def test_another_key_cannot_be_put_in_the_place_of_the_one_that_sealed() -> None:
    """The key's name is part of what is authenticated, and each key seals each job with one derived from it."""
    both = sealer_of(f"{FIRST},{SECOND}")
    by_first, by_second = seal(sealer_of(FIRST)), seal(sealer_of(SECOND))
    prefix = len(SEALED) + 12
    renamed = by_second[:prefix] + by_first[prefix:]

    assert opened(both, by_first) == opened(both, by_second) == VALUE
    with pytest.raises(IntegrityError):
        opened(both, renamed)


def test_after_a_rotation_the_new_key_seals_and_the_old_one_still_opens() -> None:
    old, rotated, new = sealer_of(FIRST), sealer_of(f"{SECOND},{FIRST}"), sealer_of(SECOND)

    assert opened(rotated, seal(old)) == VALUE
    assert opened(new, seal(rotated)) == VALUE
    with pytest.raises(IntegrityError):
        opened(old, seal(rotated))
    with pytest.raises(IntegrityError):
        opened(new, seal(old))


def test_without_a_key_nothing_sealed_is_taken_for_plain() -> None:
    with pytest.raises(IntegrityError):
        opened(UNSEALED, seal(sealer_of(FIRST)))


def test_what_is_not_sealed_is_refused_unless_it_may_be_from_before() -> None:
    """Whoever can write to the store could have put it there; a migration takes that risk, and says so."""
    migrating = sealer_of(FIRST, migrating=True)

    with pytest.raises(IntegrityError):
        opened(sealer_of(FIRST), seal(UNSEALED))
    assert opened(migrating, seal(UNSEALED)) == opened(migrating, seal(migrating)) == VALUE
    with pytest.raises(IntegrityError):
        opened(migrating, seal(migrating)[:-8])


@pytest.mark.parametrize("claim", [SEALED, PLAIN, SEALED + b"0123456789ab:AAAA", PLAIN + SEALED])
def test_a_plain_value_that_looks_sealed_is_read_as_it_was_written(claim: bytes) -> None:
    """Somebody asked a model how sealed values look."""
    assert opened(UNSEALED, seal(UNSEALED, claim)) == claim
    assert opened(sealer_of(FIRST, migrating=True), seal(UNSEALED, claim)) == claim
    assert opened(sealer_of(FIRST), seal(sealer_of(FIRST), claim)) == claim


def test_a_digest_knows_its_value_after_every_rotation_and_tells_nobody_else() -> None:
    old, rotated = sealer_of(FIRST), sealer_of(f"{SECOND},{FIRST}")
    digest = old.digest(VALUE)

    assert old.has_digest(VALUE, digest)
    assert rotated.has_digest(VALUE, digest)
    assert not rotated.has_digest(VALUE + b"!", digest)
    assert rotated.digest(VALUE) != digest
    assert UNSEALED.digest(VALUE) not in digest
    for stranger in (sealer_of(SECOND), UNSEALED):
        with pytest.raises(IntegrityError):
            stranger.has_digest(VALUE, digest)
    with pytest.raises(IntegrityError):
        old.has_digest(VALUE, UNSEALED.digest(VALUE))
    assert sealer_of(FIRST, migrating=True).has_digest(VALUE, UNSEALED.digest(VALUE))


def test_a_key_may_be_written_in_hexadecimal_or_any_base64() -> None:
    key = b"\xfb\xef\xff" + os.urandom(29)
    forms = [key.hex(), b64encode(key).decode(), urlsafe_b64encode(key).decode(), b64encode(key).decode().rstrip("=")]

    for form in forms:
        assert opened(Ring([key]), seal(sealer_of(f" {form} "))) == VALUE


@pytest.mark.parametrize(
    "keys", ["secret", "1f" * 31, "zz" * 32, f"{FIRST},", f",{FIRST}", f"{FIRST},{FIRST.upper()}", " ", "ä" * 32]
)
def test_a_bad_key_is_refused_without_being_repeated(keys: str) -> None:
    with pytest.raises(ValueError, match="key") as refused:
        sealer_of(keys)

    assert keys.strip(" ,") == "" or keys not in str(refused.value)


def test_what_sealing_costs(say: Say) -> None:
    """Not judged: the machine is shared."""
    ring = sealer_of(FIRST)
    for size, times in ((20, 5000), (1024, 5000), (65_536, 500)):
        value = os.urandom(size)
        began = time.perf_counter()
        for _ in range(times):
            sealed = seal(ring, value)
        between = time.perf_counter()
        for _ in range(times):
            opened(ring, sealed)
        seal_us, open_us = (between - began) / times * 1e6, (time.perf_counter() - between) / times * 1e6
        say(f"{size} bytes are sealed in {seal_us:.1f} us and opened in {open_us:.1f} us")
    assert len(sealed) < (65_536 + NONCE_BYTES + 16) * 4 / 3 + 40
