"""Taking items of Civitai's catalog into the database, batch by batch."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from pymongo.database import Database

from catalog.civitai.files import RawItem
from catalog.civitai.items import ItemUnreadable, item_id, read_item
from catalog.civitai.partial_items import with_other_versions
from catalog.entries import Problem
from catalog.errors import CatalogError
from catalog.reporting.import_report import ImportReport
from db.catalog.civitai import StoredItem, upsert_items
from db.catalog.civitai_versions import stored_versions
from db.catalog.imports import PageDone, advance, begin, finish
from db.connection import Document
from db.documents.catalog_import import CatalogImport


class Intake:
    """One run's part of an import: stores batches and remembers how far it is.

    Args:
        database: The StoryCanvas database.
        source: Names what is imported.
        restart: Whether to begin anew.
        base_models: Those that a list was asked for; it leaves versions of others out.
    """

    def __init__(
        self,
        database: Database[Document],
        source: str,
        *,
        restart: bool,
        base_models: Collection[str] = (),
    ) -> None:
        self._database = database
        self._base_models = base_models
        self._mended = 0
        self._pages = 0
        self.state: CatalogImport = begin(database, source, _now(), restart=restart)

    @property
    def has_read_the_list(self) -> bool:
        """Whether a run was stopped after the last page was stored and before it said so."""
        return self.state.pages > 0 and self.state.cursor is None

    @contextmanager
    def failures_noted(self) -> Iterator[None]:
        """Note with the import why it fails; the next run goes on with it."""
        try:
            yield
        except CatalogError as error:
            self.state = finish(self._database, self.state, "failed", _now(), error=str(error))
            raise

    def take_in(self, raw: Sequence[RawItem | Problem], cursor: str | None = None) -> None:
        """Store a batch, then note that it is stored.

        Args:
            raw: Items of any shape, and what could not be read.
            cursor: Where the next page begins; None for a file, or on the last page.

        Raises:
            db.errors.DatabaseError: MongoDB cannot be reached, or refuses the user.
        """
        items, problems = self._read(self._completed(raw) if self._base_models else raw)
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

    def _completed(self, found: Sequence[RawItem | Problem]) -> list[RawItem | Problem]:
        """Put back stored versions that the filter has left out, so that they are not lost."""
        ids = [number for one in found if (number := _id(one)) is not None]
        stored = stored_versions(self._database, ids)
        return [
            replace(
                one,
                raw=with_other_versions(one.raw, stored.get(_id(one) or 0, ()), self._base_models),
            )
            if isinstance(one, RawItem)
            else one
            for one in found
        ]

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
                problems.append((f"item {one.index + 1}", error.reason))
                continue
            self._mended += bool(item.mended)
            items.append(StoredItem(item.id, item.document, item.content_hash))
        return items, problems


def _id(one: RawItem | Problem) -> int | None:
    raw = one.raw if isinstance(one, RawItem) else None
    try:
        return item_id(raw.get("id"), {}) if isinstance(raw, Mapping) else None
    except ItemUnreadable:
        return None  # so it is not stored either


def _now() -> datetime:
    return datetime.now(UTC)
