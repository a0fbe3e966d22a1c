"""The queues of the work pool on a real Prefect server."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import WorkQueue

from deployments.queues import QUEUES, create_queues

pytestmark = pytest.mark.usefixtures("prefect")


@pytest.fixture
def client() -> Iterator[SyncPrefectClient]:
    with get_client(sync_client=True) as opened:
        yield opened


@pytest.fixture
def pool(client: SyncPrefectClient) -> str:
    return client.create_work_pool(WorkPoolCreate(name=f"pool-{uuid4().hex}", type="process")).name


def stored(client: SyncPrefectClient, pool: str) -> dict[str, WorkQueue]:
    return {queue.name: queue for queue in client.read_work_queues(work_pool_name=pool)}


def test_the_queues_are_as_planned_when_they_are_read_back(
    client: SyncPrefectClient, pool: str
) -> None:
    client.create_work_queue("jobs", work_pool_name=pool)  # as `prefect deploy` makes it

    sentences = create_queues(client, pool)

    found = [(q.name, q.priority, q.concurrency_limit) for q in stored(client, pool).values()]
    assert found == [(queue.name, queue.priority, queue.limit) for queue in QUEUES]
    assert sentences[0] == "The queue health has priority 1 and takes any number of runs."
    assert len(sentences) == len(QUEUES)
    assert create_queues(client, pool) == sentences


def test_what_the_operator_set_stays_and_is_told(client: SyncPrefectClient, pool: str) -> None:
    create_queues(client, pool)
    gpu = stored(client, pool)["gpu"]
    own = client.create_work_queue("own", work_pool_name=pool)
    client.update_work_queue(gpu.id, concurrency_limit=3, priority=200, is_paused=True)

    sentences = create_queues(client, pool)

    found = stored(client, pool)
    assert (found["gpu"].concurrency_limit, found["gpu"].priority) == (3, 200)
    assert "The queue gpu has priority 200 and takes 3 runs; it is paused." in sentences
    assert sentences[-1].startswith("The queues were put into another order than health, gpu,")
    assert found["own"].priority == own.priority
    assert [*found].index("own") < [*found].index("default")
