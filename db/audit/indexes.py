"""Collections and indexes that differ from the registry."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from pymongo.database import Database

from db.audit.report import MAX_EXAMPLES, AuditFinding, Kind, check_skipped, run_check
from db.connection import Document
from db.errors import DatabaseRefused
from db.schema.collections import COLLECTIONS, Collection
from db.setup.expiry import expiring_indexes
from db.setup.report import Finding, InitReport, Outcome

CHECK = "use of indexes"

_NO_RIGHTS = (
    "This user is not allowed to read how indexes are used; give it the role clusterMonitor, then "
    "run audit-db again."
)
_OF_REGISTRY = "Nothing; the registry asks for them, and the app may begin to use them."
_UNKNOWN = (
    "If nothing else needs them, drop them; look on the other members of a replica set first, "
    "since each counts for itself from its own start."
)


COUNTED_FOR = timedelta(days=7)
"""How long uses must have been counted before an index is called unused: each weekly job once."""


def unused_indexes(
    database: Database[Document], collections: Iterable[Collection], now: datetime
) -> list[AuditFinding]:
    """Find the indexes that no query has used for a week or more, of the registry and others.

    Unique indexes and those that let documents expire are at work without any query. The server
    counts from its start, or from an index's creation if that was later. A user without the right
    to read these counts gets one finding that names the right.
    """
    found: list[AuditFinding] = []
    for collection in collections:
        try:
            found += run_check(
                CHECK, collection.name, partial(_unused_in, database, collection, now)
            )
        except DatabaseRefused:
            return [check_skipped(CHECK, "all collections", _NO_RIGHTS)]
    return found


def _unused_in(
    database: Database[Document], collection: Collection, now: datetime
) -> Iterator[AuditFinding]:
    grouped: Document = {
        "_id": "$name",
        "uses": {"$sum": "$accesses.ops"},
        "since": {"$max": "$accesses.since"},
        "unique": {"$max": "$spec.unique"},
        "expires": {"$max": "$spec.expireAfterSeconds"},
    }
    pipeline: list[Document] = [{"$indexStats": {}}, {"$group": grouped}, {"$sort": {"_id": 1}}]
    unused = [
        index
        for index in database[collection.name].aggregate(pipeline)
        if is_unused(index) and index["since"] <= now - COUNTED_FOR
    ]
    registry = {index.name for index in collection.indexes}
    ours = [index for index in unused if index["_id"] in registry]
    others = [index for index in unused if index["_id"] not in registry]
    for words, some, remedy in (
        ("of the registry", ours, _OF_REGISTRY),
        ("unknown to the registry", others, _UNKNOWN),
    ):
        if some:
            yield _finding(collection.name, words, some, remedy)


def is_unused(usage: Document) -> bool:
    """Decide by its `_id`, `uses`, `unique` and `expires` whether an index is without use."""
    at_work = usage["_id"] == "_id_" or usage["unique"] or usage["expires"] is not None
    return not at_work and not usage["uses"]


def _finding(
    collection: str, words: str, unused: list[dict[str, Any]], remedy: str
) -> AuditFinding:
    since: datetime = max(index["since"] for index in unused)
    return AuditFinding(
        kind="unused index",
        collection=collection,
        subject=f"{words}, counted since {since:%Y-%m-%d %H:%M} UTC",
        count=len(unused),
        ids=tuple(index["_id"] for index in unused),
        severity="info",
        remedy=remedy,
    )


_EXPIRING = (
    "Drop it if these documents are to stay; nothing brings back what MongoDB removes by it."
)


def expiring_index_findings(database: Database[Document], now: datetime) -> Iterator[AuditFinding]:
    """Name every TTL index with what it would remove today.

    The registry's own is meant, and named only while it would remove more once texts are dates.
    """
    ours = {
        (collection.name, index.name)
        for collection in COLLECTIONS
        for index in collection.indexes
        if index.expire_after is not None
    }
    for index in expiring_indexes(database, now):
        meant = (index.collection, index.name) in ours
        if index.asleep or not meant:
            yield AuditFinding(
                kind="expiring index",
                collection=index.collection,
                subject=str(index),
                count=index.due + index.asleep,
                severity="warning" if index.due or index.asleep else "info",
                remedy=_EXPIRING,
            )


_RUN_INIT_DB = "Run init-db."
_KINDS: dict[Outcome, Kind] = {
    "created": "missing index",
    "repaired": "different index",
    "blocked": "blocked index",
}


def index_findings(report: InitReport) -> Iterator[AuditFinding]:
    """Turn what `init-db` would do into findings, one a missing collection or wrong index.

    Validators are left out: whether they warn or refuse is the operator's choice, and the
    documents themselves are validated.
    """
    wrong = [
        (finding, _KINDS[finding.outcome])
        for finding in report.findings
        if finding.outcome in _KINDS
    ]
    missing = {finding.collection for finding, _ in wrong if finding.kind == "collection"}
    for finding, kind in wrong:
        if finding.kind == "collection":
            yield _index_shape_finding(finding, "missing collection")
        elif finding.kind == "index" and finding.collection not in missing:
            yield _index_shape_finding(finding, kind)


def _index_shape_finding(finding: Finding, kind: Kind) -> AuditFinding:
    blocked = finding.outcome == "blocked"
    remedy = finding.reason if blocked else f"{finding.reason} {_RUN_INIT_DB}".strip()
    return AuditFinding(
        kind=kind,
        collection=finding.collection,
        subject=finding.name,
        count=finding.duplicate_groups or 1,
        ids=tuple(name for duplicate in finding.duplicates for name in duplicate.ids)[
            :MAX_EXAMPLES
        ],
        severity="critical" if blocked else "warning",
        remedy=remedy,
    )
