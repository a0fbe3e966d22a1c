"""The flow `audit-db`: what is wrong in the database, and repairs that cannot do harm.

Started by a schedule that only looks, and by the operator to repair. It needs the database and
nothing else:

    from flows.audit_db import audit_db
    report = audit_db(sample_size=0)
"""

from typing import Annotated

from prefect import flow
from prefect.runtime import flow_run
from pydantic import Field

from db.audit.audit import SAMPLE_SIZE
from db.audit.report import AuditReport
from flows.parameters import unless_typed
from tasks.artifacts import finished, publish_report
from tasks.database.audit import audit_artifacts, audit_database, audit_state
from tasks.database.changes import tell_change
from tasks.database.connection import opened_database
from tasks.log_lines import failing_in_a_sentence


def _run_name() -> str:
    return "audit-db (fixes)" if flow_run.parameters.get("fix") else "audit-db (looks only)"


@flow(name="audit-db", flow_run_name=unless_typed(_run_name), validate_parameters=False)
@failing_in_a_sentence
def audit_db(
    sample_size: Annotated[int, Field(ge=0)] | None = SAMPLE_SIZE, fix: bool = False
) -> AuditReport:
    """Find orphans, invalid and oversized documents, poor indexes, stuck jobs, pending effects.

    Findings do not fail the run; the report states what to do about each of them.

    Args:
        sample_size: Most documents validated of each collection, chosen at random: 1000 unless
            another number is given, 0 for all.
        fix: While this is off, the run only reports; on, it applies pending effects, requeues jobs
            whose lease has expired, counts batches and copies fields again.

    Returns:
        All findings, the worst first, and what was done about each.
    """
    with opened_database() as database:
        report = audit_database(database, sample_size or None, fix=fix)
        tell_change(database, audit_state(report))
    publish_report(report.summary(), *audit_artifacts(report), lines=report.lines())
    return finished(report)
