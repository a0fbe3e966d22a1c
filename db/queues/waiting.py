"""What waits in a queue: how much, since when, when the next is due, and news of it."""

import threading
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from pymongo import ASCENDING
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import OperationFailure, PyMongoError

from db.connection import Document, translated_errors
from db.queues.queue import Queue


@dataclass(frozen=True)
class QueueCounts:
    """How full a queue is.

    Attributes:
        waiting: How many wait, also for their time.
        processing: How many are worked on.
        oldest: When the oldest of the waiting was made; None if nothing waits, or it does not say.
    """

    waiting: int
    processing: int
    oldest: datetime | None


def count_queue(database: Database[Document], queue: Queue) -> QueueCounts:
    """Count what waits and what is worked on."""
    documents = database[queue.collection]
    waiting = {"status": queue.waiting}
    dated = {**waiting, "created_at": {"$type": "date"}}
    with translated_errors():
        oldest = documents.find_one(dated, {"created_at": True}, sort=[("created_at", ASCENDING)])
        return QueueCounts(
            waiting=documents.count_documents(waiting),
            processing=documents.count_documents({"status": "processing"}),
            oldest=oldest["created_at"] if oldest else None,
        )


def seconds_until_due(database: Database[Document], queue: Queue) -> float | None:
    """Find in how many seconds the next document is due; None if none waits for its time."""
    pipeline: list[Document] = [
        {"$match": {"status": queue.waiting, "not_before": {"$type": "date"}}},
        {"$group": {"_id": None, "due": {"$min": "$not_before"}}},
        {"$project": {"left": {"$subtract": ["$due", "$$NOW"]}}},
    ]
    with translated_errors():
        found = next(iter(database[queue.collection].aggregate(pipeline)), None)
    return None if found is None else max(0.0, found["left"] / 1000)


WATCH_MILLISECONDS = 500
"""How long one question of a change stream may wait at the server."""


class QueueNews:
    """Sets an event when a document of a queue begins to wait, by a change stream.

    Only replica sets and sharded clusters have change streams; elsewhere, and while the server is
    away, nothing is told, and the queue is looked at from time to time.

    Args:
        database: The StoryCanvas database.
        queue: Which queue.
        news: Set whenever a document may have begun to wait.
    """

    def __init__(self, database: Database[Document], queue: Queue, news: threading.Event) -> None:
        self._documents: Collection[Document] = database[queue.collection]
        self._queue = queue
        self._news = news
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="queue news", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()

    def _watch(self) -> None:
        while not self._ended.is_set():
            try:
                self._follow()
            except OperationFailure as error:
                if error.code == _NO_CHANGE_STREAMS:
                    return
                self._ended.wait(1.0)
            except PyMongoError:
                self._ended.wait(1.0)

    def _follow(self) -> None:
        changed = {
            "operationType": {"$in": ["insert", "replace", "update"]},
            "$or": [
                {"fullDocument.status": self._queue.waiting},
                {"updateDescription.updatedFields.status": self._queue.waiting},
            ],
        }
        with self._documents.watch(
            [{"$match": changed}], max_await_time_ms=WATCH_MILLISECONDS
        ) as stream:
            self._news.set()  # what came before the stream began
            while not self._ended.is_set() and stream.alive:
                if stream.try_next() is not None:
                    self._news.set()


_NO_CHANGE_STREAMS = 40573
"""Of a server that is no member of a replica set (MongoDB manual, error codes)."""
