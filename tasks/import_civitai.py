"""Reading Civitai's catalog, or a file of it, into the database, and showing what came of it."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from prefect import task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger
from pymongo.database import Database

from blocks.civitai import Civitai
from blocks.configured import civitai
from blocks.environment import Environment
from catalog.civitai.batches import batches
from catalog.civitai.files import RawItem, read_file
from catalog.civitai.pages import WalkedPage
from catalog.civitai.query import CivitaiQuery
from catalog.entries import Problem
from catalog.reporting.import_report import ImportReport
from db.connection import Document
from tasks.civitai_calls import one_a_second, open_gate
from tasks.civitai_intake import Intake
from tasks.civitai_pages import pages_from
from tasks.progress import Progress, shown_progress
from tasks.retrying import may_pass, patient
from tasks.story_database import opened_database

TABLE_KEY = "import-civitai"
_END = "The end of the list was reached."


class FileUnreadable(Exception):
    """There is no such file, or it may not be read."""

    retryable: ClassVar[bool] = False


@task(cache_policy=NO_CACHE, task_run_name="import from Civitai", retry_condition_fn=may_pass)
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
        catalog.errors.CatalogError: Civitai cannot be reached, refuses the key, or is too busy.
        db.errors.DatabaseError: MongoDB cannot be reached, or refuses the user.
    """
    source = f"{query.key}@{urlsplit(catalog.url).netloc}"
    intake = Intake(database, source, restart=restart, base_models=query.base_models)
    if intake.has_read_the_list:
        return intake.report("Civitai", _END, complete=True)
    open_gate()
    last: WalkedPage | None = None
    with catalog.client(one_a_second) as client, intake.failures_noted():
        pages = pages_from(client, query, intake.state.cursor)
        for page in islice(pages, max_pages):
            last = page
            intake.take_in(_of_page(page, intake.state.position), page.next_cursor)
            progress("Civitai's list", intake.state.position, 0)
    if last is not None and last.next_cursor is not None:
        because = "The next run goes on there."
        return intake.report("Civitai", because, complete=False)
    because = last.problem.reason if last and last.problem else _END
    return intake.report("Civitai", because, complete=True)


@task(cache_policy=NO_CACHE, task_run_name="import {path.name}", retry_condition_fn=may_pass)
def import_file(
    database: Database[Document], path: Path, progress: Progress, *, restart: bool
) -> ImportReport:
    """Read a file, from where the last run on the same file was stopped.

    Raises:
        FileUnreadable: It cannot be opened.
        db.errors.DatabaseError: MongoDB cannot be reached, or refuses the user.
    """
    try:
        if path.exists() and not path.is_file():
            raise FileUnreadable(
                f"{path.name!r} cannot be read: it is no file; give a path to one."
            )
        size = path.stat()
        source = f"file-{path.resolve()}-{size.st_size}-{size.st_mtime_ns}"
        intake = Intake(database, source, restart=restart)
        last: RawItem | Problem | None = None
        for batch in batches(read_file(path, start=intake.state.position)):
            last = batch[-1]
            intake.take_in(batch)
            progress(path.name, intake.state.position, 0)
    except OSError as error:
        raise FileUnreadable(
            f"The file {path.name!r} cannot be read ({error.strerror or error}); give a path that "
            "the worker can read."
        ) from error
    because = "The end of the file was reached."
    if isinstance(last, Problem):
        because = f"The last of it cannot be read, {last.subject}: {last.reason}"
    return intake.report(path.name, because, complete=True)


def import_catalog(
    query: CivitaiQuery, file: str | None, max_pages: int | None, *, restart: bool
) -> ImportReport:
    """Import from Civitai or a file, show what came of it and return it.

    Args:
        query: Filters for Civitai.
        file: A path; without one Civitai is asked.
        max_pages: Most pages that are read now.
        restart: Whether to begin anew.

    Raises:
        FileUnreadable: The file cannot be read.
        catalog.errors.CatalogError: Civitai cannot be reached, or refuses the key.
        db.errors.DatabaseError: MongoDB cannot be reached, or refuses the user.
    """
    environment = Environment()
    with (
        opened_database(environment) as database,
        shown_progress(f"{TABLE_KEY}-progress", "items") as progress,
    ):
        if file:
            work = patient(import_file, environment)
            report = work(database, Path(file), progress, restart=restart)
        else:
            catalog = civitai(environment)
            pages = patient(import_pages, environment)
            report = pages(database, catalog, query, max_pages, progress, restart=restart)
    show_import(report)
    return report


@task(cache_policy=NO_CACHE, task_run_name="show what was found")
def show_import(report: ImportReport) -> None:
    """Show a report in the run's log and as a table in the Prefect UI."""
    log = get_run_logger()
    for problem in report.problems:
        log.warning("Not imported: %s", problem)
    log.info(report.summary())
    counts = [
        {"what": word, "models": getattr(report, word)}
        for word in ("new", "changed", "unchanged", "mended", "problem_count")
    ]
    problems = [{"what": problem, "models": 1} for problem in report.problems]
    create_table_artifact([*counts, *problems], key=TABLE_KEY, description=report.summary())


def _of_page(page: WalkedPage, position: int) -> list[RawItem | Problem]:
    items: Iterator[RawItem | Problem] = (
        RawItem(position + number, raw) for number, raw in enumerate(page.items)
    )
    problems: Iterable[Problem] = (page.problem,) if page.problem else ()
    return [*items, *problems]
