"""Doing something in every range of a collection, a few ranges at a time."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pymongo
from pymongo.collection import Collection

from db.connection import Document
from db.migrate.id_ranges import id_ranges

AT_ONCE = 3
"""Ranges at a time; the app needs the server, too."""
WAITING = 6
"""Ranges that wait in this process; their bounds are all that is loaded."""
RANGE_SECONDS = 600.0
"""For one range, in place of the connection's 10 s."""


def in_ranges(
    collection: Collection[Document], act: Callable[[Document], None], done: Callable[[], None]
) -> None:
    """Call a function with a query for each range of `_id`.

    Args:
        collection: What is cut into ranges.
        act: What is done in a range; it runs in another thread.
        done: Called after each range, in their order, in the caller's thread. When it raises, no
            further range is begun.
    """

    def act_in_time(which: Document) -> None:
        with pymongo.timeout(RANGE_SECONDS):
            act(which)

    def end_first(waiting: deque[Future[None]]) -> None:
        waiting.popleft().result()
        done()

    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        waiting: deque[Future[None]] = deque()
        for which in id_ranges(collection):
            waiting.append(pool.submit(act_in_time, which))
            if len(waiting) > WAITING:
                end_first(waiting)
        while waiting:
            end_first(waiting)
    finally:
        pool.shutdown(cancel_futures=True)
