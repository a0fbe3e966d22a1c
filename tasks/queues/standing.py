"""What a drain does that is always there: it waits for its place, and notices that it has moved."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from uuid import UUID, uuid4

import httpx
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from prefect.exceptions import PrefectException
from prefect.logging import get_run_logger
from prefect.runtime import deployment, flow_run

from blocks.configured import choose_database, face_hosts, image_store
from blocks.environment import ConfigurationUnusable, Environment
from db.errors import DatabaseError
from storycanvas.faces.errors import FaceError
from storycanvas.services.errors import ServiceError
from storycanvas.services.flow_runs import STANDING
from tasks.faces.context import RunContext, open_run_context
from tasks.wait_reasons import drop_reason, show_reason

AGAIN_SECONDS = 5.0
"""Between two tries to open what a drain works with; the database alone is tried for 15 s."""
MOVED_SECONDS = 10.0
"""How often a drain that cannot work reads whether its blocks name another place."""
_AWAY = (
    DatabaseError,
    ConfigurationUnusable,
    FaceError,
    ServiceError,
    PrefectException,
    httpx.HTTPError,
)


@contextmanager
def open_when_there(run_minutes: float) -> Iterator[RunContext]:
    """Open a run's context; while it cannot be opened, the run waits and its state says why.

    Failing instead would have the next run started, which fails as well.
    """
    until = time.monotonic() + 60 * run_minutes
    with ExitStack() as opened:
        yield _opened(opened, until)


def _opened(opened: ExitStack, until: float) -> RunContext:
    shown, wait_id = "", uuid4()
    run_id = UUID(flow_run.get_id())
    while True:
        try:
            context = opened.enter_context(open_run_context(guarded=False))
        except _AWAY as error:
            if time.monotonic() >= until:
                raise
            if str(error) != shown:
                shown = str(error)
                get_run_logger().warning("The run waits: %s", shown)
                drop_reason(run_id, wait_id)
                show_reason(run_id, wait_id, f"The run waits: {shown}")
            time.sleep(AGAIN_SECONDS)
        else:
            drop_reason(run_id, wait_id)
            return context


class Place:
    """What a drain was opened with: database, hosts and image store."""

    def __init__(self) -> None:
        self._opened = self._configured()
        self._known_until = time.monotonic() + MOVED_SECONDS

    def has_moved(self) -> bool:
        """Check whether another place is configured by now; the next run works there."""
        if time.monotonic() < self._known_until:
            return False
        self._known_until = time.monotonic() + MOVED_SECONDS
        try:
            moved = self._configured() != self._opened
        except _AWAY:
            return False
        if moved:
            get_run_logger().warning(
                "Another database, host or image store is configured: this run ends for the next."
            )
        return moved

    def _configured(self) -> tuple[object, ...]:
        environment = Environment()
        hosts = tuple(host.gpu_host for host in face_hosts(environment))
        database = choose_database(environment).block
        store = image_store(environment)
        named = database.mongo_url.get_secret_value(), database.db_name
        return (named, hosts, store.url, store.base_url)


def drop_waiting_runs() -> None:
    """Delete runs that wait for the end of this one, of a standing deployment.

    Each would be followed by one of its own, although a person only pressed Run. What has begun
    before and is to be tried again stays.
    """
    if STANDING not in flow_run.get_tags() or deployment.get_id() is None:
        return
    scheduled = FlowRunFilterStateType(any_=[StateType.SCHEDULED])
    own = DeploymentFilter(id=DeploymentFilterId(any_=[UUID(deployment.get_id())]))
    with get_client(sync_client=True) as client:
        waiting = client.read_flow_runs(
            flow_run_filter=FlowRunFilter(state=FlowRunFilterState(type=scheduled)),
            deployment_filter=own,
        )
        for run in waiting:
            if run.run_count == 0:
                client.delete_flow_run(run.id)
