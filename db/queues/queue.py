"""What the two queues have in common, and the words in which they differ."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pymongo import ASCENDING, DESCENDING

from db.connection import Document

LEASE = timedelta(seconds=60)
"""How long a claim holds without being renewed; a dead worker's job waits for no longer."""
RENEWAL = timedelta(seconds=15)
"""How often a living worker renews its claims."""
MAX_ATTEMPTS = 3
"""How often a job is claimed at most, as in the app's own queue (docs/schema.md, Queues)."""
DELAY = timedelta(seconds=30)
"""Before a job that was given back is claimed again; doubled for each attempt that it cost."""


@dataclass(frozen=True)
class Queue:
    """A collection whose documents are claimed, leased and ended.

    Attributes:
        collection: Its name.
        waiting: The status of what is to be claimed.
        order: By which it is claimed.
        cancelled: What a cancelled document has: fields and values.
        kind_field: The field that says what is asked for; None if all ask for the same.
        usual_kind: What a document asks for that does not say it.
    """

    collection: str
    waiting: str
    order: tuple[tuple[str, int], ...]
    cancelled: Document
    kind_field: str | None = None
    usual_kind: str | None = None

    def claimable(self, kinds: tuple[str, ...] = ()) -> Document:
        """Write the query of what may be claimed now, by the server's clock.

        Args:
            kinds: Values of `kind_field`; empty for all. A document without one has `usual_kind`.
        """
        due = {"$expr": {"$lte": ["$not_before", "$$NOW"]}}
        query: dict[str, Any] = {"status": self.waiting, "$or": [{"not_before": None}, due]}
        query["id"] = {"$type": "string"}  # without one nothing can be written to it
        if kinds and self.kind_field:
            named: list[str | None] = [*kinds]
            query[self.kind_field] = {"$in": [*named, None] if self.usual_kind in kinds else named}
        return query


JOBS = Queue(
    "facefusion_jobs",
    "queued",
    (("priority", DESCENDING), ("created_at", ASCENDING)),
    cancelled={"status": "cancelled"},
    kind_field="job_type",
    usual_kind="batch",
)
COUPLE_TASKS = Queue(
    "faceswap_tasks",
    "pending",
    (("created_at", ASCENDING),),
    cancelled={"status": "failed", "error_message": "Canceled by user"},
)
QUEUES = (JOBS, COUPLE_TASKS)


RELEASED: Document = {
    "claim_token": None,
    "claimed_by": None,
    "lease_expires_at": None,
    "updated_at": "$$NOW",
}
"""What an update writes into a document that is not worked on any more."""


def after(delay: timedelta) -> Document:
    """Write the server's time so long from now, for an update."""
    milliseconds = round(delay.total_seconds() * 1000)
    return {"$dateAdd": {"startDate": "$$NOW", "unit": "millisecond", "amount": milliseconds}}


def literals(values: Document) -> Document:
    """Write values that are stored as they are, whatever they begin with."""
    return {name: {"$literal": value} for name, value in values.items()}
