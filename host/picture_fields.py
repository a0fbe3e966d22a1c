"""Where a picture field of a request may lead: an asset, an allowed folder, an allowed server."""

import asyncio
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from faces.contract import ASSET_PREFIX
from faces.errors import BadField, PictureNotFound, PictureTooLarge
from faces.pictures import MAX_BYTES, Picture, read_picture
from host.assets import AssetStore
from host.picture_downloads import PictureDownloads

LONGEST_VALUE = 4096
_OPEN_FLAGS = os.O_RDONLY
for _flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"):  # each system has some of them
    _OPEN_FLAGS |= getattr(os, _flag, 0)


class PictureFields:
    """Reads the picture that a field names, or refuses it."""

    def __init__(
        self, assets: AssetStore, roots: Sequence[Path], downloads: PictureDownloads
    ) -> None:
        self._assets = assets
        self._roots = tuple(root.resolve() for root in roots)
        self._downloads = downloads

    async def read(self, field: str, value: str) -> Picture:
        """Read a picture into normal form.

        Args:
            field: The field's name, for messages.
            value: `asset:<name>`, an absolute path, or an http(s) URL.

        Raises:
            BadField: The value is none of these, or not allowed.
            PictureNotFound: It leads nowhere.
            PictureTooLarge: Too many bytes or pixels.
            NotAPicture: The bytes cannot be decoded.
            PictureUnreachable: The picture's server does not answer.
        """
        if not value or len(value) > LONGEST_VALUE or "\0" in value:
            raise BadField(f"{field} is empty, too long, or holds a null character.")
        if value.lower().startswith(("http://", "https://")):
            data = await self._downloads.fetch(field, value)
            return await asyncio.to_thread(read_picture, data, field)
        return await asyncio.to_thread(self._read_file, field, value)

    def _read_file(self, field: str, value: str) -> Picture:
        if value.startswith(ASSET_PREFIX):
            path = self._assets.find(value)
        else:
            path = self._allowed_path(field, value)
        return read_picture(_file_bytes(field, path), field)

    def _allowed_path(self, field: str, value: str) -> Path:
        """Follow all links first, so that what is outside stays outside and unknown."""
        path = Path(value)
        if not path.is_absolute():
            raise BadField(
                f"{field} takes asset:<name>, an absolute path or an http(s) URL, nothing else."
            )
        try:
            real = path.resolve()
            allowed = any(real.is_relative_to(root) for root in self._roots)
        except (OSError, RuntimeError, ValueError):  # a loop of links, a name beyond all limits
            allowed = False
        if not allowed:
            raise BadField(
                f"{field} is a path outside of the folders that this host allows; upload the "
                "picture, or let the operator allow its folder."
            )
        return real


def _file_bytes(field: str, path: Path) -> bytes:
    """Read a regular file; a device or a pipe would never end."""
    try:
        with open(os.open(path, _OPEN_FLAGS), "rb") as file:  # noqa: PTH123 - needs the flags
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise PictureNotFound(f"{field} leads to something that is not a file.")
            if status.st_size > MAX_BYTES:
                raise PictureTooLarge(
                    f"{field} has {status.st_size:,} bytes; at most {MAX_BYTES:,} are read."
                )
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise PictureNotFound(
            f"{field} leads to no file that the host can read ({error.strerror})."
        ) from error
