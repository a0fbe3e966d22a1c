"""How full the queues of the database are."""

import pymongo
from pymongo.database import Database

from db.connection import Document
from db.errors import DatabaseError
from db.queues.queue import QUEUES
from db.queues.waiting import count_queue
from storycanvas.catalog.health.report import QueueState
from storycanvas.gpu.prefect_client import run_log
from tasks.health.probes import ANSWER_SECONDS


def queue_states(database: Database[Document] | None) -> tuple[QueueState, ...]:
    """Count both queues; none of them where the database does not answer."""
    if database is None:
        return ()
    try:
        with pymongo.timeout(ANSWER_SECONDS):
            counts = {queue.collection: count_queue(database, queue) for queue in QUEUES}
    except DatabaseError as error:
        run_log(__name__).warning("The queues cannot be counted: %s", error)
        return ()
    return tuple(
        QueueState(
            name=name, waiting=found.waiting, processing=found.processing, oldest=found.oldest
        )
        for name, found in counts.items()
    )


def queue_row(queue: QueueState) -> dict[str, str | int]:
    """Make the row of a queue."""
    return {
        "queue": queue.name,
        "waiting": queue.waiting,
        "processing": queue.processing,
        "oldest waiting since": f"{queue.oldest:%Y-%m-%d %H:%M:%S}" if queue.oldest else "",
    }
