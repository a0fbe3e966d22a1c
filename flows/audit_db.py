"""The flow `audit-db`: what is wrong in the database, and repairs that can harm nobody.

Started by a schedule that only looks, and by the operator to repair. It needs the database and
nothing else:

    from flows.audit_db import audit_db
    report = audit_db(sample_size=None)
"""

from typing import Annotated

from prefect import flow
from prefect.runtime import flow_run
from pydantic import Field

from db.audit.audit import SAMPLE_SIZE
from db.audit.report import AuditReport
from tasks.database.audit import audit_and_show


def _run_name() -> str:
    return "audit-db (fixes)" if flow_run.parameters.get("fix") else "audit-db (looks only)"


@flow(name="audit-db", flow_run_name=_run_name)
def audit_db(
    sample_size: Annotated[int, Field(ge=1)] | None = SAMPLE_SIZE, fix: bool = False
) -> AuditReport:
    """Find orphans, invalid and oversized documents, poor indexes, stuck jobs and owed effects.

    What was found does not fail the run; the report says what to do about each finding.

    Args:
        sample_size: Most documents validated of each collection, chosen by chance; empty for all.
        fix: Whether to apply owed effects and to take back jobs whose lease has expired.

    Returns:
        Everything found, the worst first, and what was done about it.
    """
    return audit_and_show(sample_size, fix=fix)
