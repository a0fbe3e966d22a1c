"""Where a picture field of a request may lead: an asset, an allowed folder, an allowed server."""

import asyncio
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from storycanvas.faces.contract import ASSET_PREFIX
from storycanvas.faces.errors import BadField, PictureNotFound, PictureTooLarge
from storycanvas.faces.pictures.reading import MAX_BYTES, Picture, read_picture
from storycanvas.host.sources.allowed_folders import (
    AllowedFolders,
    OutsideAllowedFoldersError,
    open_without_links,
)
from storycanvas.host.sources.picture_downloads import PictureDownloads
from storycanvas.host.storage.assets import AssetStore

MAX_VALUE_LENGTH = 4096


class PictureFields:
    """Reads the picture that a field names, or refuses it."""

    def __init__(
        self, assets: AssetStore, roots: Sequence[Path], downloads: PictureDownloads
    ) -> None:
        self._assets = assets
        self._folders = AllowedFolders(roots)
        self._downloads = downloads

    async def read(self, field: str, value: str) -> Picture:
        """Read a picture into normal form.

        Args:
            field: The field's name, for messages.
            value: `asset:<name>`, an absolute path, or an http(s) URL; all else is a `BadField`.
        """
        if not value or len(value) > MAX_VALUE_LENGTH or "\0" in value:
            raise BadField(f"{field} is empty, too long, or holds a null character.")
        if value.lower().startswith(("http://", "https://")):
            data = await self._downloads.fetch(field, value)
            return await asyncio.to_thread(read_picture, data, field)
        return await asyncio.to_thread(self._read_file, field, value)

    def _read_file(self, field: str, value: str) -> Picture:
        try:
            data = _regular_bytes(field, self._open(field, value))
        except OSError as error:
            raise PictureNotFound(
                f"{field} leads to no file that the host can read ({error.strerror})."
            ) from error
        return read_picture(data, field)

    def _open(self, field: str, value: str) -> int:
        if value.startswith(ASSET_PREFIX):
            asset = self._assets.find(value)
            folder = asset.parent.resolve()
            return open_without_links(folder, folder / asset.name)
        path = Path(value)
        if not path.is_absolute():
            raise BadField(
                f"{field} takes asset:<name>, an absolute path or an http(s) URL, nothing else."
            )
        try:
            return self._folders.open(path)
        except OutsideAllowedFoldersError as error:
            raise BadField(
                f"{field} is a path outside of the folders that this host allows; upload the "
                "picture, or let the operator allow its folder."
            ) from error


def _regular_bytes(field: str, descriptor: int) -> bytes:
    """Read a regular file and close it; a device or a pipe would never end."""
    with open(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise PictureNotFound(f"{field} leads to something that is not a file.")
        if status.st_size > MAX_BYTES:
            raise PictureTooLarge(
                f"{field} has {status.st_size:,} bytes; at most {MAX_BYTES:,} are read."
            )
        return file.read(MAX_BYTES + 1)
