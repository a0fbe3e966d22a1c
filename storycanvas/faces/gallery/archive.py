"""A run's pictures in one ZIP file, with their settings as JSON."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from storycanvas.faces.pictures.image_store import ImageStore

SETTINGS = "settings.json"
_UNSAFE = re.compile(r"[^a-z0-9]+")
_NAME_LENGTH = 60


@dataclass(frozen=True)
class ArchivedPicture:
    """A picture of a run.

    Attributes:
        name: Of the step that made it.
        path: In the image store.
        settings: How it was made, as JSON holds it.
    """

    name: str
    path: str
    settings: dict[str, Any]


def file_names(pictures: Sequence[ArchivedPicture]) -> list[str]:
    """Name the files in the archive: in the run's order, readable, and no two alike."""
    digits = len(str(len(pictures)))
    return [
        f"{number:0{digits}}-{_readable(each.name)}.{each.path.rpartition('.')[2]}"
        for number, each in enumerate(pictures, start=1)
    ]


def _readable(name: str) -> str:
    return _UNSAFE.sub("-", name.lower())[:_NAME_LENGTH].strip("-") or "picture"


def settings_json(run: dict[str, Any], pictures: Sequence[ArchivedPicture]) -> bytes:
    """Write the settings of all pictures; `run` is what holds for all of them."""
    named = zip(file_names(pictures), pictures, strict=True)
    listed = [{"file": file, "step": each.name, **each.settings} for file, each in named]
    return json.dumps({**run, "pictures": listed}, indent=1, default=str).encode()


def write_archive(
    file: IO[bytes], store: ImageStore, settings: bytes, pictures: Sequence[ArchivedPicture]
) -> None:
    """Write the archive: the same pictures and settings give the same bytes.

    Pictures are compressed already, and one is in memory at a time.

    Raises:
        PictureNotFound: The store has lost one.
        StoreUnavailable: It is away.
    """
    with ZipFile(file, "w", ZIP_STORED) as archive:
        archive.writestr(_entry(SETTINGS), settings, ZIP_DEFLATED)
        for name, each in zip(file_names(pictures), pictures, strict=True):
            archive.writestr(_entry(name), store.read(each.path))


def _entry(name: str) -> ZipInfo:
    entry = ZipInfo(name)
    entry.external_attr = 0o644 << 16  # else unpacking gives files that no user may read
    return entry
