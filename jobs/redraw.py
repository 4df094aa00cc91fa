"""Redraw an image: reads a file from its input, and writes the same picture as a new, small file to its output.

A program of its own, run by its path: what a stranger's file makes a decoder do ends with this process, which may
use so much memory and processor time and no more, and write no file.
"""

import resource
import sys
import warnings
import zipfile
from contextlib import suppress
from io import BytesIO

from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
MOST_PIXELS = 25_000_000
EDGE = 1568
"""Pixels of the longer edge: beyond that Anthropic scales down itself (docs.claude.com, "Vision"), and the other
two take more; what all three take needs no second form of the image."""

MOST_PNG_BYTES = 1536 * 1024
"""A drawing is sharper and smaller as PNG; what is larger is a photograph, and goes as JPEG."""

MEMORY_BYTES = 1024**3
CPU_SECONDS = 10
REFUSED = 3
"""The exit code of a refusal, whose reason is on the error output; any other but 0 is a decoder that failed."""


class Refused(Exception):
    """The file is not a picture that is taken; the message says why."""


def main() -> None:
    """Redraw what is on the standard input."""
    bound()
    warnings.simplefilter("ignore")  # cameras write metadata that is not quite right; none of it is kept
    try:
        redrawn = redraw(sys.stdin.buffer.read())
    except Refused as refusal:
        sys.stderr.write(str(refusal))
        sys.exit(REFUSED)
    sys.stdout.buffer.write(redrawn)


def bound() -> None:
    """Take away from this process what decoding a picture does not need."""
    for what, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(ValueError, OSError):  # macOS has no bound of the address space
            resource.setrlimit(what, (most, most))


def redraw(given: bytes) -> bytes:
    """The picture as a new PNG or JPEG file: upright, on white, its first frame, without anything else that the file
    held; Refused for what is not one picture of a known format and of few enough pixels."""
    if zipfile.is_zipfile(BytesIO(given)) or b"%PDF-" in given[:1024]:
        raise Refused("The file is an image and something else besides; save the image anew.")
    Image.MAX_IMAGE_PIXELS = None  # the bound is ours to check, and without Pillow's factor of two
    try:
        with Image.open(BytesIO(given), formats=FORMATS) as image:
            if image.width * image.height > MOST_PIXELS:
                raise Refused(f"The image has {image.width} x {image.height} pixels; {MOST_PIXELS:,} are taken.")
            image.draft("RGB", (EDGE, EDGE))  # of a large JPEG no more is decoded than is needed
            picture = flat(image)
    except UnidentifiedImageError:
        raise Refused("The file is not a PNG, JPEG, WebP or GIF image.") from None
    upright = ImageOps.exif_transpose(picture)
    upright.info.clear()
    return saved(upright)


def flat(image: Image.Image) -> Image.Image:
    """The picture in red, green and blue, no larger than it is shown to anybody; what shines through is white."""
    if image.mode.startswith("I"):  # 16 bits of grey, which Pillow would cut off instead of scaling them
        image = image.point(lambda grey: grey / 256).convert("L")
    picture = image.convert("RGBA" if image.has_transparency_data else "RGB")
    picture.thumbnail((EDGE, EDGE))
    if picture.mode == "RGB":
        return picture
    white = Image.new("RGBA", picture.size, "white")
    white.alpha_composite(picture)
    paper = white.convert("RGB")
    paper.info = picture.info
    return paper


def saved(picture: Image.Image) -> bytes:
    """The picture as a file."""
    png, jpeg = BytesIO(), BytesIO()
    picture.save(png, "PNG")
    if png.tell() <= MOST_PNG_BYTES:
        return png.getvalue()
    picture.save(jpeg, "JPEG", quality=90)
    return jpeg.getvalue()


if __name__ == "__main__":
    main()
