"""The flow `purge-deleted`: removes for good what was deleted long ago.

A schedule looks each week; the removal itself is started by the operator, after a look at the
counts. It needs the database and nothing else:

    from flows.purge_deleted import purge_deleted
    report = purge_deleted(older_than_days=90)
"""

from datetime import UTC, datetime, timedelta

from prefect import flow
from prefect.runtime import flow_run

from db.soft_delete.purge import Purge
from db.soft_delete.report import PurgeReport
from flows.parameters import PurgeDays, unless_typed
from tasks.artifacts import finished, publish_report
from tasks.database.changes import tell_change
from tasks.database.connection import opened_database
from tasks.database.purge import (
    count_deleted,
    due_state,
    kept_warnings,
    purge_table,
    remove_deleted,
)
from tasks.log_lines import failing_in_a_sentence

_NAME = "purge-deleted"


def _run_name() -> str:
    looks = flow_run.parameters.get("dry_run", True)
    return f"{_NAME} (dry run)" if looks else f"{_NAME} (removes)"


@flow(name=_NAME, flow_run_name=unless_typed(_run_name), validate_parameters=False)
@failing_in_a_sentence
def purge_deleted(older_than_days: PurgeDays = 30, dry_run: bool = True) -> PurgeReport:
    """Remove what has been deleted for some days, in cascade, with the counts shown first.

    A deleted document goes together with what it owns, scenes with a project and clips with a
    scene, children first; it is kept and reported while anything that it owns is to stay. What
    `audit-likeness` measured of a character's pictures goes with the character. Pictures in the
    image store and the ledger of face operations are not touched.

    Args:
        older_than_days: Days since the deletion, 1 to 36500; what was deleted later stays.
        dry_run: While this is on, the run only counts; switch it off to remove documents for good.

    Returns:
        The counts by collection, before and after, and the documents that are kept.
    """
    limit = datetime.now(UTC) - timedelta(days=older_than_days)
    with opened_database() as database:
        purge = Purge(database, limit, dry_run=dry_run)
        counted = count_deleted(purge)
        _publish(counted)
        if dry_run:
            tell_change(database, due_state(counted, older_than_days))
            return finished(counted, dry_run=True)
        report = remove_deleted(purge)
        tell_change(database, due_state(report, older_than_days))
    _publish(report)
    return finished(report)


def _publish(report: PurgeReport) -> None:
    publish_report(
        report.summary(),
        purge_table(report),
        lines=report.lines(),
        warnings=kept_warnings(report),
        dry_run=report.dry_run,
    )
