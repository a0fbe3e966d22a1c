"""The image store: pictures by content below one fsspec URL, local folder or object store."""

import errno
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from posixpath import normpath
from tempfile import TemporaryFile
from typing import IO
from urllib.parse import urlsplit

import fsspec

from storycanvas.faces.errors import PictureNotFound, PictureTooLarge
from storycanvas.faces.pictures.reading import MAX_FILE_BYTES
from storycanvas.faces.pictures.store_access import (
    create_object,
    is_file,
    require_room,
    translated,
)
from storycanvas.net.atomic_files import (
    AS_UMASK,
    create_atomically,
    flush_and_close,
    part_file,
    sync_folder,
    write_atomically,
)

_LOCAL = ("file", "local")


class Category(StrEnum):
    """What a stored picture is, second part of its path (docs/pictures.md)."""

    SOURCE = "source"
    TEMPLATE = "template"
    RESULT = "result"
    CONTACT_SHEET = "contact_sheet"
    REPORT = "report"


_FRESH = timedelta(hours=12)
_NOT_OURS = {errno.EACCES, errno.EPERM, errno.EROFS}
"""What refuses a new time for a file of another user, or on a disk where nothing can be moved."""
PAGES = "galleries"
STORED_PAGE = re.compile(rf"{PAGES}/[a-z0-9-]{{1,100}}\.html")
"""The shape of every path that `put_page` takes."""
_OF_THIS_MACHINE = {"127.0.0.1", "localhost", "::1"}
STORED_PATH = re.compile(
    rf"[a-z0-9]+/(?:{'|'.join(Category)})/\d{{4}}/\d{{2}}/(?P<digest>[0-9a-f]{{64}})\.[a-z0-9]+"
)
"""The shape of every path that `put` gives."""


@dataclass(frozen=True)
class StoredPicture:
    """Where a picture lies.

    Attributes:
        path: Path inside the store, `{storage_type}/{category}/{year}/{month}/{filename}`.
        url: What the app can show.
    """

    path: str
    url: str


def local_folder(url: str) -> Path | None:
    """Find the folder of this machine that is a store's root; None for one that lies elsewhere."""
    protocol, _ = fsspec.core.split_protocol(url)
    return ImageStore(url).folder if protocol in {None, *_LOCAL} else None


class ImageStore:
    """Keeps pictures, the same bytes once.

    Args:
        url: fsspec URL of the store's root, such as `file:///srv/images` or `s3://bucket/images`.
        base_url: Where the app serves that root, such as `http://127.0.0.1:8000/uploads`; None
            when it does not.
        others: Stores beside this one, by name; they are read, and never written.
    """

    def __init__(
        self,
        url: str,
        base_url: str | None = None,
        others: Mapping[str, "ImageStore"] | None = None,
    ) -> None:
        self.url = url
        self.base_url = base_url.rstrip("/") if base_url else None
        self.others = dict(others or {})
        # Listings that are kept do not show what another process has written since.
        self._files, self._root = fsspec.core.url_to_fs(url, use_listings_cache=False)
        protocols = self._files.protocol
        protocol = protocols if isinstance(protocols, str) else protocols[0]
        self._storage_type = "local" if protocol in _LOCAL else protocol

    @translated
    def put(self, data: bytes, category: Category, extension: str, when: datetime) -> StoredPicture:
        """Store a picture unless its bytes are there already.

        Args:
            data: The encoded file.
            category: What it is.
            extension: Ending of the file name, without a dot.
            when: UTC time that gives year and month of the path.

        Returns:
            Where it lies, which for known bytes is where they were stored first.

        Raises:
            StoreUnavailable: It is full, read-only or away; nothing half-written is left.
        """
        digest = hashlib.sha256(data).hexdigest()
        marker = self._marker(digest)
        folder = f"{self._storage_type}/{category}/{when:%Y/%m}"
        path = self._known(marker)
        if path is None or not self._freshen(path, data):
            path = self._keep(f"{folder}/{digest}.{extension}", marker, data)
        return StoredPicture(path, self.address(path))

    @translated
    def put_written(
        self,
        write: Callable[[IO[bytes]], None],
        category: Category,
        extension: str,
        when: datetime,
    ) -> StoredPicture:
        """Store what a function writes, as `put` does, without having all of it in memory.

        Raises:
            StoreUnavailable: As `put`; what `write` raises passes through.
        """
        folder = f"{self._storage_type}/{category}/{when:%Y/%m}"
        with self._scratch(folder) as file:
            write(file)
            file.flush()
            digest = _digest(file)
            marker, path = self._marker(digest), f"{folder}/{digest}.{extension}"
            known = self._known(marker)
            if known is None:
                self._take(file, path)
                self._make_folder(marker)
                self._replace(marker, path.encode())
        return StoredPicture(known or path, self.address(known or path))

    @contextmanager
    def _scratch(self, folder: str) -> Iterator[IO[bytes]]:
        """Open a file to write to, on a disk beside what it is to become."""
        if self.folder is None:
            with TemporaryFile() as file:
                yield file
        else:
            target = self.folder / folder
            target.mkdir(parents=True, exist_ok=True)
            with part_file(target, AS_UMASK) as file:
                yield file

    def _take(self, file: IO[bytes], path: str) -> None:
        """Make a file that was written visible at its path."""
        if self.folder is None:
            file.seek(0)
            with self._files.open(f"{self._root}/{path}", "wb") as target:
                shutil.copyfileobj(file, target)
        else:
            flush_and_close(file)
            Path(file.name).replace(self.folder / path)
            sync_folder((self.folder / path).parent)

    def _make_folder(self, path: str) -> None:
        if self.folder is not None:
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)

    @translated
    def size(self, path: str) -> int:
        """Tell how many bytes a file of the store has; 0 where there is none."""
        return self._size(self._location(path)) or 0

    @translated
    def put_page(self, path: str, page: bytes) -> str:
        """Store a page that shows pictures of this store, in place of an earlier one.

        Args:
            path: As `STORED_PAGE` has it; the page finds pictures one folder above its own.
            page: HTML.

        Returns:
            Its address.

        Raises:
            StoreUnavailable: It is full, read-only or away; the earlier page is unchanged.
        """
        if not STORED_PAGE.fullmatch(path):
            raise ValueError(f"{path!r} is not the path of a page.")
        self._make_folder(path)
        self._replace(path, page)
        return self.address(path)

    def shows(self, path: str) -> bool:
        """Check whether a browser may be shown what lies at a path: pictures and pages."""
        return STORED_PAGE.fullmatch(path) is not None or self.wrote(path)

    @translated
    def read(self, path: str, max_bytes: int = MAX_FILE_BYTES) -> bytes:
        """Read a picture by its store path.

        Raises:
            PictureNotFound: There is none, or the path leaves the store.
            PictureTooLarge: It has more than `max_bytes`.
            StoreUnavailable: The store is away, or refuses.
        """
        location = self._location(path)
        size = self._size(location)
        if size is None:
            raise PictureNotFound(f"The image store has no picture {path!r}.")
        if size > max_bytes:
            raise PictureTooLarge(f"{path!r} has {size:,} bytes; at most {max_bytes:,} are read.")
        return bytes(self._files.cat_file(location))

    @translated
    def holds(self, path: str) -> bool:
        """Check whether a picture lies at a store path.

        Raises:
            StoreUnavailable: The store is away, or refuses; the picture may be there.
        """
        return self._size(self._location(path)) is not None

    @translated
    def files_in(self, folder: str) -> list[str]:
        """List the store paths of the files in a folder; none where there is no such folder.

        Raises:
            PictureNotFound: The path leaves the store.
            StoreUnavailable: The store is away, or refuses.
        """
        location = self._location(folder)
        try:
            entries = self._files.ls(location, detail=True)
        except (FileNotFoundError, NotADirectoryError):
            return []
        names = [Path(entry["name"]).name for entry in entries if entry["type"] == "file"]
        return [f"{normpath(folder)}/{name}" for name in names]

    def leads_out(self, path: str) -> bool:
        """Check whether a store path, or a link on its way, leads out of the store."""
        if not is_inside(path):
            return True
        if self.folder is None:
            return False
        try:
            return not Path(self._location(path)).resolve().is_relative_to(self.folder.resolve())
        except (OSError, RuntimeError):  # a loop of links
            return True

    @property
    def folder(self) -> Path | None:
        """The root as a local folder; None where it is no folder of this machine."""
        return Path(self._root) if self._storage_type == "local" else None

    @property
    def root(self) -> str:
        """The address of the root, with which all addresses of `place_of` begin."""
        return str(self._files.unstrip_protocol(self._root))

    @property
    def roots(self) -> dict[str, str]:
        """The roots of the stores beside this one, by name."""
        return {name: store.root for name, store in self.others.items()}

    def place_of(self, address: str) -> "tuple[ImageStore, str] | None":
        """Find the store and the store path of an address, in this store or one beside it."""
        path = self.path_of(address)
        if path is not None:
            return self, path
        for store in self.others.values():
            if address.startswith(f"{store.root}/"):
                return store, address.removeprefix(f"{store.root}/")
        return None

    def require_room(self, megabytes: int) -> None:
        """Check that a local store has so much free; the room of a bucket is not known.

        Raises:
            StoreUnavailable: It has less, or cannot be written.
        """
        if self.folder is not None:
            require_room(self.url, self.folder, megabytes)

    def wrote(self, path: str) -> bool:
        """Check whether a path is one that `put` gave: files beside them are not the store's."""
        stored = STORED_PATH.fullmatch(path)
        return stored is not None and self._known(self._marker(stored["digest"])) == path

    def address(self, path: str) -> str:
        """Give the address that the app can show for a store path."""
        if self.base_url:
            return f"{self.base_url}/{path}"
        return str(self._files.unstrip_protocol(f"{self._root}/{path}"))

    def path_of(self, address: str) -> str | None:
        """Find the store path of an address that `address` gave; None for any other.

        The local stack serves the store on loopback, and another port when its own is taken: an
        address of loopback with an earlier port leads to the same picture.
        """
        for prefix in (self.base_url, self.root):
            if prefix and address.startswith(f"{prefix}/"):
                return address.removeprefix(f"{prefix}/")
        return self._path_on_loopback(address)

    def _path_on_loopback(self, address: str) -> str | None:
        if not address.startswith("http://"):
            return None
        try:
            parts = urlsplit(address)
            host = parts.hostname
        except ValueError:
            return None
        path = parts.path.removeprefix("/")
        if "@" in parts.netloc or address != f"http://{parts.netloc}/{path}":
            return None  # it holds more than the store's address, perhaps a secret
        # The path holds the hash of the bytes, so no other server can mean another picture by it.
        return path if host in _OF_THIS_MACHINE and self.wrote(path) else None

    def _marker(self, digest: str) -> str:
        return f"{self._storage_type}/by-content/{digest[:2]}/{digest}"

    def _known(self, marker: str) -> str | None:
        try:
            path = str(self._files.cat_file(f"{self._root}/{marker}").decode())
        except FileNotFoundError:
            return None
        return path if self.holds(path) else None

    def _keep(self, path: str, marker: str, data: bytes) -> str:
        """Write new bytes; where several processes do so, all return what the marker names.

        The picture comes before its marker, which so never names one that is still to come.
        """
        ours = self._create(path, data)
        if self._create(marker, path.encode()):
            return path
        first = self._known(marker)
        if first is None:  # its picture has been deleted
            self._replace(marker, path.encode())
            return path
        if ours and first != path:
            self._files.rm_file(f"{self._root}/{path}")  # no marker and no document names it
        return first

    def _freshen(self, path: str, data: bytes) -> bool:
        """Give known bytes a new time, so that they are not moved away as old a moment later.

        Returns:
            Whether they are still there.
        """
        location = f"{self._root}/{path}"
        try:
            if self.folder is not None:
                os.utime(location)
            elif self._is_old(location):
                self._files.pipe_file(location, data)
        except FileNotFoundError:
            return False
        except OSError as error:
            if error.errno not in _NOT_OURS:
                raise
        return True

    def _is_old(self, location: str) -> bool:
        """Whether an object was written so long ago that it may be moved away soon."""
        written = self._files.info(location).get("LastModified")
        return written is None or datetime.now(UTC) - written > _FRESH

    def _size(self, location: str) -> int | None:
        """Give the bytes of a file; None where there is none.

        fsspec's own `isfile` says no where a disk or bucket gives an error.
        """
        if self.folder is not None:
            return Path(location).stat().st_size if is_file(Path(location)) else None
        try:
            found = self._files.info(location)
        except FileNotFoundError:
            return None
        return int(found["size"]) if found["type"] == "file" else None

    def _location(self, path: str) -> str:
        if not is_inside(path):
            raise PictureNotFound(f"{path!r} is not a path of the image store.")
        return f"{self._root}/{normpath(path)}"

    def _create(self, path: str, data: bytes) -> bool:
        """Make a file visible in one go, unless there is one; an object store does so by itself."""
        location = f"{self._root}/{path}"
        if self.folder is None:
            return create_object(self._files, location, data)
        target = Path(location)
        target.parent.mkdir(parents=True, exist_ok=True)
        return create_atomically(target, data, AS_UMASK)  # the app's own user reads it

    def _replace(self, path: str, data: bytes) -> None:
        location = f"{self._root}/{path}"
        if self.folder is None:
            self._files.pipe_file(location, data)
        else:
            write_atomically(Path(location), data, AS_UMASK)


def _digest(file: IO[bytes]) -> str:
    """Hash all bytes of a file."""
    digest = hashlib.sha256()
    file.seek(0)
    while piece := file.read(1 << 20):
        digest.update(piece)
    return digest.hexdigest()


def is_inside(path: str) -> bool:
    """Check that a path stays below the root of a store."""
    return not (normpath(path).startswith(("/", "..")) or "\0" in path or "\\" in path)
