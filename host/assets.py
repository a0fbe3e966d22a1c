"""The pictures a host keeps, named by their content: uploads and outputs alike."""

import contextlib
import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from PIL import Image, UnidentifiedImageError

from faces.contract import ASSET_PREFIX
from faces.errors import BadField, NotAPicture, PictureNotFound, PictureTooLarge
from faces.pictures import MAX_BYTES, MAX_PIXELS, Picture
from host.durable_files import part_file, put_in_place, remove_older, write_durably

CONTENT_TYPES = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp"}
_EXTENSIONS = {"PNG": "png", "JPEG": "jpg", "MPO": "jpg", "WEBP": "webp"}
"""By Pillow's format; MPO is what it calls a JPEG file with a second picture behind the first."""
_NAME = re.compile(r"[0-9a-f]{64}\.(png|jpg|webp)")


class IncomingPicture:
    """An upload on its way to the disk: hashed while it is written, so never held in memory."""

    def __init__(self, file: IO[bytes], folder: Path) -> None:
        self._file = file
        self._folder = folder
        self._digest = hashlib.sha256()
        self._size = 0

    def write(self, chunk: bytes) -> None:
        """Take the next bytes.

        Raises:
            PictureTooLarge: The upload has become larger than a picture may be.
        """
        self._size += len(chunk)
        if self._size > MAX_BYTES:
            raise PictureTooLarge(f"The upload has more than {MAX_BYTES:,} bytes.")
        self._digest.update(chunk)
        self._file.write(chunk)

    def keep(self) -> str:
        """Put the picture in place.

        Returns:
            Its name, `<sha256>.<ext>`.

        Raises:
            NotAPicture: It is no PNG, JPEG or WebP.
            PictureTooLarge: It has too many pixels.
        """
        self._file.flush()
        name = f"{self._digest.hexdigest()}.{_extension(self._file)}"
        put_in_place(self._file, self._folder / name)
        return name


class AssetStore:
    """A folder of pictures, each under the SHA-256 of its bytes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    @contextlib.contextmanager
    def incoming(self) -> Iterator[IncomingPicture]:
        """Receive an upload; what is not kept is gone afterwards."""
        with part_file(self._folder) as file:
            yield IncomingPicture(file, self._folder)

    def add(self, picture: Picture) -> str:
        """Keep an output.

        Returns:
            Its name, `<sha256>.png`.
        """
        name = picture.asset_name
        write_durably(self._folder / name, picture.png)
        return name

    def find(self, name: str) -> Path:
        """Find a picture, and note that it is still used.

        Args:
            name: `<sha256>.<ext>`, with or without the prefix `asset:`.

        Raises:
            BadField: That is no name of a picture.
            PictureNotFound: The host has no such picture.
        """
        name = name.removeprefix(ASSET_PREFIX)
        if not _NAME.fullmatch(name):
            raise BadField("A picture's name is asset:<sha256>.png, .jpg or .webp.")
        path = self._folder / name
        try:
            os.utime(path)
        except FileNotFoundError as error:
            raise PictureNotFound(
                f"The host has no picture asset:{name}; upload it again."
            ) from error
        return path

    def remove_older(self, seconds: float) -> int:
        """Remove pictures unused for that many seconds, and say how many."""
        return remove_older(self._folder, seconds)


def content_type(path: Path) -> str:
    """Name the content type of a kept picture."""
    return CONTENT_TYPES[path.suffix.removeprefix(".")]


def _extension(file: IO[bytes]) -> str:
    """Judge a picture by its content, without decoding its pixels."""
    try:
        with Image.open(file.name, formats=("PNG", "JPEG", "WEBP")) as image:
            width, height, kind = image.width, image.height, image.format
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureTooLarge(f"The picture has too many pixels: {error}") from error
    except UnidentifiedImageError as error:
        raise NotAPicture("The upload is no picture; send a PNG, JPEG or WebP file.") from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise NotAPicture("The picture is damaged; export it again.") from error
    if width * height > MAX_PIXELS:
        raise PictureTooLarge(
            f"The picture is {width} x {height} pixels; at most {MAX_PIXELS:,} are read."
        )
    return _EXTENSIONS[str(kind)]
