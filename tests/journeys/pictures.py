"""Image files for tests: drawings, and what a stranger might send instead of one."""

import io
import struct
import zipfile
import zlib
from typing import Any

from PIL import Image, ImageDraw

MEGABYTE = 1_000_000

WIDE, HIGH = 5_000, 4_000
"""20 megapixels."""


def drawing(width: int = 640, height: int = 400, *, mode: str = "RGB") -> Image.Image:
    """Boxes and arrows on white; red in the upper left corner, so that one can tell when it lies on its side."""
    picture = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(picture)
    for left in range(0, width - width // 8, width // 4):
        draw.rectangle([left, height // 3, left + width // 8, height // 2], outline="black", width=3)
        draw.line([left + width // 8, height // 2, left + width // 4, height // 2], fill="blue", width=3)
    draw.rectangle([0, 0, width // 4, height // 4], fill="red")
    return picture.convert(mode)


def as_file(picture: Image.Image, form: str = "PNG", **how: Any) -> bytes:
    """The picture as a file of the format."""
    file = io.BytesIO()
    if form == "GIF":
        picture = picture.convert(
            "P"
        )  # with a palette of its own making, Pillow writes 20 megapixels of white as red
    picture.save(file, form, **how)
    return file.getvalue()


def opened(file: bytes) -> Image.Image:
    return Image.open(io.BytesIO(file))


def png_of(width: int, height: int, *more: bytes) -> bytes:
    """A grey PNG that says it has this size, with only a little of its pixels; `more` are whole chunks."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(MEGABYTE))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(more) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def archive() -> bytes:
    """A ZIP file, which is read from its end."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as whole:
        whole.writestr("run.sh", "echo")
    return file.getvalue()


SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg"><image href="http://169.254.169.254/"/><script>alert(1)</script></svg>'
)

BOMBS: dict[str, bytes] = {
    "3.6 billion pixels": png_of(60_000, 60_000),
    "one row more than is taken": png_of(5_000, 5_001),
    "a text of 512 MB": png_of(10, 10, chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(512 * MEGABYTE), 9))),
    "a profile of 512 MB": png_of(10, 10, chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(512 * MEGABYTE), 9))),
    "a GIF of 4 billion pixels": b"GIF89a" + struct.pack("<HHBBB", 65_535, 65_535, 0, 0, 0) + b"\x2c" + bytes(9),
}

NO_PICTURES: dict[str, bytes] = {
    "half a PNG": as_file(drawing())[:800],
    "half a JPEG": as_file(drawing(), "JPEG")[:2_000],
    "half a WebP": as_file(drawing(), "WEBP")[:500],
    "only a signature": b"\x89PNG\r\n\x1a\n",
    "a PNG with a broken checksum": as_file(drawing()).replace(b"IDAT", b"IDAU", 1),
    "a PNG that is an archive too": as_file(drawing()) + archive(),
    "a JPEG that is an archive too": as_file(drawing(), "JPEG") + archive(),
    "a JPEG that is a PDF too": as_file(drawing(), "JPEG", comment=b"%PDF-1.7 1 0 obj"),
    "a script that begins like a GIF": b"GIF89a/*" + bytes(8) + b"*/=1;alert(1)",
    "an SVG": SVG,
    "an SVG with a declaration": b'<?xml version="1.0"?>' + SVG,
    "a TIFF": as_file(drawing(), "TIFF"),
    "a BMP": as_file(drawing(), "BMP"),
    "an icon": as_file(drawing(), "ICO"),
    "a PostScript program": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n",
    "words": b"Not a picture at all.",
    "nothing": b"",
}
