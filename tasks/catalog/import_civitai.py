"""Reads Civitai's catalog, or a file of it, into the database."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from pymongo.database import Database

from blocks.civitai import Civitai
from blocks.limits import create_civitai_limit
from db.catalog.civitai.imports import PageDone, advance, begin, finish
from db.catalog.civitai.items import StoredItem, stored_versions, upsert_items
from db.connection import Document
from db.schema.documents.models import CatalogImport
from storycanvas.catalog.civitai.files import RawItem, batches, read_file
from storycanvas.catalog.civitai.items import (
    ItemUnreadable,
    item_id,
    read_item,
    with_other_versions,
)
from storycanvas.catalog.civitai.pages import WalkedPage
from storycanvas.catalog.civitai.query import CivitaiQuery
from storycanvas.catalog.entries import Problem
from storycanvas.catalog.errors import CatalogError
from storycanvas.catalog.reporting.reports import ImportReport
from tasks.artifacts import ReportArtifact
from tasks.catalog.civitai_api import pages_from, wait_for_rate_limit
from tasks.progress import Progress
from tasks.retries import retrying_task


class ImportSession:
    """One run's part of an import: stores batches and keeps the position.

    Args:
        database: The StoryCanvas database.
        source: Identifies what is imported.
        restart: Whether to begin anew.
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
        self._pages = 0
        self.state: CatalogImport = begin(database, source, _now(), restart=restart)

    @property
    def has_read_the_list(self) -> bool:
        """Whether a run was stopped between storing the last page and recording its end."""
        return self.state.pages > 0 and self.state.cursor is None

    @contextmanager
    def record_failure(self) -> Iterator[None]:
        """Record in the import why it fails; the next run continues it."""
        try:
            yield
        except CatalogError as error:
            self.state = finish(self._database, self.state, "failed", _now(), error=str(error))
            raise

    def store_batch(self, raw: Sequence[RawItem | Problem], cursor: str | None = None) -> None:
        """Store items of any shape, then record the position and the problems.

        `cursor` is where the next page begins; None for a file, or on the last page.
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
        """End this run's part for a reason, and the import if it is `complete`."""
        if complete:
            self.state = finish(self._database, self.state, "complete", _now())
        state = self.state
        return ImportReport(
            source=source,
            pages=self._pages,
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


TABLE_KEY = "import-civitai"
_END = "The end of the list was reached."


class FileUnreadable(Exception):
    """The file does not exist, or may not be read."""

    retryable: ClassVar[bool] = False


@retrying_task("import from Civitai")
def import_pages(
    database: Database[Document],
    catalog: Civitai,
    query: CivitaiQuery,
    max_pages: int | None,
    progress: Progress,
    *,
    restart: bool,
) -> ImportReport:
    """Read page after page, from where the last run of the same filters was stopped.

    Raises:
        storycanvas.catalog.errors.CatalogError: Civitai cannot be reached, refuses the key, or is
            too busy.
    """
    source = f"{query.key}@{urlsplit(catalog.url).netloc}"
    session = ImportSession(database, source, restart=restart, base_models=query.base_models)
    if session.has_read_the_list:
        return session.report("Civitai", _END, complete=True)
    create_civitai_limit()
    last: WalkedPage | None = None
    with catalog.client(wait_for_rate_limit) as client, session.record_failure():
        pages = pages_from(client, query, session.state.cursor)
        for page in islice(pages, max_pages):
            last = page
            session.store_batch(_of_page(page, session.state.position), page.next_cursor)
            progress("Civitai's list", session.state.position, 0)
    if last is not None and last.next_cursor is not None:
        because = "The next run continues there."
        return session.report("Civitai", because, complete=False)
    because = last.problem.reason if last and last.problem else _END
    return session.report("Civitai", because, complete=True)


@retrying_task("import {path.name}")
def import_file(
    database: Database[Document], path: Path, progress: Progress, *, restart: bool
) -> ImportReport:
    """Read a file, from where the last run on the same file was stopped.

    Raises:
        FileUnreadable: It cannot be opened.
    """
    try:
        if path.exists() and not path.is_file():
            raise FileUnreadable(
                f"{path.name!r} cannot be read: it is not a file; give the path of a file."
            )
        size = path.stat()
        source = f"file-{path.resolve()}-{size.st_size}-{size.st_mtime_ns}"
        session = ImportSession(database, source, restart=restart)
        last: RawItem | Problem | None = None
        for batch in batches(read_file(path, start=session.state.position)):
            last = batch[-1]
            session.store_batch(batch)
            progress(path.name, session.state.position, 0)
    except OSError as error:
        raise FileUnreadable(
            f"The file {path.name!r} cannot be read ({error.strerror or error}); give a path that "
            "the worker can read."
        ) from error
    because = "The end of the file was reached."
    if isinstance(last, Problem):
        because = f"Its last part cannot be read, {last.subject}: {last.reason}"
    return session.report(path.name, because, complete=True)


def import_table(report: ImportReport) -> ReportArtifact:
    """Make the table of counts and of problems."""
    counts = [
        {"what": word, "models": getattr(report, word)}
        for word in ("new", "changed", "unchanged", "mended", "problem_count")
    ]
    problems = [{"what": problem, "models": 1} for problem in report.problems]
    return ReportArtifact(TABLE_KEY, [*counts, *problems])


def _of_page(page: WalkedPage, position: int) -> list[RawItem | Problem]:
    items: Iterator[RawItem | Problem] = (
        RawItem(position + number, raw) for number, raw in enumerate(page.items)
    )
    problems: Iterable[Problem] = (page.problem,) if page.problem else ()
    return [*items, *problems]
