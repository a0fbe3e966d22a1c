"""What a person does with documents of a queue: lists, cancels and puts them back to wait."""

from typing import Any

from pymongo import DESCENDING
from pymongo.database import Database

from db.connection import Document, reading_anything, settled, translated_errors
from db.couple_results import CoupleResults
from db.queues.queue import COUPLE_TASKS, JOBS, RELEASED, Queue, literals
from db.queues.reports import MAX_LISTED, QueueAction, QueuedDocument, QueueFilter, QueueReport

_AFRESH: Document = {
    **RELEASED,
    "attempts": 0,
    "not_before": None,
    "error_code": None,
    "error_message": None,
    "completed_at": None,
    "progress": 0,
}
_OWN_AFRESH: dict[str, Document] = {
    JOBS.collection: {
        "total_operations": 0,
        "completed_operations": 0,
        "failed_operations": 0,
    },
    COUPLE_TASKS.collection: {"processing_time": None},
}
"""What a queue's documents begin anew with, besides; what they made stays."""
_PHOTOS = ("husband_image_id", "husband_photo_id", "wife_image_id", "wife_photo_id")


class QueueManager:
    """Lists, cancels and puts back documents of a queue, each change by its states alone.

    A document that is processing without a lease is the app's own, and never touched.

    Args:
        database: The StoryCanvas database.
        queue: Which queue.
        wanted: Which documents of it.
    """

    def __init__(self, database: Database[Document], queue: Queue, wanted: QueueFilter) -> None:
        self._documents = settled(database)[queue.collection]
        self._readable = settled(reading_anything(database))[queue.collection]
        self._results = CoupleResults(database)
        self._queue = queue
        self._wanted = wanted

    def report(self, action: QueueAction, *, dry_run: bool) -> QueueReport:
        """Count and list what is asked for, and what an action may change of it."""
        asked = self._asked()
        with translated_errors():
            counted = self._documents.aggregate(
                [{"$match": asked}, {"$sortByCount": "$status"}], allowDiskUse=True
            )
            counts = {str(found["_id"]): int(found["count"]) for found in counted}
            expired = self._expired() if action == "retry" else []
            changeable = self._changeable(action, expired)
            due = 0 if action == "list" else self._documents.count_documents(changeable)
            listed = asked if action == "list" else changeable
            found = self._readable.find(listed).sort("_id", DESCENDING).limit(MAX_LISTED)
            rows = tuple(QueuedDocument.of(document) for document in found)
        return QueueReport(
            queue=self._queue.collection,
            action=action,
            dry_run=dry_run,
            counts=counts,
            due=due,
            with_expired_photo=len(expired),
            documents=rows,
        )

    def change(self, action: QueueAction) -> int:
        """Cancel, or put back to wait, what is asked for and may be; return how many.

        Batches of the couple swap count their tasks anew.
        """
        fields = self._cancelled() if action == "cancel" else self._afresh()
        with translated_errors():
            expired = self._expired() if action == "retry" else []
            changeable = self._changeable(action, expired)
            batches = self._batches(changeable)
            changed = self._documents.update_many(changeable, [{"$set": fields}]).modified_count
        for batch in batches:
            self._results.recount_batch(batch)
        return changed

    def _batches(self, changeable: Document) -> list[str]:
        if self._queue is not COUPLE_TASKS:
            return []
        named = self._documents.distinct("batch_id", changeable)
        return [batch for batch in named if isinstance(batch, str)]

    def _asked(self) -> Document:
        wanted, asked = self._wanted, list[Document]()
        if wanted.id is not None:
            names = ("id", "task_id") if self._queue is COUPLE_TASKS else ("id",)
            asked.append({"$or": [{name: wanted.id} for name in names]})
        if wanted.status is not None:
            asked.append({"status": wanted.status})
        if wanted.job_type is not None:
            usual = [None] if wanted.job_type == self._queue.usual_kind else []
            asked.append({self._queue.kind_field or "job_type": {"$in": [wanted.job_type, *usual]}})
        for name in ("character_id", "project_id"):
            if (value := getattr(wanted, name)) is not None:
                asked.append({name: value})
        if wanted.older_than_hours:
            before: Document = {
                "$dateSubtract": {
                    "startDate": "$$NOW",
                    "unit": "hour",
                    "amount": wanted.older_than_hours,
                }
            }
            is_before = {"$expr": {"$lte": ["$created_at", before]}}
            asked += [{"created_at": {"$type": "date"}}, is_before]  # a text is before any date
        return {"$and": asked} if asked else {}

    def _changeable(self, action: QueueAction, expired: list[str]) -> Document:
        if action == "cancel":
            leased = {"status": "processing", "lease_expires_at": {"$type": "date"}}
            return {"$and": [self._asked(), {"$or": [{"status": self._queue.waiting}, leased]}]}
        ended = {"status": {"$in": ["failed", "cancelled"]}, "id": {"$nin": expired}}
        return {"$and": [self._asked(), ended, self._not_by_a_user()]}

    def _not_by_a_user(self) -> Document:
        """Leave out what a user cancelled where its status does not tell, unless it is named."""
        message = self._queue.cancelled.get("error_message")
        if message is None or self._wanted.id is not None:
            return {}
        return {"error_message": {"$not": {"$regex": f"^{message}"}}}

    def _cancelled(self) -> Document:
        code = {"error_code": None} if "error_message" in self._queue.cancelled else {}
        ended: Document = {**RELEASED, **code, "completed_at": "$$NOW"}
        return ended | literals(self._queue.cancelled)

    def _afresh(self) -> Document:
        own = _OWN_AFRESH[self._queue.collection]
        return {**_AFRESH, **own, "status": self._queue.waiting}

    def _expired(self) -> list[str]:
        """Find ended tasks with a temporary photo whose time is over: the app may remove it."""
        if self._queue is not COUPLE_TASKS:
            return []
        is_over = {
            "$and": [
                {"$eq": [{"$type": "$$photo.expires_at"}, "date"]},
                {"$lte": ["$$photo.expires_at", "$$NOW"]},
            ]
        }
        photos: Any = {"$setDifference": [[f"${name}" for name in _PHOTOS], [None]]}
        pipeline: list[Document] = [
            {"$match": self._changeable("retry", [])},
            {"$project": {"id": True, "photos": photos}},
            {
                "$lookup": {
                    "from": "images",
                    "localField": "photos",
                    "foreignField": "id",
                    "as": "photos",
                }
            },
            {"$set": {"over": {"$map": {"input": "$photos", "as": "photo", "in": is_over}}}},
            {"$match": {"over": True}},
        ]
        return [str(found["id"]) for found in self._documents.aggregate(pipeline)]
