"""An upload on its way to the disk: hashed and measured while it is written."""

import hashlib
from typing import IO

from PIL import Image, UnidentifiedImageError

from storycanvas.faces.errors import NotAPicture, PictureTooLarge
from storycanvas.faces.pictures.reading import MAX_BYTES, MAX_PIXELS

_EXTENSIONS = {"PNG": "png", "JPEG": "jpg", "MPO": "jpg", "WEBP": "webp"}
"""By Pillow's format; MPO is what it calls a JPEG file with a second picture behind the first."""


class IncomingPicture:
    """The received part of an upload; never held in memory as a whole."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self._digest = hashlib.sha256()
        self._size = 0

    def write(self, chunk: bytes) -> None:
        """Take the next bytes; more than a picture may have are refused with `PictureTooLarge`."""
        self._size += len(chunk)
        if self._size > MAX_BYTES:
            raise PictureTooLarge(f"The upload has more than {MAX_BYTES:,} bytes.")
        self._digest.update(chunk)
        self.file.write(chunk)

    def name(self) -> str:
        """Return the name of the complete upload by its content, `<sha256>.<ext>`.

        Raises:
            NotAPicture: It is not a PNG, JPEG or WebP file.
            PictureTooLarge: It has too many pixels.
        """
        self.file.flush()
        return f"{self._digest.hexdigest()}.{_extension(self.file)}"


def _extension(file: IO[bytes]) -> str:
    """Identify a picture by its content, without decoding its pixels."""
    try:
        with Image.open(file.name, formats=("PNG", "JPEG", "WEBP")) as image:
            width, height, kind = image.width, image.height, image.format
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureTooLarge(f"The picture has too many pixels: {error}") from error
    except UnidentifiedImageError as error:
        raise NotAPicture("The upload is not a picture; send a PNG, JPEG or WebP file.") from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise NotAPicture("The picture is damaged; export it again.") from error
    if width * height > MAX_PIXELS:
        raise PictureTooLarge(
            f"The picture is {width} x {height} pixels; at most {MAX_PIXELS:,} are read."
        )
    return _EXTENSIONS[str(kind)]
