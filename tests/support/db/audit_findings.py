"""Jobs for tests of an audit, and how its findings are looked at."""

from datetime import timedelta
from typing import Any

from db.audit.report import AuditFinding, AuditReport, Kind
from db.schema.collections import COLLECTIONS
from tests.support.db.database_state import Data
from tests.support.db.stored_documents import NOW

DOCUMENTS = {collection.name: collection.document for collection in COLLECTIONS}
LATER = NOW + timedelta(minutes=1)
EARLIER = NOW - timedelta(minutes=1)


def found(report: AuditReport, *kinds: Kind) -> dict[tuple[str, str], int]:
    return {(finding.collection, finding.subject): finding.count for finding in report.of(*kinds)}


def one_of(report: AuditReport, kind: Kind) -> AuditFinding:
    [finding] = report.of(kind)
    return finding


def job(number: int, **fields: Any) -> dict[str, Any]:
    return {"id": f"job-{number}", "job_type": "enhance", "status": "processing", **fields}


def statuses(database: Data) -> dict[str, str]:
    return {stored["id"]: stored["status"] for stored in database["facefusion_jobs"].find()}
