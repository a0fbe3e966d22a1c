"""What the end of a couple swap task writes besides the task: its picture, and what counts tasks.

Each write is safe to repeat, so a kill between any two of them loses nothing that a later run does
not write; only a count of popularity may be lost, and none is made twice.
"""

from collections.abc import Iterator
from contextlib import suppress

from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from db.connection import Document, settled, translated_errors

_ENDED = ("completed", "failed")
_OPEN = ("pending", "processing")


class CoupleResults:
    """Writes what tasks of the couple swap leave.

    Args:
        database: The StoryCanvas database.
    """

    def __init__(self, database: Database[Document]) -> None:
        database = settled(database)
        self._images = database["images"]
        self._tasks = database["faceswap_tasks"]
        self._templates = database["templates"]
        self._batches = database["batch_tasks"]

    def add_image(self, row: Document) -> str:
        """Insert the row of a result, unless it is there; return its id."""
        name: str = row["id"]
        # Another worker may insert the same row at the same moment.
        with translated_errors(), suppress(DuplicateKeyError):
            self._images.update_one({"id": name}, {"$setOnInsert": row}, upsert=True)
        return name

    def count_use(self, task_id: str, template_id: object) -> None:
        """Count a completed task once in the popularity of its template.

        The task is marked first: a kill between the two loses a count, and none is made twice.
        """
        counted = {"id": task_id, "status": "completed", "counted_at": None}
        with translated_errors():
            marked = self._tasks.update_one(counted, [{"$set": {"counted_at": "$$NOW"}}])
            if marked.modified_count:
                score = {"$add": [{"$ifNull": ["$popularity_score", 0]}, 1]}
                self._templates.update_one(
                    {"id": template_id}, [{"$set": {"popularity_score": score}}]
                )

    def recount_batch(self, batch_id: str) -> bool:
        """Count a batch's ended tasks, and end the batch with the last of them.

        Two workers may count at the same moment, and the one that counted less write last: so each
        counts again after it wrote, until it finds what it wrote.

        Returns:
            Whether anything changed.
        """
        changed, written = False, None
        with translated_errors():
            while (counts := self._counts(batch_id)) != written:
                done = self._batches.update_one(
                    {"batch_id": batch_id, "status": {"$in": [*_OPEN]}}, [{"$set": _state(counts)}]
                )
                changed = changed or bool(done.modified_count)
                written = counts
        return changed

    def miscounted(self) -> Iterator[str]:
        """Find batches that count other tasks than have ended, as a kill leaves them."""
        with translated_errors():
            open_batches = [*self._batches.find({"status": {"$in": [*_OPEN]}})]
            for batch in open_batches:
                completed, failed = self._counts(batch["batch_id"])
                known = batch.get("completed_tasks") or 0, batch.get("failed_tasks") or 0
                ended = 0 < (batch.get("total_tasks") or 0) <= completed + failed
                if known != (completed, failed) or ended:
                    yield batch["batch_id"]

    def _counts(self, batch_id: str) -> tuple[int, int]:
        """Count the completed and the failed tasks."""
        grouped = self._tasks.aggregate(
            [
                {"$match": {"batch_id": batch_id, "status": {"$in": [*_ENDED]}}},
                {"$group": {"_id": "$status", "count": {"$sum": 1}}},
            ]
        )
        counts = {group["_id"]: group["count"] for group in grouped}
        return counts.get("completed", 0), counts.get("failed", 0)


def _state(counts: tuple[int, int]) -> Document:
    """Write what a batch is with so many completed and failed tasks."""
    completed, failed = counts
    ended = completed + failed
    total = {"$ifNull": ["$total_tasks", 0]}
    is_over: Document = {"$and": [{"$gt": [total, 0]}, {"$gte": [ended, total]}]}
    end = "completed" if completed else "failed"
    going_on = "processing" if ended else "$status"
    return {
        "completed_tasks": completed,
        "failed_tasks": failed,
        "status": {"$cond": [is_over, end, going_on]},
        "completed_at": {"$cond": [is_over, "$$NOW", "$completed_at"]},
        "updated_at": "$$NOW",
    }
