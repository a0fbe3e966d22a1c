"""Pictures on their way to a host, read in pieces as they are sent."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from io import BufferedReader
from pathlib import Path

from faces.errors import NotAPicture, PictureNotFound, PictureTooLarge
from faces.pictures import MAX_BYTES, Picture

CHUNK_BYTES = 256 * 1024
"""Size of a piece. httpcore 1.0.9 copies what is left of a piece with every send, so a whole
picture in one piece would be copied over and over."""
_EXTENSIONS = {".png": "png", ".jpg": "jpg", ".jpeg": "jpg", ".webp": "webp"}


@dataclass(frozen=True)
class Upload:
    """A picture that can be sent, any number of times.

    Attributes:
        sha256: Hash of its bytes.
        extension: `png`, `jpg` or `webp`.
        size: Bytes.
        chunks: Reads it from its begin.
    """

    sha256: str
    extension: str
    size: int
    chunks: Callable[[], Iterator[bytes]]

    @property
    def name(self) -> str:
        """Its name on a host."""
        return f"{self.sha256}.{self.extension}"


def upload_of(source: Picture | Path) -> Upload:
    """Prepare a picture in memory, or a file, for sending.

    Args:
        source: A file must be a PNG, JPEG or WebP by its name; it is read as it is sent.

    Raises:
        PictureNotFound: The file cannot be read.
        NotAPicture: The file's name ends otherwise.
        PictureTooLarge: It has more than `MAX_BYTES` bytes.
    """
    if isinstance(source, Picture):
        sha256 = source.asset_name.partition(".")[0]
        return Upload(sha256, "png", len(source.png), partial(_pieces, source.png))
    extension = _EXTENSIONS.get(source.suffix.lower())
    if extension is None:
        raise NotAPicture(f"{source.name!r} cannot be sent; a host takes .png, .jpg and .webp.")
    size, sha256 = _measured(source)
    if size > MAX_BYTES:
        raise PictureTooLarge(f"{source.name!r} has {size:,} bytes; at most {MAX_BYTES:,} go.")
    return Upload(sha256, extension, size, partial(_read, source))


def _pieces(data: bytes) -> Iterator[bytes]:
    return (data[begin : begin + CHUNK_BYTES] for begin in range(0, len(data), CHUNK_BYTES))


def _read(path: Path) -> Iterator[bytes]:
    with _reading(path) as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def _measured(path: Path) -> tuple[int, str]:
    with _reading(path) as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return file.tell(), digest


@contextmanager
def _reading(path: Path) -> Iterator[BufferedReader]:
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise PictureNotFound(
            f"The file {path.name!r} cannot be read ({error.strerror}); name one that can."
        ) from error
