"""What tidying the image store found and did: files and bytes, by category and month."""

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict

from storycanvas.faces.pictures.image_store import STORED_PATH
from storycanvas.faces.tidying.decide import TRASH, TRASHED, StoredFile
from storycanvas.net.wording import counted, verb

_MEGABYTE = 1_000_000
OTHER = "other files"
"""What the store did not name: pages, marks of content, and files of the app; it stays."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MonthRow(_Part):
    """Files of one category and month.

    Attributes:
        unneeded: How many of them may go.
    """

    category: str
    month: str
    files: int = 0
    bytes: int = 0
    unneeded: int = 0
    unneeded_bytes: int = 0


class TidyReport(_Part):
    """What is in the store, and what was moved, removed and restored, or would be.

    Attributes:
        moved: Files to the trash.
        removed: Files from the trash, for good.
        restored: Files from the trash to their place, since a document names them again.
        unmarked_sheets: Contact sheets that stay, because they do not tell whose they are.
    """

    dry_run: bool
    days: int
    trash_days: int
    moved: int
    moved_bytes: int
    removed: int
    removed_bytes: int
    restored: int
    unmarked_sheets: int
    months: tuple[MonthRow, ...]

    def summary(self) -> str:
        """Say in a few sentences what was done, or would be."""
        does = "would be" if self.dry_run else verb(self.moved, "was", "were")
        total = sum(row.bytes for row in self.months)
        files = counted(sum(row.files for row in self.months), "file")
        old = f"older than {counted(self.days, 'day')}"
        in_trash = f"after {counted(self.trash_days, 'day')} there"
        parts = [
            f"The image store has {files} with {_megabytes(total)}.",
            f"{counted(self.moved, 'file')} ({_megabytes(self.moved_bytes)}) that nothing needs,",
            f"{old}, {does} moved to the trash,",
            f"{self.removed} ({_megabytes(self.removed_bytes)}) removed {in_trash},",
            f"{self.restored} moved back because a document names them again.",
        ]
        if self.unmarked_sheets:
            parts.append(
                f"{counted(self.unmarked_sheets, 'contact sheet')} of earlier versions, which do "
                "not tell whose they are, stay."
            )
        return " ".join(parts)


def _megabytes(count: int) -> str:
    return f"{count / _MEGABYTE:,.1f} MB"


def month_rows(files: Iterable[StoredFile], to_trash: Iterable[StoredFile]) -> tuple[MonthRow, ...]:
    """Count files and bytes by category and month; the trash by its days."""
    gone = {file.path for file in to_trash}
    rows: dict[tuple[str, str], MonthRow] = {}
    for file in files:
        place = _place(file)
        row = rows.get(place) or MonthRow(category=place[0], month=place[1])
        is_unneeded = file.path in gone
        rows[place] = MonthRow(
            category=row.category,
            month=row.month,
            files=row.files + 1,
            bytes=row.bytes + file.bytes,
            unneeded=row.unneeded + is_unneeded,
            unneeded_bytes=row.unneeded_bytes + is_unneeded * file.bytes,
        )
    return tuple(rows[place] for place in sorted(rows))


def _place(file: StoredFile) -> tuple[str, str]:
    if STORED_PATH.fullmatch(file.path):
        return file.category, file.month
    trashed = TRASHED.fullmatch(file.path)
    return (TRASH, trashed["day"]) if trashed else (OTHER, "")
