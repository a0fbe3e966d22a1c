"""Importing a couple face-swap database."""

from pathlib import Path

from pymongo.database import Database

from blocks.environment import Environment
from db.connection import Document
from db.couple_import.csv_source import CsvSource
from db.couple_import.errors import SourceNotNamed
from db.couple_import.postgres_source import PostgresSource, refuse_password
from db.couple_import.report import ImportReport, Problem, TableCount
from db.couple_import.rows import Source
from db.couple_import.run import Processing, import_tables
from tasks.artifacts import ReportArtifact
from tasks.retries import database_task

ARTIFACT_KEY = "import-couple-swap"

Row = dict[str, str | int]


def choose_source(
    csv_folder: str | None, postgres_url: str | None, environment: Environment
) -> Source:
    """Choose what to import: what a parameter names, else what the environment names.

    An empty parameter is none. Only the environment's address may hold a password.
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
            "No source to import is named; give csv_folder or postgres_url, or set "
            "COUPLE_SWAP_POSTGRES_URL."
        )
    return PostgresSource(environment.couple_swap_postgres_url.get_secret_value())


@database_task("import rows")
def import_rows(
    database: Database[Document], source: Source, *, dry_run: bool, processing: Processing
) -> ImportReport:
    """Place the rows that have no document yet and update the others, or only count them.

    A retry counts as existing what the try before it placed.
    """
    return import_tables(database, source, dry_run=dry_run, processing=processing)


def import_warnings(report: ImportReport) -> list[str]:
    """List the notes of a report and the rows that were not placed."""
    warnings = [*report.notes, *(f"Not placed: {problem}." for problem in report.problems)]
    if more := report.problem_count - len(report.problems):
        warnings.append(f"Not placed: {more} more.")
    return warnings


def import_table(report: ImportReport) -> ReportArtifact:
    """Write a report as a table: the rows not placed, then the counts of each source table."""
    counts = [_count_row(count, report) for count in report.tables]
    problems = [_problem_row(problem, report) for problem in report.problems]
    version = f"The tables are those of {report.version}." if report.version else ""
    sentences = filter(None, (report.summary(), version, *report.notes))
    return ReportArtifact(ARTIFACT_KEY, problems + counts, " ".join(sentences))


def _count_row(count: TableCount, report: ImportReport) -> Row:
    return {
        "table": count.table,
        "not placed": count.not_placed,
        "note": "",
        "read": count.read,
        report.created_words: count.created,
        report.merged_words: count.merged,
        report.updated_words: count.updated,
        "existing": count.existing,
    }


def _problem_row(problem: Problem, report: ImportReport) -> Row:
    words = (report.created_words, report.merged_words, report.updated_words, "existing")
    no_counts = dict.fromkeys(("read", *words), "")
    return {"table": problem.table, "not placed": 1, "note": str(problem), **no_counts}
