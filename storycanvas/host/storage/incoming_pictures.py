"""An upload on its way to the disk: hashed and measured while it is written."""

import hashlib
from pathlib import Path
from typing import IO

from storycanvas.faces.pictures.formats import EXTENSIONS, opened, refused
from storycanvas.faces.pictures.reading import GrowingFile


class IncomingPicture:
    """The received part of an upload; never held in memory as a whole."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self._digest = hashlib.sha256()
        self._growing = GrowingFile(file, "The upload")

    def write(self, chunk: bytes) -> None:
        """Take the next bytes; more than a picture may have are refused with `PictureTooLarge`."""
        self._growing.write(chunk)
        self._digest.update(chunk)

    def name(self) -> str:
        """Return the name of the complete upload by its content, `<sha256>.<ext>`.

        Raises:
            NotAPicture: It is of no format that is read.
            PictureTooLarge: It has too many pixels.
        """
        self.file.flush()
        # Identified by its content, without decoding its pixels.
        with refused("upload"), opened(Path(self.file.name), "upload") as image:
            return f"{self._digest.hexdigest()}.{EXTENSIONS[str(image.format)]}"
