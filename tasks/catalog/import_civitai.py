"""Reads Civitai's catalog, or a file of it, into the database."""

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from prefect.logging import get_run_logger
from pymongo.database import Database

from blocks.civitai import Civitai
from blocks.limits import create_civitai_limit
from db.connection import Document
from storycanvas.catalog.civitai.client import CivitaiClient
from storycanvas.catalog.civitai.files import RawItem, batches, read_file
from storycanvas.catalog.civitai.pages import WalkedPage, item_ids, walk
from storycanvas.catalog.civitai.query import CivitaiQuery, SortOrder, offset_cursor
from storycanvas.catalog.entries import Problem
from storycanvas.catalog.errors import CatalogBusy, CatalogRefused, PageBroken
from storycanvas.catalog.reporting.reports import ImportReport
from tasks.artifacts import ReportArtifact
from tasks.catalog.civitai_api import wait_for_rate_limit
from tasks.catalog.civitai_pages import PageReader, pages_from
from tasks.catalog.import_session import LAST_IDS, ImportSession
from tasks.progress import Progress
from tasks.retries import retrying_task

TABLE_KEY = "import-civitai"
_END = "The end of the list was reached."
_Reached = dict[SortOrder, deque[int]]
"""The last models that were read of a list in other orders."""
_STARTS = (None, offset_cursor(0))
"""Cursors of a list's start; the second one is stored where the first page cannot be read."""


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
    with catalog.client(wait_for_rate_limit) as client, session.record_failure():
        reading = _ListReading(session, client, query, max_pages, progress)
        try:
            because, complete = reading.from_position()
        except PageBroken as broken:
            because, complete = reading.from_other_ends(broken)
            if not complete:
                get_run_logger().warning(because)
                session.fail(because)
    return session.report("Civitai", because, complete=complete)


class _ListReading:
    """Reads the list of a query, at most `max_pages` pages of it in this run."""

    def __init__(
        self,
        session: ImportSession,
        client: CivitaiClient,
        query: CivitaiQuery,
        max_pages: int | None,
        progress: Progress,
    ) -> None:
        self._session = session
        self._client = client
        self._query = query
        self._max_pages = max_pages
        self._progress = progress

    def from_position(self) -> tuple[str, bool]:
        """Read on from the stored position; return why it ended, and whether all is read.

        Raises:
            PageBroken: What comes next cannot be read.
        """
        session = self._session
        cursor, is_own = session.state.cursor, session.has_own_cursor
        last: WalkedPage | None = None
        for page in self._some(pages_from(self._client, self._query, cursor, is_own=is_own)):
            last = page
            if page.cursor in _STARTS and session.state.pages and not is_own:
                session.begin_anew()
            self._store(page, page.next_cursor)
        if last is not None and last.next_cursor is not None:
            return "The next run continues there.", False
        return last.problem.reason if last and last.problem else _END, True

    def from_other_ends(self, broken: PageBroken) -> tuple[str, bool]:
        """Read what lies behind the model that cannot be read; return as `from_position` does.

        The stored cursor stays where it is, so that the next run begins there.

        Raises:
            CatalogBusy: Nothing of the list could be read, from neither end.
        """
        session = self._session
        if broken.cursor in _STARTS and session.state.pages and not session.has_own_cursor:
            session.begin_anew()
        read = [*session.last_ids]
        place = (
            f"after model {read[-1]}"
            if read
            else f"after its first {session.state.position} models"
        )
        reached: _Reached = {}
        queries = self._query.from_other_ends()
        # A ranking's models stand elsewhere in another order, where meeting them says nothing.
        known: Collection[int] = read if len(queries) == 1 else ()
        for query in queries:
            # The same model may break this order, too; or the site has no such order.
            with suppress(PageBroken, CatalogRefused):
                if self._is_whole(query, known, reached):
                    return "The list was read to its end in another order.", True
            known = reached.get(query.sort, ())
        if not session.state.pages:
            raise broken.error
        return _not_read(place, broken.error, reached), False

    def _is_whole(self, query: CivitaiQuery, known: Collection[int], reached: _Reached) -> bool:
        """Read a list to its end or to a model that is `known`; note the last ones in `reached`."""
        # Without a cursor, pages that are stored would mean that the end was reached.
        cursor = self._session.state.cursor or offset_cursor(0)
        for page in self._some(walk(PageReader(self._client, query))):
            ids = item_ids(page.items)
            self._store(replace(page, items=self._unread(page.items)), cursor)
            if ids:
                reached.setdefault(query.sort, deque(maxlen=LAST_IDS)).extend(ids)
            is_end = page.next_cursor is None and page.problem is None
            if is_end or not set(known).isdisjoint(ids):
                return True
        return False

    def _unread(self, items: Sequence[object]) -> list[object]:
        """Leave out what this run has stored, so that it counts once."""
        return [item for item in items if self._session.ids.isdisjoint(item_ids([item]))]

    def _some(self, pages: Iterator[WalkedPage]) -> Iterator[WalkedPage]:
        while self._max_pages is None or self._session.pages < self._max_pages:
            page = next(pages, None)
            if page is None:
                return
            yield page

    def _store(self, page: WalkedPage, cursor: str | None) -> None:
        session = self._session
        batch = _of_page(page, session.state.position)
        session.store_batch(batch, cursor, is_last_part=page.is_last_part)
        self._progress("Civitai's list", session.state.position, 0)


_ENDS: dict[SortOrder, str] = {"Newest": "newest", "Oldest": "oldest"}


def _not_read(place: str, error: CatalogBusy, reached: _Reached) -> str:
    ways = [f"from the {_ENDS[order]} to model {ids[-1]}" for order, ids in reached.items()]
    behind = (
        f"What lies behind it was read in the order of age, {' and '.join(ways)}."
        if ways
        else "What lies behind it is not read: no other order shows it."
    )
    return (
        f"The list cannot be read {place}: Civitai answers {error.status} even for a single model. "
        f"{behind} The next run begins there."
    )


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
