"""The files of an image store with their times, and moving them so that none is lost.

On a local disk a file that is stored again, while it is being moved, is found and moved back: what
is stored again gets a new time (`ImageStore.put`), and a rename keeps it. A bucket has no rename;
there the time is compared before the copy alone.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from stat import S_ISREG
from typing import Any

import fsspec

from storycanvas.faces.pictures.image_store import ImageStore
from storycanvas.faces.pictures.store_access import translated
from storycanvas.faces.tidying.decide import StoredFile


class StoreFiles:
    """The files of an image store.

    Attributes:
        store: The image store.
        url: Its root.
        folder: The root as a local folder; None for a bucket.
    """

    def __init__(self, store: ImageStore) -> None:
        self.store = store
        self.url = store.url
        self.folder = store.folder
        self._files, self._root = fsspec.core.url_to_fs(store.url, use_listings_cache=False)

    @translated
    def all(self) -> list[StoredFile]:
        """List all files, those in the trash included; links lead out and are none."""
        return sorted(
            self._local() if self.folder is not None else self._remote(), key=lambda file: file.path
        )

    @translated
    def head(self, path: str, size: int) -> bytes:
        """Read the first bytes of a file; none where it is gone."""
        try:
            if self.folder is not None:
                with (self.folder / path).open("rb") as file:
                    return file.read(size)
            return bytes(self._files.cat_file(f"{self._root}/{path}", start=0, end=size))
        except FileNotFoundError:
            return b""

    @translated
    def move(self, file: StoredFile, to: str) -> bool:
        """Move a file, unless it was written since it was listed, or is gone.

        Returns:
            Whether it lies at `to` now.
        """
        if self.folder is None:
            return self._move_object(file, to)
        source, target = self.folder / file.path, self.folder / to
        if _written(source) != file.written:
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            source.rename(target)
        except FileNotFoundError:
            return False
        if _written(target) == file.written:
            return True
        target.rename(source)  # it was stored again a moment ago
        return False

    @translated
    def remove(self, path: str) -> None:
        """Remove a file for good, unless it is gone."""
        try:
            if self.folder is not None:
                (self.folder / path).unlink()
            else:
                self._files.rm_file(f"{self._root}/{path}")
        except FileNotFoundError:
            return

    def _local(self) -> Iterator[StoredFile]:
        for folder, _, names in os.walk(str(self.folder), onerror=_raise_unless_gone):
            for name in names:
                path = Path(folder, name)
                try:
                    found = path.lstat()
                except FileNotFoundError:
                    continue
                if S_ISREG(found.st_mode):
                    inside = path.relative_to(str(self.folder)).as_posix()
                    yield StoredFile(inside, found.st_size, _moment(found.st_mtime))

    def _remote(self) -> Iterator[StoredFile]:
        listed: dict[str, dict[str, Any]] = self._files.find(self._root, detail=True)
        for name, found in listed.items():
            path = name.removeprefix(f"{self._root}/")
            yield StoredFile(path, int(found["size"]), self._time_of(found))

    def _time_of(self, found: dict[str, Any]) -> datetime:
        """Read when an object was written; each kind of bucket has its own name for it."""
        named = ("LastModified", "last_modified", "updated", "mtime", "created")
        moment = next((found[name] for name in named if found.get(name) is not None), None)
        if isinstance(moment, str):
            moment = datetime.fromisoformat(moment)
        if isinstance(moment, int | float):
            return _moment(moment)
        if not isinstance(moment, datetime):
            return datetime.now(UTC)  # of unknown age, so it is never old enough
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def _move_object(self, file: StoredFile, to: str) -> bool:
        source, target = f"{self._root}/{file.path}", f"{self._root}/{to}"
        try:
            if self._time_of(self._files.info(source)) != file.written:
                return False
            self._files.cp_file(source, target)
        except FileNotFoundError:
            return False
        if int(self._files.info(target)["size"]) != file.bytes:
            return False
        self._files.rm_file(source)
        return True


def _written(path: Path) -> datetime | None:
    try:
        return _moment(path.lstat().st_mtime)
    except FileNotFoundError:
        return None


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _raise_unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error
