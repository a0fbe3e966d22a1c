"""The file of an output, as its operation asks for it, and which outputs no file could hold."""

import io

from PIL import Image

from storycanvas.faces.errors import OutOfRange, PictureTooLarge
from storycanvas.faces.operations import FaceOperation, MaskedOperation, OutputFormat
from storycanvas.faces.pictures.reading import Picture, allowed_bytes

_MAX_SIDE = {OutputFormat.JPEG: 65_500, OutputFormat.WEBP: 16_383}
"""Pixels of a side that libjpeg and libwebp write."""
_MAX_PROFILE = {OutputFormat.JPEG: 255 * 65_519}
"""Bytes of an ICC profile: a JPEG file holds it in as many pieces."""
_EXTENSIONS = {OutputFormat.JPEG: "jpg", OutputFormat.WEBP: "webp"}
_OPAQUE = (255, 255)
_BESIDE_PIXELS = 64 * 1024


def require_writable(operation: FaceOperation, picture: Picture) -> None:
    """Refuse, before it is done, an operation whose output could not be written or fetched.

    Args:
        operation: What is asked for.
        picture: What it works on; the output has its size, its alpha channel and its profile.

    Raises:
        OutOfRange: The format cannot hold it.
        PictureTooLarge: Its profile makes the output too large to be fetched.
    """
    if not isinstance(operation, MaskedOperation):
        return
    asked, field = operation.output_format, operation.pictures[-1]
    side, most = max(picture.width, picture.height), _MAX_SIDE.get(asked)
    if most is not None and side > most:
        raise OutOfRange(
            f"output_format {asked} holds at most {most:,} pixels a side, and {field} has "
            f"{side:,}; take png, or scale it down first."
        )
    if asked is OutputFormat.JPEG and _is_transparent(picture.image):
        raise OutOfRange(
            f"output_format jpeg holds no transparency, which {field} has; take png or webp."
        )
    _require_fitting_profile(asked, field, picture)


def _require_fitting_profile(asked: OutputFormat, field: str, picture: Picture) -> None:
    profile = len(picture.image.info.get("icc_profile") or b"")
    pixels = picture.width * picture.height
    # PNG of noise; no other file of these formats is larger.
    most = allowed_bytes(pixels) - pixels * len(picture.image.mode) - picture.height
    if profile > min(most - _BESIDE_PIXELS, _MAX_PROFILE.get(asked, profile)):
        raise PictureTooLarge(
            f"{field} has an ICC profile of {profile:,} bytes, with which the output could not be "
            "fetched; convert it to sRGB first."
        )


def encoded(operation: FaceOperation, picture: Picture) -> Picture:
    """Return an output with the file that its operation asks for, and its ICC profile inside."""
    if not isinstance(operation, MaskedOperation) or operation.output_format is OutputFormat.PNG:
        return picture
    asked, image, buffer = operation.output_format, picture.image, io.BytesIO()
    profile = image.info.get("icc_profile")
    keeps_alpha = asked is OutputFormat.WEBP and _is_transparent(image)
    plain = image.convert("RGBA" if keeps_alpha else "RGB")
    plain.info.clear()  # Pillow writes what it finds there
    plain.save(
        buffer, format=asked.upper(), quality=operation.output_quality, icc_profile=profile or b""
    )
    return Picture(buffer.getvalue(), picture.width, picture.height, "", _EXTENSIONS[asked])


def _is_transparent(image: Image.Image) -> bool:
    return image.mode == "RGBA" and image.getchannel("A").getextrema() != _OPAQUE
