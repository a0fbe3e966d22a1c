"""Jobs that no program works on although their status is `processing`, or that wait too long."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from pymongo.database import Database

from db.audit.report import MAX_EXAMPLES, NAME, AuditFinding, Severity, named
from db.connection import Document
from db.couple_results import CoupleResults
from db.queues.queue import QUEUES as LEASED_QUEUES

QUEUES = ("facefusion_jobs", "generation_batches", "faceswap_tasks", "queue_jobs", "batch_jobs")
LEASED = {queue.collection: queue for queue in LEASED_QUEUES}
"""The queues whose documents have a lease; `lease_expires_at` means nothing in the others."""
WITHOUT_UPDATE = timedelta(hours=1)
"""How long a job without a lease may be processing without an update."""
WAITING = timedelta(days=1)
"""How long a job may wait to be claimed; `pending` is what faceswap_tasks call `queued`."""

EXPIRED = "processing with an expired lease"


@dataclass(frozen=True)
class _Verdict:
    severity: Severity
    remedy: str


_VERDICTS = {
    EXPIRED: _Verdict(
        "warning",
        "Run audit-db with fix on: it puts them back to wait, or to failed after the last attempt.",
    ),
    "processing without an update for an hour": _Verdict(
        "warning", "Check whether a program works on them; if not, start them again in the app."
    ),
    "waiting for more than a day": _Verdict(
        "info", "Check whether the program that takes these jobs is running."
    ),
}
_EXPIRED, _WITHOUT_UPDATE, _WAITING = _VERDICTS


def stuck_jobs(database: Database[Document], queue: str, now: datetime) -> Iterator[AuditFinding]:
    """Find jobs that are stuck (docs/schema.md, Queues).

    A job whose lease still holds is at work. Times that the app wrote as text are read, too; a job
    in process that has no time at all counts as without an update.
    """
    pipeline: list[Document] = [
        {"$match": {"status": {"$in": ["processing", "queued", "pending"]}}},
        {"$project": {"_id": 0, "verdict": _verdict(queue, now), "name": NAME}},
        {"$match": {"verdict": {"$ne": None}}},
        {
            "$group": {
                "_id": "$verdict",
                "count": {"$sum": 1},
                "ids": {"$minN": {"input": "$name", "n": MAX_EXAMPLES}},
            }
        },
        {"$sort": {"_id": 1}},
    ]
    for group in database[queue].aggregate(pipeline, allowDiskUse=True):
        verdict = _VERDICTS[group["_id"]]
        yield AuditFinding(
            kind="stuck job",
            collection=queue,
            subject=group["_id"],
            count=group["count"],
            ids=tuple(map(named, group["ids"])),
            severity=verdict.severity,
            remedy=verdict.remedy,
        )


def _verdict(queue: str, now: datetime) -> Document:
    times = [_time(field) for field in ("updated_at", "started_at", "created_at")]
    last = {"$ifNull": [{"$max": times}, None]}
    leased = {"$eq": [{"$type": "$lease_expires_at"}, "date"]} if queue in LEASED else False
    processing = {"$eq": ["$status", "processing"]}
    waiting = {"$and": [{"$ne": [last, None]}, {"$lt": [last, now - WAITING]}]}
    branches = [
        ({"$and": [processing, leased, {"$lt": ["$lease_expires_at", "$$NOW"]}]}, _EXPIRED),
        ({"$and": [processing, leased]}, None),
        ({"$and": [processing, {"$lt": [last, now - WITHOUT_UPDATE]}]}, _WITHOUT_UPDATE),
        (processing, None),
        (waiting, _WAITING),
    ]
    cases = [{"case": case, "then": verdict} for case, verdict in branches]
    return {"$switch": {"branches": cases, "default": None}}


def _time(field: str) -> Document:
    return {"$convert": {"input": f"${field}", "to": "date", "onError": None, "onNull": None}}


MISCOUNTED = "batches whose tasks have ended otherwise"


def miscounted_batches(database: Database[Document]) -> Iterator[AuditFinding]:
    """Find batches of the couple swap that a killed worker has not counted."""
    batches = [*CoupleResults(database).miscounted()]
    if batches:
        yield AuditFinding(
            kind="miscounted batch",
            collection="batch_tasks",
            subject=MISCOUNTED,
            count=len(batches),
            ids=tuple(map(named, batches[:MAX_EXAMPLES])),
            severity="warning",
            remedy="Run audit-db with fix on: it counts their tasks.",
        )


def recount_batches(database: Database[Document]) -> str:
    """Count the tasks of those batches; tell what was done, empty when nothing was left to do."""
    results = CoupleResults(database)
    done = [batch for batch in [*results.miscounted()] if results.recount_batch(batch)]
    return f"{len(done)} counted" if done else ""
