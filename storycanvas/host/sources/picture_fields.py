"""Where a picture field of a request may lead: an asset, an allowed folder, an allowed server."""

import asyncio
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple

from storycanvas.faces.contract import ASSET_PREFIX
from storycanvas.faces.errors import BadField, PictureNotFound
from storycanvas.faces.pictures.formats import pixels_in
from storycanvas.faces.pictures.reading import (
    MAX_FILE_BYTES,
    Picture,
    read_picture,
    require_in_proportion,
)
from storycanvas.host.sources.allowed_folders import (
    AllowedFolder,
    AllowedFolders,
    OutsideAllowedFoldersError,
    open_without_links,
)
from storycanvas.host.sources.picture_downloads import PictureDownloads
from storycanvas.host.sources.recent_pictures import RecentPictures
from storycanvas.host.storage.assets import AssetStore

MAX_VALUE_LENGTH = 4096


class Source(NamedTuple):
    """A picture's file, which is here.

    Attributes:
        read: Reads and decodes it; for another thread.
        pixels: How many it has by its header.
    """

    read: Callable[[], Picture]
    pixels: int


class PictureFields:
    """Reads the picture that a field names, or refuses it."""

    def __init__(
        self, assets: AssetStore, roots: Sequence[AllowedFolder], downloads: PictureDownloads
    ) -> None:
        self._assets = assets
        self._folders = AllowedFolders(roots)
        self._downloads = downloads
        self._recent = RecentPictures()

    async def fetch(self, field: str, value: str, files: ExitStack) -> Source:
        """Bring the file of a picture here, if it is elsewhere.

        Args:
            field: The field's name, for messages.
            value: `asset:<name>`, an absolute path, or an http(s) URL; all else is a `BadField`.
            files: Closes what was opened for it, at its end.

        Returns:
            The file, not decoded yet.
        """
        if not value or len(value) > MAX_VALUE_LENGTH or "\0" in value:
            raise BadField(f"{field} is empty, too long, or holds a null character.")
        if value.lower().startswith(("http://", "https://")):
            file = files.enter_context(await self._downloads.fetch(field, value))
            pixels = await asyncio.to_thread(pixels_in, file)
            return Source(partial(_read_download, file, field), pixels)
        # What is wrong with a name is refused now, not when its turn to be decoded comes.
        pixels = await asyncio.to_thread(self._check_file, field, value)
        return Source(partial(self._read_file, field, value), pixels)

    def _check_file(self, field: str, value: str) -> int:
        with _not_found(field), os.fdopen(self._open(field, value), "rb") as file:
            return pixels_in(file) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else 0

    def remember(self, asset: str, picture: Picture) -> None:
        """Keep the pixels of an asset, which the next operation may ask for."""
        self._recent.add(asset.removeprefix(ASSET_PREFIX), picture)

    def _read_file(self, field: str, value: str) -> Picture:
        is_asset = value.startswith(ASSET_PREFIX)
        recent = self._recent.find(value.removeprefix(ASSET_PREFIX)) if is_asset else None
        if recent is not None:
            return recent
        with _not_found(field):
            data = _regular_bytes(field, self._open(field, value))
        picture = read_picture(data, field)
        if is_asset:  # named by its content, so its pixels stay
            self.remember(value, picture)
        return picture

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


def _read_download(file: IO[bytes], field: str) -> Picture:
    file.seek(0)  # it may have been read before, by a try that found no room
    return read_picture(file.read(), field)


@contextmanager
def _not_found(field: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise PictureNotFound(
            f"{field} leads to no file that the host can read ({error.strerror})."
        ) from error


def _regular_bytes(field: str, descriptor: int) -> bytes:
    """Read a regular file and close it; a device or a pipe would never end."""
    with open(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise PictureNotFound(f"{field} leads to something that is not a file.")
        require_in_proportion(file, status.st_size, field)
        file.seek(0)
        return file.read(MAX_FILE_BYTES + 1)
