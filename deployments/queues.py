"""The queues of the work pool: a run of one never waits behind the runs of another.

`prefect.yaml` names the queue of each deployment and no more. Limits and priorities are set here,
once; what the operator changes in the UI stays.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import WorkQueue

from deployments.stack import POOL

GPU = "gpu"
MADE_BY_PREFECT = frozenset({None, "", "The work pool's default queue."})
"""Descriptions of the queues that a new pool or `prefect deploy` brings along."""


@dataclass(frozen=True)
class PlannedQueue:
    """A queue as it is created.

    Attributes:
        name: Its name, as in `prefect.yaml`.
        priority: Where a worker takes a limited number of runs, the lowest is served first.
        limit: Runs of it that are in progress at one time; None is any number.
        description: One sentence for the queue's page.
    """

    name: str
    priority: int
    limit: int | None
    description: str


QUEUES = (
    PlannedQueue("health", 1, None, "Checks of the hosts, which never wait."),
    PlannedQueue(GPU, 2, 16, "Face runs that a person starts; paused while no face host is up."),
    # Above the number of its deployments, so that what stands keeps no run out.
    PlannedQueue("jobs", 3, 12, "Drains of the app's queues, and the flows that fill those."),
    PlannedQueue("maintenance", 4, 8, "Care of the database and of the model catalog."),
    # Behind queues of the operator's: a new one gets the first number that is free.
    PlannedQueue("default", 100, None, "Short runs that need no face host."),
)


def create_queues(client: SyncPrefectClient, pool: str = POOL) -> list[str]:
    """Create the queues that the pool does not have, and describe all as the server has them."""
    found = _read(client, pool)
    incomplete = [queue for queue in QUEUES if is_to_be_set(found.get(queue.name))]
    for queue in incomplete:
        if queue.name not in found:
            found[queue.name] = client.create_work_queue(queue.name, work_pool_name=pool)
        client.update_work_queue(
            found[queue.name].id, description=queue.description, concurrency_limit=queue.limit
        )
    # By id the server sets the number itself; a queue that is created with one moves the others
    # (Prefect 3.9.1).
    for queue in QUEUES if incomplete else ():
        client.update_work_queue(found[queue.name].id, priority=queue.priority)
    return describe(_read(client, pool))


def is_to_be_set(found: WorkQueue | None) -> bool:
    """Check whether a queue is missing, or there as Prefect alone makes it."""
    return found is None or found.description in MADE_BY_PREFECT


def describe(found: Mapping[str, WorkQueue]) -> list[str]:
    """Describe each queue in a sentence, and another order than the planned one in one more."""
    sentences = [_sentence(found[queue.name]) for queue in QUEUES]
    priorities = [found[queue.name].priority or 0 for queue in QUEUES]
    if priorities != sorted(set(priorities)):
        names = ", ".join(queue.name for queue in QUEUES)
        sentences.append(f"The queues were put into another order than {names}, and keep it.")
    return sentences


def _sentence(queue: WorkQueue) -> str:
    limit = queue.concurrency_limit
    runs = "any number of runs" if limit is None else f"{limit} runs"
    paused = "; it is paused" if queue.is_paused else ""
    return f"The queue {queue.name} has priority {queue.priority} and takes {runs}{paused}."


def _read(client: SyncPrefectClient, pool: str) -> dict[str, WorkQueue]:
    return {queue.name: queue for queue in client.read_work_queues(work_pool_name=pool)}
