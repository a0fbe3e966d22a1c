"""The flow `migrate-db`: the database from one numbered state to another, and back.

Started by the operator after an upgrade, when a backup has been made. It needs the database and
nothing else:

    from flows.migrate_db import migrate_db
    report = migrate_db(target="latest", dry_run=True)
"""

from typing import Annotated, Literal

from prefect import flow
from prefect.runtime import flow_run
from pydantic import Field, WithJsonSchema

from db.migrations.engine.check import MigrationReport
from db.migrations.engine.migration import load_migrations
from flows.parameters import unless_typed
from tasks.artifacts import finished, publish_report
from tasks.database.changes import tell_change
from tasks.database.connection import opened_database
from tasks.database.migrate import (
    MIGRATE_KEY,
    migrate,
    migration_table,
    migration_warnings,
    pending_state,
)
from tasks.log_lines import failing_in_a_sentence

# Prefect's form shows a union as tabs, `str` and `int`, and one enumeration as a dropdown.
_DROPDOWN = ["latest", *(migration.number for migration in reversed(load_migrations())), 0]

# A number on the command line is a number to Prefect, which would refuse it for a text.
Target = Annotated[
    Literal["latest"] | Annotated[int, Field(ge=0, le=9999)], WithJsonSchema({"enum": _DROPDOWN})
]


def _run_name() -> str:
    dry = " (dry run)" if flow_run.parameters.get("dry_run") else ""
    accept = ", for good" if flow_run.parameters.get("accept") else ""
    return f"migrate-db to {flow_run.parameters.get('target')}{accept}{dry}"


@flow(name="migrate-db", flow_run_name=unless_typed(_run_name), validate_parameters=False)
@failing_in_a_sentence
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
        target: Last migration that is to be applied: the latest, one with a number, or 0 for none.
        dry_run: While this is on, the run only reports what it would change; switch it off to
            change the database.
        accept: Removes the undo notes of applied migrations from documents; these migrations cannot
            be undone afterwards.
        keep_ttl: Changes fields of TTL indexes, too, after which MongoDB removes the documents that
            are older than such an index allows.

    Returns:
        What was carried out or undone, with the number of documents changed.
    """
    with opened_database() as database:
        report = migrate(database, str(target), dry_run=dry_run, accept=accept, keep_ttl=keep_ttl)
        if target == "latest":
            tell_change(database, pending_state(report))
    publish_report(
        report.summary(),
        migration_table(MIGRATE_KEY, report.moves, report.accepted),
        lines=report.lines(),
        warnings=migration_warnings(report),
        dry_run=dry_run,
    )
    return finished(report, dry_run=dry_run)
