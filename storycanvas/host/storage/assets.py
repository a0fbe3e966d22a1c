"""The pictures a host keeps, named by their content: uploads and outputs alike."""

import contextlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from storycanvas.faces.contract import ASSET_PREFIX
from storycanvas.faces.errors import BadField, PictureNotFound
from storycanvas.faces.pictures.formats import CONTENT_TYPES
from storycanvas.faces.pictures.reading import Picture
from storycanvas.host.storage.disk import refused_when_unwritable, remove_older
from storycanvas.host.storage.incoming_pictures import IncomingPicture
from storycanvas.host.storage.picture_folder import PictureFolder
from storycanvas.net.atomic_files import PART_SUFFIX, flush_and_close, part_file, sync_folder

FETCH_SECONDS = 60.0
"""How long an answered output is kept at least, unless it is fetched sooner."""
IDLE_SECONDS = 3600.0
"""Seconds without a byte after which an upload counts as abandoned."""
_NAME = re.compile(rf"[0-9a-f]{{64}}\.({'|'.join(CONTENT_TYPES)})")


class AssetStore:
    """A folder of pictures, each under the SHA-256 of its bytes; usable from several threads."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = PictureFolder(folder, max_bytes, lambda name: bool(_NAME.fullmatch(name)))

    @property
    def folder(self) -> Path:
        """Where they are."""
        return self._folder.path

    @contextlib.contextmanager
    def incoming(self) -> Iterator[IncomingPicture]:
        """Receive an upload; what is not kept is gone afterwards."""
        with refused_when_unwritable(self._folder.path), part_file(self._folder.path) as file:
            yield IncomingPicture(file)

    def keep(self, incoming: IncomingPicture) -> str:
        """Put a complete upload in place; return its name, `<sha256>.<ext>`."""
        name = incoming.name()
        self._put(incoming.file, name)
        return name

    def add(self, picture: Picture) -> str:
        """Keep an output until it is fetched; return its name, `<sha256>.<ext>`."""
        name = picture.asset_name
        with refused_when_unwritable(self._folder.path), part_file(self._folder.path) as file:
            file.write(picture.file)
            self._put(file, name, FETCH_SECONDS)
        return name

    def find(self, name: str) -> Path:
        """Find a picture as `held` does, and note that it is still used."""
        with self.held((name,)) as (path,):
            return path

    @contextlib.contextmanager
    def held(self, names: Iterable[str]) -> Iterator[tuple[Path, ...]]:
        """Keep pictures from being removed while they are used.

        Args:
            names: `<sha256>.<ext>`, with or without the prefix `asset:`.

        Raises:
            BadField: A name is not of that form.
            PictureNotFound: A picture is not there.
        """
        files = [_file_name(name) for name in names]
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(self._folder.held(files))
            except FileNotFoundError as error:
                raise PictureNotFound(
                    f"The host has no picture asset:{error.filename}; upload it again."
                ) from error
            yield tuple(self._folder.path / name for name in files)

    def promise(self, name: str) -> bool:
        """Keep an output that is about to be answered until it is fetched; False if it is gone."""
        try:
            self._folder.expect(_file_name(name), FETCH_SECONDS)
        except FileNotFoundError:
            return False
        return True

    def fetched(self, name: str) -> None:
        """Note that an output was fetched, so that it may be removed like any other picture."""
        self._folder.expect_no_more(_file_name(name))

    def remove(self, name: str) -> None:
        """Remove a picture, if it is there: now, or as soon as nothing uses it.

        Raises:
            BadField: The name is none of a picture.
            HostNotReady: The disk does not let it go.
        """
        with refused_when_unwritable(self._folder.path):
            self._folder.remove(_file_name(name))

    def tidy(self) -> None:
        """Remove half-written files and what exceeds the bound, before the first request."""
        self._folder.tidy()

    def remove_older(self, seconds: float) -> int:
        """Remove pictures unused for that many seconds and uploads that died; count the former."""
        remove_older(self._folder.path, IDLE_SECONDS, PART_SUFFIX)
        return self._folder.remove_older(seconds)

    def _put(self, file: IO[bytes], name: str, expected_seconds: float = 0.0) -> None:
        flush_and_close(file)
        self._folder.place(Path(file.name), name, expected_seconds)
        sync_folder(self._folder.path)


def is_asset(value: str) -> bool:
    """Return whether a picture field's value names a picture of the store."""
    return value.startswith(ASSET_PREFIX)


def content_type(path: Path) -> str:
    """Name the content type of a kept picture."""
    return CONTENT_TYPES[path.suffix.removeprefix(".")]


def _file_name(name: str) -> str:
    name = name.removeprefix(ASSET_PREFIX)
    if not _NAME.fullmatch(name):
        endings = ", .".join(CONTENT_TYPES)
        raise BadField(f"A picture's name is asset:<sha256> with an ending of .{endings}.")
    return name
