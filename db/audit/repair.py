"""Repairing what an audit found, as far as no data can be lost.

Orphans, invalid documents and indexes are never touched: what they should be is for a person.
"""

import logging
from collections.abc import Iterable, Iterator
from datetime import datetime

from pymongo.database import Database

from db.audit.effects import PendingEffects
from db.audit.jobs import EXPIRED, requeue_expired
from db.audit.report import AuditFinding
from db.connection import Document

_NOTHING_LEFT = "nothing was left to do, another run came first"

log = logging.getLogger(__name__)


def repaired(
    database: Database[Document], findings: Iterable[AuditFinding], now: datetime
) -> Iterator[AuditFinding]:
    """Repair what is safe to repair, which any number of runs may do at the same time.

    Yields:
        The findings; what was done stands in those that were repaired.
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
            yield _done(finding, requeue_expired(database, now))
        else:
            yield finding


def _done(finding: AuditFinding, done: str) -> AuditFinding:
    words = f"fixed: {done}." if done else f"{_NOTHING_LEFT}."
    # A later part may fail and be tried again; what was done here would then be in no report.
    log.info("%s in %s: %s", finding.kind, finding.collection, words)
    return finding.model_copy(update={"done": words, "remedy": ""})
