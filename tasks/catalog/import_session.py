"""One run of an import from Civitai: what is stored, and the position in the list or file."""

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from prefect.runtime import flow_run
from pymongo.database import Database

from db.catalog.civitai.imports import PageDone, advance, begin, begin_anew, finish
from db.catalog.civitai.item_writes import StoredItem
from db.catalog.civitai.items import stored_versions, upsert_items
from db.connection import Document
from db.schema.documents.models import CatalogImport
from storycanvas.catalog.civitai.files import RawItem
from storycanvas.catalog.civitai.items import (
    ItemUnreadable,
    item_id,
    read_item,
    with_other_versions,
)
from storycanvas.catalog.entries import Problem
from storycanvas.catalog.errors import CatalogError
from storycanvas.catalog.reporting.reports import ImportReport

LAST_IDS = 100
"""Models of which a list in the opposite order meets one, also if some are gone by then."""


class ImportSession:
    """One run's part of an import: stores batches and keeps the position.

    Args:
        database: The StoryCanvas database.
        source: Identifies what is imported.
        restart: Whether to begin anew, once in a run that is retried.
        base_models: The filter of a list; versions of other base models are not in it.
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
        self._repaired = 0
        self.pages = 0
        self.ids: set[int] = set()
        self.last_ids: deque[int] = deque(maxlen=LAST_IDS)
        self._run_id: str | None = flow_run.id
        self.state: CatalogImport = begin(
            database, source, _now(), restart=restart, run_id=self._run_id
        )

    @property
    def has_read_the_list(self) -> bool:
        """Whether a run was stopped between storing the last page and recording its end."""
        return self.state.pages > 0 and self.state.cursor is None

    @property
    def has_own_cursor(self) -> bool:
        """Whether this very run has stored the cursor, so that it cannot have expired."""
        return self._run_id is not None and self.state.run_id == self._run_id

    def begin_anew(self) -> None:
        """Count from 0, since the list is read from its start."""
        self.state = begin_anew(self._database, self.state.id, _now(), self._run_id)

    def fail(self, error: str) -> None:
        """Record why the import is not complete; the next run continues it at its cursor."""
        self.state = finish(self._database, self.state, "failed", _now(), error=error)

    @contextmanager
    def record_failure(self) -> Iterator[None]:
        """Record in the import why it fails; the next run continues it."""
        try:
            yield
        except CatalogError as error:
            self.fail(str(error))
            raise

    def store_batch(
        self,
        raw: Sequence[RawItem | Problem],
        cursor: str | None = None,
        *,
        is_last_part: bool = True,
    ) -> None:
        """Store items of any shape, then record the position and the problems.

        Args:
            raw: The items.
            cursor: Where the next page begins; None for a file, or on the last page.
            is_last_part: Whether a page ends with them; one that is read in parts counts once.
        """
        items, problems = self._read(self._completed(raw) if self._base_models else raw)
        counts = upsert_items(self._database, items, _now(), self.state.import_id, is_one_list=True)
        problems += [(str(number), reason) for number, reason in counts.failed]
        done = PageDone(
            cursor=cursor,
            items=len(raw),
            new=counts.new,
            changed=counts.changed,
            unchanged=counts.unchanged,
            problems=tuple(problems),
            run_id=self._run_id,
        )
        self.state = advance(self._database, self.state, done, _now())
        self.pages += is_last_part
        self.last_ids.extend(item.id for item in items)
        self.ids.update(item.id for item in items)

    def report(self, source: str, because: str, *, complete: bool) -> ImportReport:
        """End this run's part for a reason, and the import if it is `complete`."""
        if complete:
            self.state = finish(self._database, self.state, "complete", _now())
        state = self.state
        return ImportReport(
            source=source,
            pages=self.pages,
            new=state.new,
            changed=state.changed,
            unchanged=state.unchanged,
            mended=self._repaired,
            problems=tuple(f"{problem.subject}: {problem.reason}" for problem in state.problems),
            problem_count=state.failed,
            complete=complete,
            ended_because=because,
        )

    def _completed(self, found: Sequence[RawItem | Problem]) -> list[RawItem | Problem]:
        """Put back stored versions that the filter has left out, so that they are not lost."""
        ids = [number for row in found if (number := _id(row)) is not None]
        stored = stored_versions(self._database, ids)
        return [
            replace(
                row,
                raw=with_other_versions(row.raw, stored.get(_id(row) or 0, ()), self._base_models),
            )
            if isinstance(row, RawItem)
            else row
            for row in found
        ]

    def _read(
        self, raw: Sequence[RawItem | Problem]
    ) -> tuple[list[StoredItem], list[tuple[str, str]]]:
        items, problems = [], []
        for entry in raw:
            if isinstance(entry, Problem):
                problems.append((entry.subject, entry.reason))
                continue
            try:
                item = read_item(entry.raw)
            except ItemUnreadable as error:
                problems.append((f"item {entry.index + 1}", error.reason))
                continue
            self._repaired += bool(item.repaired)
            items.append(StoredItem(item.id, item.document, item.content_hash))
        return items, problems


def _id(entry: RawItem | Problem) -> int | None:
    raw = entry.raw if isinstance(entry, RawItem) else None
    try:
        return item_id(raw.get("id"), {}) if isinstance(raw, Mapping) else None
    except ItemUnreadable:
        return None  # the item is not stored either


def _now() -> datetime:
    return datetime.now(UTC)
