"""Auditing a whole database, part by part, and repairing as far as no data can be lost.

Only the repairs write. Orphans, invalid documents and indexes are never touched: what they should
be is for a person.
"""

import logging
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import partial

from pymongo.database import Database

from db.audit.alike import same_servers, similar_users
from db.audit.copies import different_copies, mend_copies
from db.audit.documents import Validation
from db.audit.effects import PendingEffects, pending_effects
from db.audit.indexes import expiring_index_findings, index_findings, unused_indexes
from db.audit.jobs import (
    EXPIRED,
    LEASED,
    QUEUES,
    miscounted_batches,
    recount_batches,
    stuck_jobs,
)
from db.audit.odd_values import odd_clip_types
from db.audit.orphans import orphans
from db.audit.report import AuditFinding, AuditReport, run_check, worst_first
from db.audit.sizes import large_characters, oversized_documents
from db.connection import Document, reading_anything, translated_errors
from db.queues.expired import requeue_expired
from db.schema.collections import COLLECTIONS, Collection
from db.schema.copies import COPIES
from db.schema.relations import RELATIONS
from db.setup.apply import initialise

SAMPLE_SIZE = 1000

_NOTHING_LEFT = "nothing was left to do, another run came first"

_COPIES = {str(copy): copy for copy in COPIES}

log = logging.getLogger(__name__)


def audit(
    database: Database[Document],
    now: datetime,
    sample_size: int | None = SAMPLE_SIZE,
    *,
    fix: bool = False,
) -> AuditReport:
    """Find what is wrong in a database, and with `fix` repair what is safe to repair.

    Anything may be missing or unexpected in it. At most `sample_size` documents of each collection,
    chosen at random, are validated; all when it is None. The worst findings come first.
    """
    tolerant = reading_anything(database)
    validations = [(collection, Validation(collection)) for collection in COLLECTIONS]
    with translated_errors():
        found = [*_indexes(tolerant, now), *_jobs_and_effects(tolerant, now)]
        for relation in RELATIONS:
            look = partial(orphans, tolerant, relation)
            found += run_check(f"orphans by {relation.field}", relation.collection, look)
        found += _values(tolerant)
        for collection, validation in validations:
            found += _documents(tolerant, collection, validation, sample_size)
        findings = [*_repaired(tolerant, found, now)] if fix else found
    return AuditReport(
        database=database.name,
        fix=fix,
        looked_at=now,
        sample_size=sample_size,
        collections=tuple(validation.coverage for _, validation in validations),
        findings=worst_first(findings),
    )


def _indexes(database: Database[Document], now: datetime) -> Iterator[AuditFinding]:
    """Look at indexes before anything else, since the other parts use them."""
    there = set(database.list_collection_names())
    ours = [each for each in COLLECTIONS if each.name in there and not each.app_owned]
    yield from unused_indexes(database, ours, now)
    yield from run_check(
        "indexes", "all collections", lambda: index_findings(initialise(database, dry_run=True))
    )
    expiring = partial(expiring_index_findings, database, now)
    yield from run_check("TTL indexes", "all collections", expiring)


def _jobs_and_effects(database: Database[Document], now: datetime) -> Iterator[AuditFinding]:
    for queue in QUEUES:
        yield from run_check("stuck jobs", queue, partial(stuck_jobs, database, queue, now))
    yield from run_check("batches", "batch_tasks", partial(miscounted_batches, database))
    yield from run_check(
        "owed effects", "facefusion_operations", partial(pending_effects, database)
    )
    yield from run_check("similar users", "users", partial(similar_users, database))
    yield from run_check("same servers", "comfyui_servers", partial(same_servers, database))


def _values(database: Database[Document]) -> Iterator[AuditFinding]:
    yield from run_check("types", "clips", partial(odd_clip_types, database))
    for copy in COPIES:
        look = partial(different_copies, database, copy)
        yield from run_check(f"copies in {copy.field}", copy.collection, look)


def _documents(
    database: Database[Document],
    collection: Collection,
    validation: Validation,
    sample_size: int | None,
) -> Iterator[AuditFinding]:
    name = collection.name
    sizes = partial(oversized_documents, database, name)
    if name == "characters":
        sizes = partial(large_characters, database)
    yield from run_check("sizes", name, sizes)
    yield from run_check("documents", name, partial(validation.run, database, sample_size))


def _repaired(
    database: Database[Document], findings: Iterable[AuditFinding], now: datetime
) -> Iterator[AuditFinding]:
    """Repair what is safe to repair, which any number of runs may do at the same time.

    All findings are yielded; `done` of a repaired finding holds what was done.
    """
    for finding in findings:
        if finding.kind == "owed effect":
            pending = PendingEffects(database)
            pending.apply(now)
            failed = [*pending.failed()]
            if pending.done or not failed:
                yield _done(finding, pending.done)
            yield from failed
        elif (finding.kind, finding.subject) == ("stuck job", EXPIRED):
            yield _done(finding, requeue_expired(database, LEASED[finding.collection]))
        elif finding.kind == "miscounted batch":
            yield _done(finding, recount_batches(database))
        elif finding.kind == "different copy":
            yield _done(finding, mend_copies(database, _COPIES[finding.subject]))
        else:
            yield finding


def _done(finding: AuditFinding, done: str) -> AuditFinding:
    words = f"fixed: {done}." if done else f"{_NOTHING_LEFT}."
    # A later part may fail and be tried again; what was done here would then be in no report.
    log.info("%s in %s: %s", finding.kind, finding.collection, words)
    return finding.model_copy(update={"done": words, "remedy": ""})
