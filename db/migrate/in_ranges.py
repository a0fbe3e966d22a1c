"""Doing something in every range of a collection, a few ranges at a time."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import pymongo
from pymongo.collection import Collection

from db.connection import Document
from db.migrate.id_ranges import RANGE_SIZE, id_ranges

AT_ONCE = 3
"""Ranges at a time; the app needs the server, too."""
WAITING = 6
"""Ranges that wait in this process; their bounds are all that is loaded."""
RANGE_SECONDS = 600.0
"""For one range, in place of the connection's 10 s."""


T = TypeVar("T")


def in_ranges(
    collection: Collection[Document],
    act: Callable[[Document], T],
    done: Callable[[T], None],
    size: int = RANGE_SIZE,
) -> None:
    """Call a function with a query for each range of `_id`.

    Args:
        collection: What is cut into ranges.
        act: What is done in a range; it runs in another thread.
        done: Gets the result of each range, in their order; runs in the caller's thread. When it
            raises, no further range is begun.
        size: Documents of a range.
    """

    def act_in_time(which: Document) -> T:
        with pymongo.timeout(RANGE_SECONDS):
            return act(which)

    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        waiting: deque[Future[T]] = deque()
        for which in id_ranges(collection, size):
            waiting.append(pool.submit(act_in_time, which))
            if len(waiting) > WAITING:
                done(waiting.popleft().result())
        while waiting:
            done(waiting.popleft().result())
    finally:
        pool.shutdown(cancel_futures=True)
