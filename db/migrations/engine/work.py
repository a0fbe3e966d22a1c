"""The access to the database that migrations work with."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from math import isnan
from typing import Any

from bson import Decimal128, MaxKey, MinKey
from pymongo import ASCENDING, DESCENDING
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import OperationFailure

from db.connection import Document
from db.migrations.engine.fields import Change, FieldChange
from db.migrations.engine.odd import NOT_DOUBLED
from db.setup.compare import collection_names

RANGE_SIZE = 20_000
"""Documents of a range at most; its commands take about a second."""
RANGE_BYTES = 16_000_000
"""Bytes of a range, about, so that ranges of large documents take as long."""


def range_size(collection: Collection[Document]) -> int:
    """Count how many documents of a collection's usual size are in a range."""
    try:
        stats = list(collection.aggregate([{"$collStats": {"storageStats": {}}}, _SIZE]))
    except OperationFailure as error:
        # The collection was dropped meanwhile, or the user may read documents but no statistics.
        if error.code not in {_NOT_FOUND, _NOT_ALLOWED}:
            raise
        return RANGE_SIZE
    usual = max((found.get("size") or 0 for found in stats), default=0)
    return max(1, min(RANGE_SIZE, int(RANGE_BYTES / usual))) if usual else RANGE_SIZE


_SIZE: Document = {"$project": {"size": "$storageStats.avgObjSize"}}
_NOT_FOUND, _NOT_ALLOWED = 26, 13


def id_ranges(collection: Collection[Document], size: int = RANGE_SIZE) -> Iterator[Document]:
    """Cut a collection into queries for ranges of `_id`, in its order; only bounds are loaded.

    A comparison in MongoDB sees values of one kind only, so no range spans two kinds of `_id`. All
    ranges hold `size` documents, except the last of each kind.
    """
    first = _id_of(collection, {}, ASCENDING)
    while first:
        [lowest] = first
        if _is_compared_alone(lowest):
            yield {"_id": lowest}
            first = _next_kind(collection, lowest)
            continue
        following = _id_of(collection, {"_id": {"$gte": lowest}}, ASCENDING, skip=size)
        if following:
            yield {"_id": {"$gte": lowest, "$lt": following[0]}}
            first = following
        else:
            [highest] = _id_of(collection, {"_id": {"$gte": lowest}}, DESCENDING) or [lowest]
            yield {"_id": {"$gte": lowest, "$lte": highest}}
            first = _next_kind(collection, highest)


def _id_of(
    collection: Collection[Document], query: Document, order: int, skip: int = 0
) -> list[Any]:
    """Find one `_id`; an empty list when there is none, since an `_id` may be null."""
    found = collection.find(query, {"_id": True}).sort("_id", order).skip(skip).limit(1)
    return [document["_id"] for document in found]


def _next_kind(collection: Collection[Document], highest: Any) -> list[Any]:  # noqa: ANN401 - any BSON
    """Find the first `_id` after another one, of any kind."""
    if isinstance(highest, MaxKey):
        return []
    found = collection.find({}, {"_id": True}).hint([("_id", ASCENDING)])
    # The largest key of all is the bound up to which the server looks, so it is not found here.
    ids = [document["_id"] for document in found.min([("_id", highest)]).limit(2)]
    ids += _id_of(collection, {"_id": MaxKey()}, ASCENDING)
    return [
        found_id
        for found_id in ids
        if found_id != highest and not (_is_nan(found_id) and _is_nan(highest))
    ][:1]


def _is_compared_alone(value: object) -> bool:
    """Check for values that a comparison matches alone, or with values of all kinds."""
    return isinstance(value, MinKey | MaxKey) or _is_nan(value)


def _is_nan(value: object) -> bool:
    if isinstance(value, Decimal128):
        return value.to_decimal().is_nan()
    return isinstance(value, float) and isnan(value)


AT_ONCE = 3
"""Ranges at a time; the app needs the server, too."""
WAITING = 6
"""Ranges that wait in this process; their bounds are all that is loaded."""


def in_ranges(
    collection: Collection[Document],
    size: int,
    act: Callable[[Document], None],
    done: Callable[[], None],
) -> None:
    """Call a function with a query for each range of `_id`, several at a time, in other threads.

    `done` is called after each range, in their order, in the caller's thread; when it raises, no
    further range begins.
    """

    def end_first(waiting: deque[Future[None]]) -> None:
        waiting.popleft().result()
        done()

    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        waiting: deque[Future[None]] = deque()
        for which in id_ranges(collection, size):
            waiting.append(pool.submit(act, which))
            if len(waiting) > WAITING:
                end_first(waiting)
        while waiting:
            end_first(waiting)
    finally:
        pool.shutdown(cancel_futures=True)


Act = Callable[[Document], None]
"""Works on the documents of a range, which a query finds."""
Changes = Callable[[Collection[Document], Document], Iterable[Change]]
"""Builds the updates of a range, each after the one before was made."""
Progress = Callable[[str, int, int], None]
"""Receives a collection's name, how many of its documents are done, and about how many it has."""


@dataclass
class Work:
    """The database as one migration sees it.

    Attributes:
        ensure_held: Raises when another run has taken over, so that no further write begins.
        remembered: What the migration keeps in its record until it is undone.
        remember: Stores a part of what is remembered; what was stored before stays.
    """

    database: Database[Document]
    ensure_held: Callable[[], None]
    progress: Progress
    remembered: dict[str, Any] = field(default_factory=dict)
    remember: Callable[[str, Any], None] = lambda _name, _value: None

    def change(self, change: FieldChange) -> None:
        """Apply a change of fields to a collection."""
        self._in_ranges(change.collection, partial(self._updates, change.up))

    def undo(self, change: FieldChange) -> None:
        """Undo a change of fields in a collection."""
        self._in_ranges(change.collection, partial(self._updates, change.down))

    def update(self, name: str, query: Document, update: list[Document]) -> None:
        """Update the documents of a collection that a query finds.

        Those with the same field twice stay, since an update by a pipeline aborts MongoDB 6.0.5.
        """
        changes: list[Change] = [({"$and": [query, NOT_DOUBLED]}, update)]
        self._in_ranges(name, partial(self._updates, lambda *_range: changes))

    def in_ranges(self, name: str, act: Callable[[Document], None]) -> None:
        """Call a function in every range of a collection, and report progress.

        `act` may run in several threads at a time. A view in the place of a collection is left
        alone. Once the lock is lost, no range begins.
        """
        self._in_ranges(name, lambda _collection, _size: act)

    def _in_ranges(self, name: str, make: Callable[[Collection[Document], int], Act]) -> None:
        if name not in collection_names(self.database):
            return
        collection = self.database[name]
        size = range_size(collection)
        act = make(collection, size)
        total, done = collection.estimated_document_count(), 0

        def act_while_held(which: Document) -> None:
            self.ensure_held()
            act(which)

        def report_progress() -> None:
            nonlocal done
            done = min(done + size, total)
            self.progress(name, done, total)

        in_ranges(collection, size, act_while_held, report_progress)

    @staticmethod
    def _updates(changes: Changes, collection: Collection[Document], size: int) -> Act:
        """Build the function that updates a range of at most `size` documents.

        Validators are bypassed: what a migration finds may be invalid, and what it restores is.
        """

        def update_range(which: Document) -> None:
            for query, update in changes(collection, which):
                done = collection.update_many(
                    {"$and": [which, query]}, update, bypass_document_validation=True
                )
                if done.matched_count >= size:
                    return  # That was all of them.

        return update_range
