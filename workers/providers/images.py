"""Pictures as the wires carry them."""

from base64 import b64encode

from jobs.kind import Image


def base64_of(image: Image) -> str:
    """Its bytes in base64."""
    return b64encode(image.data).decode()


def data_url(image: Image) -> str:
    """The whole image as an address."""
    return f"data:{image.media_type};base64,{base64_of(image)}"
