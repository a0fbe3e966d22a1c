"""The one list of formats that are read, by path, URL and upload, and what a file of each is."""

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import pillow_heif
from PIL import Image, UnidentifiedImageError
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile

from storycanvas.faces.errors import NotAPicture, PictureTooLarge

MAX_PIXELS = 50_000_000
EXTENSIONS = {
    "JPEG": "jpg",
    "MPO": "jpg",
    "PNG": "png",
    "WEBP": "webp",
    "BMP": "bmp",
    "GIF": "gif",
    "TIFF": "tif",
    "AVIF": "avif",
    "HEIF": "heic",
}
"""How a file of each format ends, by Pillow's names; MPO is a JPEG with a second picture in it."""
CONTENT_TYPES = {
    extension: f"image/{ {'jpg': 'jpeg', 'tif': 'tiff'}.get(extension, extension) }"
    for extension in EXTENSIONS.values()
}
OTHER_ENDINGS = {"jpeg": "jpg", "tiff": "tif", "heif": "heic", "hif": "heic"}
NAMES = "JPEG, PNG, WebP, BMP, GIF, TIFF, HEIC or AVIF"

# AVIF goes before HEIF, which takes its brands, too. MPO is what the JPEG reader makes.
READ_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "AVIF", "HEIF")
"""Formats that are opened at all; Pillow's own list reaches outside programs and rare decoders."""
_ONE_PICTURE = {"MPO", "HEIF"}
"""What else a phone writes into them is no frame; the first or the primary one is the picture."""
_SUBFILE_TYPE, _REDUCED_OR_MASK = 254, 0b101
"""The tag and its bits of pages that are no pages of their own (TIFF 6.0, page 36)."""
_SCALES = {"L;2": 85, "L;4": 17}
"""Grey of a PNG with 2 or 4 bits is scaled by Pillow, its transparent value is not."""
DAMAGES = (
    *(OSError, SyntaxError, ValueError, EOFError, struct.error),
    *(RuntimeError, TypeError, LookupError, ArithmeticError),
)
"""What Pillow and its plugins raise over damaged files.

RuntimeError is libheif's and libavif's, TypeError that of a TIFF directory without a size, and
ZeroDivisionError that of an AVIF sequence without a time scale.
"""
_BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)

pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)


@contextmanager
def refused(name: str) -> Iterator[None]:
    """Turn what goes wrong while a picture is opened, decoded or converted into a refusal.

    Raises:
        PictureTooLarge: It has too many pixels.
        NotAPicture: It is not a picture of a format that is read, or a damaged one.
    """
    try:
        yield
    except _BOMBS as error:
        raise PictureTooLarge(f"The picture {name} has too many pixels: {error}.") from error
    except UnidentifiedImageError as error:
        raise NotAPicture(
            f"{name} is not a picture that can be read; send a {NAMES} file."
        ) from error
    except DAMAGES as error:
        reason = " ".join(str(error).split())
        raise NotAPicture(
            f"The picture {name} is damaged and cannot be decoded ({reason}); export it again."
        ) from error


def opened(file: Path | io.BytesIO, name: str, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Open a picture without decoding it; within `refused`, which turns its errors.

    Raises:
        PictureTooLarge: It has too many pixels.
    """
    image = Image.open(file, formats=READ_FORMATS)
    if image.width * image.height > max_pixels:
        image.close()
        raise PictureTooLarge(
            f"The picture {name} is {image.width} x {image.height} pixels; at most {max_pixels:,} "
            "pixels are read. Scale it down first."
        )
    if isinstance(image, PngImageFile) and image.tile:
        _scale_transparency(image)
    return image


def pixels_in(file: IO[bytes]) -> int:
    """Count the pixels of a picture's file by its header; 0 if that cannot be read."""
    with suppress(*DAMAGES, *_BOMBS):
        file.seek(0)
        with Image.open(file, formats=READ_FORMATS) as image:
            return image.width * image.height
    return 0


def note_on_frames(image: Image.Image, name: str) -> str | None:
    """Write that a picture holds more than is read; None where it is one picture.

    Args:
        image: Opened and not decoded; it may be left at another frame.
        name: What the note calls it.
    """
    if image.format in _ONE_PICTURE:
        return None
    try:
        if not getattr(image, "is_animated", False):
            return None
        if isinstance(image, TiffImageFile):
            image.seek(1)
            if int(image.tag_v2.get(_SUBFILE_TYPE, 0)) & _REDUCED_OR_MASK:
                return None
            return f"The picture {name} has several pages; its first is used."
    except Exception:  # noqa: BLE001 - a remark about later frames must not refuse the first one
        return None
    return f"The picture {name} is animated; its first frame is used."


def _scale_transparency(image: PngImageFile) -> None:
    """Give a PNG's transparent value the scale that its pixels will have."""
    value, layout = image.info.get("transparency"), image.tile[0].args
    if layout == "RGB;16B" and isinstance(value, tuple):
        image.info["transparency"] = tuple(channel >> 8 for channel in value)
    elif isinstance(value, int) and layout in _SCALES:
        image.info["transparency"] = value * _SCALES[layout]
