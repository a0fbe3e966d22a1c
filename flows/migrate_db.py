"""The flow `migrate-db`: the database from one numbered state to another, and back.

Started by the operator after an upgrade, when a backup has been made. It needs the database and
nothing else:

    from flows.migrate_db import migrate_db
    report = migrate_db(target="latest", dry_run=True)
"""

from typing import Annotated, Literal

from prefect import flow
from prefect.runtime import flow_run
from pydantic import Field

from db.migrations.engine.check import MigrationReport
from tasks.artifacts import publish_report
from tasks.database.connection import opened_database
from tasks.database.migrate import MIGRATE_KEY, migrate, migration_table, migration_warnings

# A number on the command line is a number to Prefect, which would refuse it for a text.
Target = Literal["latest"] | Annotated[int, Field(ge=0, le=9999)]


def _run_name() -> str:
    dry = " (dry run)" if flow_run.parameters.get("dry_run") else ""
    accept = ", for good" if flow_run.parameters.get("accept") else ""
    return f"migrate-db to {flow_run.parameters.get('target')}{accept}{dry}"


@flow(name="migrate-db", flow_run_name=_run_name)
def migrate_db(
    target: Target = "latest",
    dry_run: bool = False,
    accept: bool = False,
    keep_ttl: bool = False,
) -> MigrationReport:
    """Carry out the migrations up to a number, or undo those after it.

    At latest, documents that the app has written in an older shape since are counted and mended.
    The app shows undo notes in some answers; once they are removed, going down ends there.

    Args:
        target: The number of the last migration that is to be applied, 0 for none, or latest.
        dry_run: Whether to look only and change nothing.
        accept: Whether to remove the undo notes of applied migrations from documents, for good.
        keep_ttl: Whether to change fields of TTL indexes, by which MongoDB then removes documents.

    Returns:
        What was carried out or undone, with the number of documents changed.
    """
    with opened_database() as database:
        report = migrate(database, str(target), dry_run=dry_run, accept=accept, keep_ttl=keep_ttl)
    publish_report(
        report.summary(),
        migration_table(MIGRATE_KEY, report.moves, report.accepted),
        lines=report.lines(),
        warnings=migration_warnings(report),
    )
    return report
