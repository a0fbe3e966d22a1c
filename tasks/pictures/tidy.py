"""Moving pictures that nothing needs to the trash of the image store, and removing them from it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pymongo.database import Database

from db.connection import Document, in_batches
from db.errors import NothingNamed
from db.pictures.names import named_hashes
from storycanvas.faces.pictures.image_store import STORED_PATH, Category, ImageStore
from storycanvas.faces.sheets.marks import MARKED_WITHIN, mark_of
from storycanvas.faces.tidying.decide import (
    StoredFile,
    Trash,
    Unneeded,
    sort_trash,
    trash_path,
    unneeded,
    untrashed_path,
)
from storycanvas.faces.tidying.files import StoreFiles
from storycanvas.faces.tidying.report import TidyReport, month_rows
from storycanvas.net.redact import redact_url
from tasks.artifacts import ReportArtifact
from tasks.retries import database_task

NAME = "tidy-pictures"
_BATCH = 500
"""Files that are moved after a look at what the database names, before the next one."""
_PICTURES = {Category.SOURCE, Category.TEMPLATE, Category.RESULT}


@dataclass(frozen=True)
class TidyRules:
    """What counts as old.

    Attributes:
        days: Younger files stay where they are.
        trash_days: So long a file stays in the trash.
        now: UTC.
    """

    days: int
    trash_days: int
    now: datetime


@dataclass(frozen=True)
class TidyFindings:
    """What a look found; nothing has been changed."""

    rules: TidyRules
    files: tuple[StoredFile, ...]
    unneeded: Unneeded
    trash: Trash

    def report(self, *, dry_run: bool = True, **counts: int) -> TidyReport:
        """Report what was found, or with `counts` what was done about it."""
        to_trash, to_remove = self.unneeded.to_trash, self.trash.to_remove
        usual = {
            "moved": len(to_trash),
            "moved_bytes": sum(file.bytes for file in to_trash),
            "removed": len(to_remove),
            "removed_bytes": sum(file.bytes for file in to_remove),
            "restored": len(self.trash.to_restore),
        }
        return TidyReport(
            dry_run=dry_run,
            days=self.rules.days,
            trash_days=self.rules.trash_days,
            unmarked_sheets=self.unneeded.unmarked,
            months=month_rows(self.files, to_trash),
            **{**usual, **counts},
        )


@database_task("look what nothing needs")
def find_unneeded(
    database: Database[Document], store: ImageStore, rules: TidyRules
) -> TidyFindings:
    """Find what may go; nothing is changed.

    Raises:
        NothingNamed: The database names none of the pictures, so it is not theirs.
    """
    places = StoreFiles(store)
    files = places.all()
    named = named_hashes(database, {file.digest for file in files if file.digest})
    _refuse_other_database(database, store, files, named)
    sheets = [file for file in files if file.category == Category.CONTACT_SHEET]
    whose = {file.path: mark_of(places.head(file.path, MARKED_WITHIN)) for file in sheets}
    limit = rules.now - timedelta(days=rules.days)
    found = unneeded(files, named, whose, limit)
    own = Unneeded(
        tuple(file for file in found.unnamed if store.wrote(file.path)),
        tuple(file for file in found.sheets if store.wrote(file.path)),
        found.parts,
        found.unmarked,
    )
    trash = sort_trash(files, named, rules.now.date(), rules.trash_days)
    return TidyFindings(rules, tuple(files), own, trash)


def _refuse_other_database(
    database: Database[Document],
    store: ImageStore,
    files: Iterable[StoredFile],
    named: set[str],
) -> None:
    pictures = [file for file in files if STORED_PATH.fullmatch(file.path)]
    pictures = [file for file in pictures if file.category in _PICTURES]
    if pictures and not any(file.digest in named for file in pictures):
        raise NothingNamed(
            f"The database {database.name!r} names none of the {len(pictures)} pictures in the "
            f"image store {redact_url(store.url)}, so it is not the one that they belong to, and "
            "nothing was changed; name theirs in MONGO_URL and DB_NAME."
        )


@database_task("tidy the image store")
def tidy(database: Database[Document], store: ImageStore, findings: TidyFindings) -> TidyReport:
    """Move what may go to the trash, and remove from it what lay there long enough.

    What names a file is looked up again right before it is moved or removed, and once more after
    it was moved; a file that is named then is moved back.
    """
    places, counts = StoreFiles(store), Counter[str]()
    today = findings.rules.now.date()
    for batch in in_batches(findings.unneeded.to_trash, _BATCH):
        moved = [
            file
            for file in _still_unnamed(database, batch)
            if places.move(file, trash_path(file.path, today))
        ]
        left = _still_unnamed(database, moved)
        _restore(places, [file for file in moved if file not in left], today)
        counts["moved"] += len(left)
        counts["moved_bytes"] += sum(file.bytes for file in left)
    for batch in in_batches(findings.trash.to_remove, _BATCH):
        removable = _still_unnamed(database, batch)
        for file in removable:
            places.remove(file.path)
        counts["removed"] += len(removable)
        counts["removed_bytes"] += sum(file.bytes for file in removable)
    for file in findings.trash.to_restore:
        counts["restored"] += places.move(file, untrashed_path(file.path) or file.path)
    names = ("moved", "moved_bytes", "removed", "removed_bytes", "restored")
    return findings.report(dry_run=False, **{name: counts[name] for name in names})


def _still_unnamed(
    database: Database[Document], files: Sequence[StoredFile]
) -> tuple[StoredFile, ...]:
    named = named_hashes(database, {file.digest for file in files if file.digest})
    return tuple(file for file in files if file.digest not in named)


def _restore(places: StoreFiles, files: Iterable[StoredFile], today: date) -> None:
    for file in files:
        trashed = StoredFile(trash_path(file.path, today), file.bytes, file.written)
        places.move(trashed, file.path)


def tidy_table(report: TidyReport) -> ReportArtifact:
    """Write what the store holds as a table: by category and month."""
    return ReportArtifact(NAME, [row.model_dump() for row in report.months])
