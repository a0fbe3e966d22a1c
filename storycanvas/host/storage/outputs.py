"""Where the outputs of operations go: to the kept pictures, and to the operator's web server."""

import re
from dataclasses import dataclass
from pathlib import Path

from storycanvas.faces.contract import ASSET_PREFIX
from storycanvas.faces.errors import PictureNotFound
from storycanvas.faces.pictures.reading import Picture
from storycanvas.host.storage.assets import AssetStore, is_asset
from storycanvas.host.storage.disk import (
    DATA_FOLDER,
    LEAST_FREE_BYTES,
    existing_folder,
    refused_when_unwritable,
    shortage,
    unwritable,
)
from storycanvas.net.atomic_files import flush_and_close, part_file, sync_folder

_READABLE = 0o644
_PUBLISHED = "published folder (--publish)"
_PREFIX = re.compile(r"(/|https?://[^/\s]+/)[!-~]*")


@dataclass(frozen=True)
class PublishedFolder:
    """A folder that a web server shows; the host adds pictures and removes none.

    Attributes:
        folder: Exists.
        prefix: What the address of a picture there has before its name, `<sha256>.<ext>`.
    """

    folder: Path
    prefix: str

    @classmethod
    def parse(cls, text: object) -> "PublishedFolder":
        """Read `FOLDER=PREFIX`, where the prefix is a path from `/` on or an http(s) address."""
        if isinstance(text, cls):
            return text
        folder, _, prefix = str(text).rpartition("=")
        path = existing_folder(folder, f" in {text}; FOLDER=PREFIX")
        if not _PREFIX.fullmatch(prefix):
            raise ValueError(
                f"{text}: the prefix {prefix!r} begins neither with / nor with http:// or https://"
            )
        return cls(path, prefix)


class Outputs:
    """Keeps outputs, and publishes those of callers who name pictures by path or URL.

    Such a caller, as the StoryCanvas app, stores `output_path` and fetches nothing from here.
    """

    def __init__(self, assets: AssetStore, published: PublishedFolder | None = None) -> None:
        self._assets = assets
        self._published = published

    def require_room(self, *, publish: bool, needed: int = LEAST_FREE_BYTES) -> None:
        """Refuse an operation whose output could not be kept, before the engine works for it.

        Args:
            publish: As for `keep`.
            needed: Bytes.

        Raises:
            HostNotReady: A folder has less room, or cannot be written.
        """
        places = [(self._assets.folder, DATA_FOLDER)]
        if self._published is not None and publish:
            places.append((self._published.folder, _PUBLISHED))
        for folder, name in places:
            lack = shortage(folder, name, needed)
            if lack:
                raise unwritable(lack)

    def keep(self, picture: Picture, *, publish: bool) -> str:
        """Keep an output; return its `output_path`.

        Args:
            picture: What an operation made.
            publish: Whether a picture of the request was named by path or URL.
        """
        name = self._assets.add(picture)
        if self._published is None or not publish:
            return f"{ASSET_PREFIX}{name}"
        self._publish(self._published.folder, name)
        return f"{self._published.prefix}{name}"

    def promise(self, output_path: str) -> bool:
        """Keep the output of an answer until it is fetched; False if it is gone."""
        if is_asset(output_path):
            return self._assets.promise(output_path)
        if self._published is None or not output_path.startswith(self._published.prefix):
            return False  # published by a host that was started otherwise
        name = output_path.removeprefix(self._published.prefix)
        try:
            self._publish(self._published.folder, name)
        except PictureNotFound:
            return (self._published.folder / name).is_file()
        return True

    def _publish(self, folder: Path, name: str) -> None:
        """Copy a kept picture to where it is shown, whole from its first moment on."""
        if (folder / name).is_file():
            return
        writable = refused_when_unwritable(folder, _PUBLISHED)
        with writable, self._assets.held((name,)) as (kept,):
            with part_file(folder) as file:
                file.write(kept.read_bytes())
                flush_and_close(file)
                part = Path(file.name)
                part.chmod(_READABLE)
                part.replace(folder / name)
            sync_folder(folder)
