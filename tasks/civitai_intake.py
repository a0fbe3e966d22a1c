"""Taking items of Civitai's catalog into the database, batch by batch."""

from collections.abc import Sequence
from datetime import UTC, datetime

from pymongo.database import Database

from catalog.civitai.files import RawItem
from catalog.civitai.items import ItemUnreadable, read_item
from catalog.entries import Problem
from catalog.reporting.import_report import ImportReport
from db.catalog.civitai import StoredItem, upsert_items
from db.catalog.imports import PageDone, advance, begin, finish
from db.connection import Document
from db.documents.catalog_import import CatalogImport


class Intake:
    """One run's part of an import: stores batches and remembers how far it is.

    Args:
        database: The StoryCanvas database.
        source: Names what is imported.
        restart: Whether to begin anew.
    """

    def __init__(self, database: Database[Document], source: str, *, restart: bool) -> None:
        self._database = database
        self._mended = 0
        self._pages = 0
        self.state: CatalogImport = begin(database, source, _now(), restart=restart)

    def take_in(self, raw: Sequence[RawItem | Problem], cursor: str | None = None) -> None:
        """Store a batch, then note that it is stored.

        Args:
            raw: Items of any shape, and what could not be read.
            cursor: Where the next page begins; None for a file, or on the last page.

        Raises:
            db.errors.DatabaseError: MongoDB cannot be reached, or refuses the user.
        """
        items, problems = self._read(raw)
        counts = upsert_items(self._database, items, _now(), self.state.import_id)
        problems += [(str(number), reason) for number, reason in counts.failed]
        done = PageDone(
            cursor=cursor,
            items=len(raw),
            new=counts.new,
            changed=counts.changed,
            unchanged=counts.unchanged,
            problems=tuple(problems),
        )
        self.state = advance(self._database, self.state, done, _now())
        self._pages += 1

    def report(self, source: str, because: str, *, complete: bool) -> ImportReport:
        """End this run's part, and the import if all of it was read.

        Args:
            source: What was read, in words.
            because: Why it ended, as a sentence.
            complete: Whether the end was reached.
        """
        if complete:
            self.state = finish(self._database, self.state, "complete", _now())
        state = self.state
        return ImportReport(
            source=source,
            pages=self._pages,
            new=state.new,
            changed=state.changed,
            unchanged=state.unchanged,
            mended=self._mended,
            problems=tuple(f"{one.subject}: {one.reason}" for one in state.problems),
            problem_count=state.failed,
            complete=complete,
            ended_because=because,
        )

    def _read(
        self, raw: Sequence[RawItem | Problem]
    ) -> tuple[list[StoredItem], list[tuple[str, str]]]:
        items, problems = [], []
        for one in raw:
            if isinstance(one, Problem):
                problems.append((one.subject, one.reason))
                continue
            try:
                item = read_item(one.raw)
            except ItemUnreadable as error:
                problems.append((f"item {one.index}", error.reason))
                continue
            self._mended += bool(item.mended)
            items.append(StoredItem(item.id, item.document, item.content_hash))
        return items, problems


def _now() -> datetime:
    return datetime.now(UTC)
