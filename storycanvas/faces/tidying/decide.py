"""Which files of the image store are needed no more.

A file's name holds the hash of its bytes, so whatever names it, by address, path or link, holds
these 64 characters, and nothing else does by chance. What names it is asked for by them alone.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from storycanvas.faces.pictures.image_store import STORED_PATH, Category

KEPT_SHEETS = 20
"""Contact sheets of a character that stay, the newest, whatever their age."""
TRASH = "trash"
PART = re.compile(r"[a-z0-9]+/(?:[a-z_]+/\d{4}/\d\d|by-content/[0-9a-f]{2})/[0-9a-f]{32}\.part")
"""How a file is called that is being written, and that a kill leaves behind."""
TRASHED = re.compile(
    rf"{TRASH}/(?P<day>\d{{4}}-\d\d-\d\d)/(?P<path>{STORED_PATH.pattern}|{PART.pattern})"
)
ARCHIVE = ".zip"
"""How the archive of a run ends; other reports are linked from pages of Prefect's UI."""


@dataclass(frozen=True)
class StoredFile:
    """A file of an image store.

    Attributes:
        path: Inside the store.
        bytes: Its size.
        written: When it was last written, UTC.
    """

    path: str
    bytes: int
    written: datetime

    @property
    def digest(self) -> str:
        """The hash in its name; empty for a file that the store did not name."""
        found = STORED_PATH.fullmatch(self.path) or TRASHED.fullmatch(self.path)
        return (found["digest"] or "") if found else ""

    @property
    def category(self) -> str:
        """What it is."""
        return self.path.split("/")[1] if "/" in self.path else ""

    @property
    def month(self) -> str:
        """The year and month of its path."""
        return "-".join(self.path.split("/")[2:4])


@dataclass(frozen=True)
class Unneeded:
    """Files that may go.

    Attributes:
        unnamed: Pictures, and what runs wrote besides, that nothing names.
        sheets: Contact sheets beyond the newest of their character.
        parts: What kills left half written.
        unmarked: How many unnamed sheets stay because they do not tell whose they are.
    """

    unnamed: tuple[StoredFile, ...] = ()
    sheets: tuple[StoredFile, ...] = ()
    parts: tuple[StoredFile, ...] = ()
    unmarked: int = 0

    @property
    def to_trash(self) -> tuple[StoredFile, ...]:
        """What is moved to the trash."""
        return (*self.unnamed, *self.sheets, *self.parts)


def unneeded(
    files: Sequence[StoredFile],
    named: Collection[str],
    characters: Mapping[str, str | None],
    limit: datetime,
) -> Unneeded:
    """Choose the files that may go.

    Args:
        files: All of a store.
        named: The hashes that the database holds anywhere.
        characters: Whose each contact sheet is, by path: a character's id, or empty for a run
            without one. A sheet that is not in it, or None, does not tell.
        limit: What was written later stays.
    """
    old = [file for file in files if file.written < limit]
    pictures = [file for file in old if _may_go(file) and file.digest not in named]
    sheets = [file for file in pictures if file.category == Category.CONTACT_SHEET]
    marked = [file for file in sheets if characters.get(file.path) is not None]
    newest = _newest_sheets(files, characters)
    return Unneeded(
        unnamed=tuple(file for file in pictures if file.category != Category.CONTACT_SHEET),
        sheets=tuple(file for file in marked if file.path not in newest),
        parts=tuple(file for file in old if PART.fullmatch(file.path)),
        unmarked=len(sheets) - len(marked),
    )


def _may_go(file: StoredFile) -> bool:
    """Whether a file is one that a document would name as long as it is needed."""
    is_report = file.category == Category.REPORT and not file.path.endswith(ARCHIVE)
    return STORED_PATH.fullmatch(file.path) is not None and not is_report


def _newest_sheets(
    files: Iterable[StoredFile], characters: Mapping[str, str | None]
) -> frozenset[str]:
    """Find the newest sheets of each character; a run without a character keeps none."""
    kept: Counter[str] = Counter()
    newest: set[str] = set()
    for file in sorted(files, key=lambda file: file.written, reverse=True):
        character = characters.get(file.path)
        if character and kept[character] < KEPT_SHEETS:
            kept[character] += 1
            newest.add(file.path)
    return frozenset(newest)


def trash_path(path: str, day: date) -> str:
    """Name where a file lies in the trash: its own path below the day."""
    return f"{TRASH}/{day:%Y-%m-%d}/{path}"


def untrashed_path(path: str) -> str | None:
    """Name where a file of the trash was before; None for another file."""
    found = TRASHED.fullmatch(path)
    return found["path"] if found else None


@dataclass(frozen=True)
class Trash:
    """What becomes of the files in the trash.

    Attributes:
        to_remove: Long enough there, and still named by nothing.
        to_restore: Named again since: a document came back, or was written.
    """

    to_remove: tuple[StoredFile, ...] = ()
    to_restore: tuple[StoredFile, ...] = ()


def sort_trash(
    files: Iterable[StoredFile], named: Collection[str], today: date, days: int
) -> Trash:
    """Decide what becomes of the files in the trash; a file that the store did not name stays."""
    remove: list[StoredFile] = []
    restore: list[StoredFile] = []
    for file in files:
        found = TRASHED.fullmatch(file.path)
        if found is None:
            continue
        if file.digest in named:
            restore.append(file)
        elif (moved := _day(found["day"])) and moved <= today - timedelta(days=days):
            remove.append(file)
    return Trash(tuple(remove), tuple(restore))


def _day(written: str) -> date | None:
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None
