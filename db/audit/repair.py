"""Repairing what an audit found, as far as that can harm nobody.

Orphans, invalid documents and indexes are never touched: what they should be, a person decides.
"""

import logging
from collections.abc import Iterable, Iterator
from datetime import datetime

from pymongo.database import Database

from db.audit.effects import Settlement
from db.audit.jobs import EXPIRED, take_back
from db.audit.report import AuditFinding
from db.connection import Document

_SOMEBODY_ELSE = "nothing was left to do, somebody else came first"

log = logging.getLogger(__name__)


def repaired(
    database: Database[Document], findings: Iterable[AuditFinding], now: datetime
) -> Iterator[AuditFinding]:
    """Repair what is safe to repair, as often as one likes and by any number of runs at once.

    Args:
        database: The StoryCanvas database.
        findings: What was found.
        now: UTC.

    Yields:
        The findings; what was done stands in those that were repaired.

    Raises:
        db.errors.DatabaseError: The server does not answer or refuses.
    """
    for finding in findings:
        if finding.kind == "owed effect":
            settlement = Settlement(database)
            settlement.run(now)
            hopeless = [*settlement.hopeless()]
            if settlement.done or not hopeless:
                yield _done(finding, settlement.done)
            yield from hopeless
        elif (finding.kind, finding.subject) == ("stuck job", EXPIRED):
            yield _done(finding, take_back(database, now))
        else:
            yield finding


def _done(finding: AuditFinding, done: str) -> AuditFinding:
    words = f"fixed: {done}." if done else f"{_SOMEBODY_ELSE}."
    # A later part may fail and be tried again; what was done here would then be in no report.
    log.info("%s in %s: %s", finding.kind, finding.collection, words)
    return finding.model_copy(update={"done": words, "remedy": ""})
