"""What dead workers left: documents in process whose lease has expired."""

from pymongo.database import Database

from db.connection import Document, settled, translated_errors
from db.queues.queue import DELAY, MAX_ATTEMPTS, RELEASED, Queue

USED_UP = "attempts_used_up"
"""Code of a document that was claimed as often as it may be."""


_LATER: Document = {
    "$dateAdd": {
        "startDate": "$$NOW",
        "unit": "second",
        "amount": {
            "$multiply": [
                round(DELAY.total_seconds()),
                {"$pow": [2, {"$cond": [{"$isNumber": "$attempts"}, "$attempts", 0]}]},
            ]
        },
    }
}
"""As after any attempt that failed: 30 s, doubled for each."""


def requeue_expired(database: Database[Document], queue: Queue) -> str:
    """Put documents with an expired lease back, or to failed after the last attempt.

    Each update asks again, by the server's clock, whether the lease has expired, so one that was
    renewed or put back in between is left alone. What was counted and made so far stays. One that
    is processing without a lease is the app's own, and never touched.

    Returns:
        What was done, empty when nothing was left to do.
    """
    documents = settled(database)[queue.collection]
    expired: Document = {
        "status": "processing",
        "lease_expires_at": {"$type": "date"},
        "$expr": {"$lt": ["$lease_expires_at", "$$NOW"]},
    }
    used_up: Document = {"attempts": {"$gte": MAX_ATTEMPTS}}
    failed: Document = {
        **RELEASED,
        "status": "failed",
        "completed_at": "$$NOW",
        "error_code": USED_UP,
        "error_message": f"It was not finished in {MAX_ATTEMPTS} attempts; each let its lease end.",
    }
    with translated_errors():
        ended = documents.update_many({**expired, **used_up}, [{"$set": failed}]).modified_count
        attempts_left = {"attempts": {"$not": used_up["attempts"]}}
        back = documents.update_many(
            {**expired, **attempts_left},
            [{"$set": {**RELEASED, "status": queue.waiting, "not_before": _LATER}}],
        ).modified_count
    parts = [f"{back} put back to {queue.waiting}"] if back else []
    parts += [f"{ended} failed after {MAX_ATTEMPTS} attempts"] if ended else []
    return ", ".join(parts)
