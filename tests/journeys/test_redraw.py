"""The program that redraws an image: what comes out of it, and how little a hostile file can make of it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from jobs import redraw
from tests.jobs.patience import PATIENCE_SECONDS
from tests.journeys.pictures import BOMBS, HIGH, MEGABYTE, NO_PICTURES, WIDE, as_file, drawing, opened
from tests.system import wait_until

PROGRAM = Path(redraw.__file__)
FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
RED = (255, 0, 0)
LITTLE_BYTES = 200 * MEGABYTE
"""What the interpreter and Pillow take by themselves, and some more."""


def run(file: bytes, *, memory_bytes: int = 2 * redraw.MEMORY_BYTES) -> tuple[int, bytes, str]:
    """Its exit code, what it wrote and what it said, where it may take this much memory."""
    bounded = f'ulimit -v {memory_bytes // 1024}; exec "$@"'
    ended = subprocess.run(
        ["sh", "-c", bounded, "sh", sys.executable, "-I", str(PROGRAM)], input=file, capture_output=True, check=False
    )
    return ended.returncode, ended.stdout, ended.stderr.decode()


def redrawn(file: bytes) -> Image.Image:
    code, drawn, said = run(file)
    assert (code, said) == (0, "")
    return opened(drawn)


def near(picture: Image.Image, place: tuple[int, int], colour: tuple[int, int, int]) -> bool:
    """Whether the pixel has the colour, as far as JPEG keeps it."""
    found = picture.convert("RGB").getpixel(place)
    assert isinstance(found, tuple)
    return all(abs(one - other) < 40 for one, other in zip(found, colour, strict=True))


@pytest.mark.parametrize("form", FORMATS)
def test_a_picture_of_20_megapixels_comes_out_small_enough_for_every_provider(form: str) -> None:
    """The longer edge is what providers look at; nothing of it is cut off."""
    picture = redrawn(as_file(drawing(WIDE, HIGH), form))

    assert picture.size == (1568, 1254)
    assert near(picture, (20, 20), RED)
    assert near(picture, (1500, 1200), (255, 255, 255))


@pytest.mark.parametrize(
    "segment", [b"\xe1Exif\0\0II*\0\x08\0\0\0\xff\0", b"\xe2MPF\0II*\0\x08\0\0\0\0\0"], ids=["EXIF", "MPF"]
)
def test_a_photograph_whose_metadata_is_damaged_is_a_photograph(segment: bytes) -> None:
    """Cameras write such, and so does whoever edits it."""
    photograph = as_file(drawing(), "JPEG")
    marker, data = segment[:1], segment[1:]
    damaged = photograph[:2] + b"\xff" + marker + (len(data) + 2).to_bytes(2, "big") + data + photograph[2:]

    assert near(redrawn(damaged), (20, 20), RED)


@pytest.mark.parametrize("form", FORMATS)
def test_a_small_picture_keeps_its_size(form: str) -> None:
    """Nothing is gained by blowing it up."""
    assert redrawn(as_file(drawing(64, 40), form)).size == (64, 40)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_every_kind_of_pixel_ends_as_red_green_and_blue(mode: str) -> None:
    """Palettes, greys, 16 bits and transparency: a provider sees none of that."""
    given = Image.new("I;16", (64, 40), 65_535) if mode == "I;16" else drawing(64, 40, mode=mode)

    picture = redrawn(as_file(given))

    assert picture.mode == "RGB"
    assert near(picture, (60, 38), (255, 255, 255))


def test_sixteen_bits_of_grey_stay_grey() -> None:
    """Half of the light is not all of it."""
    assert near(redrawn(as_file(Image.new("I;16", (8, 8), 32_768))), (4, 4), (128, 128, 128))


def test_what_shines_through_is_white() -> None:
    """Black lines on nothing would else be black on black."""
    assert near(redrawn(as_file(Image.new("RGBA", (8, 8), (0, 0, 0, 0)))), (4, 4), (255, 255, 255))


def test_a_photograph_that_was_taken_sideways_stands_upright() -> None:
    """Its orientation is applied, and not told."""
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it to the right

    picture = redrawn(as_file(drawing(400, 200), "JPEG", exif=exif))

    assert picture.size == (200, 400)
    assert near(picture, (190, 10), RED)


def test_nothing_that_the_file_told_besides_the_picture_is_kept() -> None:
    """Neither where it was taken, nor by whom, nor what hangs behind it."""
    exif = Image.Exif()
    exif[0x013B] = "canary-artist"
    file = as_file(drawing(), "JPEG", exif=exif, comment=b"canary-comment") + b"<script>canary-behind</script>"

    _, drawn, _ = run(file)

    assert b"canary" in file
    assert b"canary" not in drawn
    assert dict(opened(drawn).getexif()) == {}


@pytest.mark.parametrize("form", ["GIF", "WEBP"])
def test_of_a_moving_picture_the_first_frame_counts(form: str) -> None:
    """The rest is gone."""
    file = as_file(drawing(), form, save_all=True, append_images=[Image.new("RGB", (640, 400), "green")])

    picture = redrawn(file)

    assert getattr(picture, "n_frames", 1) == 1
    assert near(picture, (20, 20), RED)


def test_noise_goes_as_jpeg_because_png_would_be_larger_than_providers_take() -> None:
    """Five megabytes are the least that one of them refuses."""
    noise = Image.frombytes("RGB", (2_000, 2_000), os.urandom(12 * MEGABYTE))

    _, drawn, _ = run(as_file(noise, "JPEG"))

    assert opened(drawn).format == "JPEG"
    assert len(drawn) < 3 * MEGABYTE


@pytest.mark.parametrize("name", NO_PICTURES)
def test_what_is_not_one_picture_is_refused_or_fails(name: str) -> None:
    """Nothing comes out, and no traceback is mistaken for a reason."""
    code, drawn, said = run(NO_PICTURES[name], memory_bytes=LITTLE_BYTES)

    assert (code != 0, drawn) == (True, b"")
    assert "MemoryError" not in said
    assert ("Traceback" in said) == (code != redraw.REFUSED)


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_takes_no_memory(name: str) -> None:
    """Its size is read before its pixels, and what it tells besides is not blown up."""
    code, drawn, said = run(BOMBS[name], memory_bytes=LITTLE_BYTES)

    assert (code != 0, drawn) == (True, b"")
    assert "MemoryError" not in said


def test_a_picture_whose_decoder_takes_too_much_memory_ends_the_program_alone() -> None:
    """25 megapixels of four bytes, in the format whose decoder takes the most: they fit the bound, not half of it."""
    largest = as_file(Image.new("RGBA", (5_000, 5_000), (1, 2, 3, 4)), "WEBP", lossless=True, method=0)

    assert run(largest)[0] == 0
    code, drawn, _ = run(largest, memory_bytes=redraw.MEMORY_BYTES // 2)

    assert (code != 0, drawn) == (True, b"")


@pytest.mark.skipif(sys.platform != "linux", reason="Only Linux tells the bounds of another process")
def test_the_program_takes_its_own_rights_away_before_it_reads() -> None:
    """Memory, processor time, files: what a decoder that was taken over could do with them."""
    with subprocess.Popen([sys.executable, "-I", str(PROGRAM)], stdin=subprocess.PIPE) as child:
        limits = Path(f"/proc/{child.pid}/limits")
        wait_until(lambda: f"{redraw.MEMORY_BYTES} " in limits.read_text(), PATIENCE_SECONDS)
        told = {line[:26].strip(): line[26:].split() for line in limits.read_text().splitlines()}
        child.kill()

    assert told["Max address space"][:2] == [str(redraw.MEMORY_BYTES)] * 2
    assert told["Max file size"][:2] == ["0", "0"]
    assert told["Max core file size"][:2] == ["0", "0"]
    assert told["Max cpu time"][:2] == [str(redraw.CPU_SECONDS)] * 2
