"""The image store: pictures by content below one fsspec URL, local folder or object store."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from posixpath import normpath
from urllib.parse import urlsplit

import fsspec

from storycanvas.faces.errors import PictureNotFound, PictureTooLarge
from storycanvas.faces.pictures.reading import MAX_BYTES
from storycanvas.faces.pictures.store_access import is_file, require_room, translated
from storycanvas.net.atomic_files import AS_UMASK, write_atomically

_LOCAL = ("file", "local")


class Category(StrEnum):
    """What a stored picture is, second part of its path (docs/pictures.md)."""

    SOURCE = "source"
    TEMPLATE = "template"
    RESULT = "result"
    CONTACT_SHEET = "contact_sheet"
    REPORT = "report"


_OF_THIS_MACHINE = {"127.0.0.1", "localhost", "::1"}
_STORED = re.compile(
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
    """

    def __init__(self, url: str, base_url: str | None = None) -> None:
        self.url = url
        self.base_url = base_url.rstrip("/") if base_url else None
        self._files, self._root = fsspec.core.url_to_fs(url)
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
        known = self._known(marker)
        if known:
            return StoredPicture(known, self.address(known))
        folder = f"{self._storage_type}/{category}/{when:%Y/%m}"
        path = f"{folder}/{digest}.{extension}"
        self._write(path, data)
        self._write(marker, path.encode())
        return StoredPicture(path, self.address(path))

    @translated
    def read(self, path: str, max_bytes: int = MAX_BYTES) -> bytes:
        """Read a picture by its store path.

        Raises:
            PictureNotFound: There is none, or the path leaves the store.
            PictureTooLarge: It has more than `max_bytes`.
            StoreUnavailable: The store is away, or refuses.
        """
        location = self._location(path)
        if not self._is_file(location):
            raise PictureNotFound(f"The image store has no picture {path!r}.")
        size = self._files.size(location)
        if size > max_bytes:
            raise PictureTooLarge(f"{path!r} has {size:,} bytes; at most {max_bytes:,} are read.")
        return bytes(self._files.cat_file(location))

    @translated
    def holds(self, path: str) -> bool:
        """Check whether a picture lies at a store path.

        Raises:
            StoreUnavailable: The store is away, or refuses; the picture may be there.
        """
        return self._is_file(self._location(path))

    @property
    def folder(self) -> Path | None:
        """The root as a local folder; None where it is no folder of this machine."""
        return Path(self._root) if self._storage_type == "local" else None

    def require_room(self, megabytes: int) -> None:
        """Check that a local store has so much free; the room of a bucket is not known.

        Raises:
            StoreUnavailable: It has less, or cannot be written.
        """
        if self.folder is not None:
            require_room(self.url, self.folder, megabytes)

    def wrote(self, path: str) -> bool:
        """Check whether a path is one that `put` gave: files beside them are not the store's."""
        stored = _STORED.fullmatch(path)
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
        own = str(self._files.unstrip_protocol(self._root))
        for prefix in (self.base_url, own):
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
        location = f"{self._root}/{marker}"
        if not self._files.isfile(location):
            return None
        path = self._files.cat_file(location).decode()
        return path if self.holds(path) else None

    def _is_file(self, location: str) -> bool:
        """Check for a file; fsspec's own `isfile` says no where a disk or bucket gives an error."""
        if self.folder is not None:
            return is_file(Path(location))
        try:
            return bool(self._files.info(location)["type"] == "file")
        except FileNotFoundError:
            return False

    def _location(self, path: str) -> str:
        clean = normpath(path)
        if clean.startswith(("/", "..")) or "\0" in path or "\\" in path:
            raise PictureNotFound(f"{path!r} is not a path of the image store.")
        return f"{self._root}/{clean}"

    def _write(self, path: str, data: bytes) -> None:
        """Make the file visible in one go; an object store does that by itself."""
        location = f"{self._root}/{path}"
        if self._storage_type != "local":
            self._files.pipe_file(location, data)
            return
        target = Path(location)
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, data, AS_UMASK)  # the app's own user reads it
