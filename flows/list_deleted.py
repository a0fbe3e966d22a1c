"""The flow `list-deleted`: what is in the bin, who deleted it, and how long it stays.

It needs the database and nothing else:

    from flows.list_deleted import list_deleted
    report = list_deleted()
"""

from prefect import flow

from db.soft_delete.recycle_bin import BinReport
from flows.parameters import PurgeDays, unless_typed
from tasks.artifacts import finished, publish_report
from tasks.database.connection import opened_database
from tasks.database.recycle_bin import bin_table, list_bin
from tasks.log_lines import failing_in_a_sentence


@flow(name="list-deleted", flow_run_name=unless_typed("list-deleted"), validate_parameters=False)
@failing_in_a_sentence
def list_deleted(older_than_days: PurgeDays = 30) -> BinReport:
    """List what is deleted, the newest first, with who deleted it and the days that it stays.

    What went together is one row. Nothing is changed; restore-story takes the id of a row.

    Args:
        older_than_days: Days after which purge-deleted may remove what is deleted, 1 to 36500.

    Returns:
        The deletions, and how many documents of each collection are deleted.
    """
    with opened_database() as database:
        report = list_bin(database, older_than_days)
    publish_report(report.summary(), bin_table(report), lines=report.lines())
    return finished(report)
