"""The road: what a run's steps work with, opened once for each run."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from prefect.runtime import flow_run
from pymongo.database import Database

from blocks.configured import face_host, image_store, story_database
from blocks.environment import Environment
from blocks.face_host import FaceHost
from db.connection import Document
from faces.client import FaceHostClient
from faces.image_store import ImageStore
from faces.pictures import Picture
from faces.references import fetch_picture
from tasks.gpu_guard import GpuGuard, gpu_guard


class Road:
    """Host, database, image store and guard of one run. Shared by the run's threads.

    Attributes:
        flow_name: The flow's name.
        run_name: The flow run's name.
        run_id: The flow run's id.
        environment: Settings that are not blocks.
        host: Connection to the face host.
        guard: The guard of that host.
        database: The StoryCanvas database.
        store: The image store.
    """

    def __init__(
        self,
        host: FaceHost,
        client: FaceHostClient,
        database: Database[Document],
        store: ImageStore,
        environment: Environment,
    ) -> None:
        self.flow_name = flow_run.get_flow_name() or "flow"
        self.run_name = flow_run.get_name() or "a run"
        self.run_id = flow_run.get_id() or "none"
        self.environment = environment
        self.host = client
        self.guard: GpuGuard = gpu_guard(host.limit_name)
        self.database = database
        self.store = store
        self._fetched: dict[str, Picture] = {}
        self._fetching = threading.Lock()

    def fetch(self, reference: str) -> Picture:
        """Find a picture by its reference, once for each run.

        Raises:
            faces.errors.FaceError: It cannot be found or read.
        """
        with self._fetching:
            if reference not in self._fetched:
                self._fetched[reference] = fetch_picture(reference, self.store)
            return self._fetched[reference]


@contextmanager
def open_road() -> Iterator[Road]:
    """Open what a face flow works with: blocks named `default`, else the environment.

    Raises:
        db.errors.DatabaseError: The database cannot be opened.
        tasks.gpu_limit.GuardClosed: The host's limit is missing, inactive or zero.
    """
    environment = Environment()
    host = face_host(environment)
    store = image_store(environment).open()
    database = story_database(environment).connect()
    try:
        with host.client() as client:
            road = Road(host, client, database, store, environment)
            road.guard.check()
            yield road
    finally:
        database.client.close()
