"""Choosing a couple face-swap database, importing it, and showing what became of its rows."""

from pathlib import Path

from prefect import task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger
from pymongo.database import Database

from blocks.environment import Environment
from db.connection import Document
from db.couple_import.csv_source import CsvSource
from db.couple_import.errors import SourceNotNamed
from db.couple_import.postgres_source import PostgresSource, refuse_password
from db.couple_import.report import ImportReport, Problem, TableCount
from db.couple_import.run import import_tables
from db.couple_import.sources import Source
from tasks.database.connection import opened_database
from tasks.retries import is_retryable, with_retries

ARTIFACT_KEY = "import-couple-swap"

Row = dict[str, str | int]


def choose_source(
    csv_folder: str | None, postgres_url: str | None, environment: Environment
) -> Source:
    """Choose what to import: what a parameter names, else what the environment names.

    Args:
        csv_folder: Folder with a CSV file for each table; empty is none.
        postgres_url: Connection string without a password; empty is none.
        environment: Its `COUPLE_SWAP_POSTGRES_URL` may hold a password.

    Raises:
        db.couple_import.errors.PasswordInAddress: `postgres_url` has a password in it.
        db.couple_import.errors.SourceNotNamed: Both parameters are given, or nothing is.
        db.couple_import.errors.AddressUnreadable: It is no connection string.
    """
    if postgres_url:
        refuse_password(postgres_url)
    if csv_folder and postgres_url:
        raise SourceNotNamed("csv_folder and postgres_url are both given; give one of them.")
    if csv_folder:
        return CsvSource(Path(csv_folder))
    if postgres_url:
        return PostgresSource(postgres_url)
    if environment.couple_swap_postgres_url is None:
        raise SourceNotNamed(
            "Nothing says what to import; give csv_folder or postgres_url, or set "
            "COUPLE_SWAP_POSTGRES_URL."
        )
    return PostgresSource(environment.couple_swap_postgres_url.get_secret_value())


@task(cache_policy=NO_CACHE, task_run_name="import rows", retry_condition_fn=is_retryable)
def import_rows(database: Database[Document], source: Source, *, dry_run: bool) -> ImportReport:
    """Place the rows that have no document yet, or only look.

    A retry counts as existing what the try before it placed.

    Raises:
        db.couple_import.errors.ImportFailed: The source cannot be read, or is not of seed 003.
        db.errors.DatabaseError: MongoDB cannot be reached, or refuses the user.
    """
    return import_tables(database, source, dry_run=dry_run)


@task(cache_policy=NO_CACHE, task_run_name="show what was found")
def show_import(report: ImportReport) -> None:
    """Show a report in the run's log and as a table in the Prefect UI."""
    log = get_run_logger()
    for line in report.lines():
        log.info(line)
    for note in report.notes:
        log.warning(note)
    for problem in report.problems:
        log.warning("Not placed: %s.", problem)
    if more := report.problem_count - len(report.problems):
        log.warning("Not placed: %d more.", more)
    log.info(report.summary())
    create_table_artifact(
        [_count_row(one, report) for one in report.tables]
        + [_problem_row(one, report) for one in report.problems],
        key=ARTIFACT_KEY,
        description=" ".join((report.summary(), *report.notes)),
    )


def load_couple_swap(
    csv_folder: str | None, postgres_url: str | None, *, dry_run: bool
) -> ImportReport:
    """Import into the configured database, show what became of the rows and return it.

    Args:
        csv_folder: Folder with a CSV file for each table.
        postgres_url: Connection string without a password.
        dry_run: Whether to look only.

    Raises:
        db.couple_import.errors.ImportFailed: No source is named, or it cannot be read.
        db.errors.DatabaseError: MongoDB cannot be reached, or refuses the user.
    """
    environment = Environment()
    source = choose_source(csv_folder, postgres_url, environment)
    with opened_database(environment) as database:
        report = with_retries(import_rows, environment)(database, source, dry_run=dry_run)
    show_import(report)
    return report


def _count_row(count: TableCount, report: ImportReport) -> Row:
    return {
        "table": count.table,
        "read": count.read,
        report.created_words: count.created,
        report.merged_words: count.merged,
        "existing": count.existing,
        "not placed": count.not_placed,
        "note": "",
    }


def _problem_row(problem: Problem, report: ImportReport) -> Row:
    no_counts = {report.created_words: "", report.merged_words: "", "existing": ""}
    return {"table": problem.table, "read": "", **no_counts, "not placed": 1, "note": str(problem)}
