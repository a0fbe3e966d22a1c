"""What a run's steps work with, opened once a run."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from prefect.runtime import flow_run
from pymongo.database import Database

from blocks.configured import face_hosts, image_store
from blocks.environment import Environment
from db.connection import Document
from storycanvas.faces.pictures.image_store import ImageStore
from storycanvas.faces.pictures.reading import Picture
from storycanvas.faces.pictures.references import fetch_picture
from storycanvas.gpu.pool.pool import HostPool
from tasks.database.connection import named_database
from tasks.retries import GRACE_SECONDS, Stopping


class RunContext:
    """Hosts, database and image store of a run, shared by its threads."""

    def __init__(
        self,
        hosts: HostPool,
        database: Database[Document],
        store: ImageStore,
        environment: Environment,
    ) -> None:
        self.flow_name = flow_run.get_flow_name() or "flow"
        self.run_name = flow_run.get_name() or "a run"
        self.run_id = flow_run.get_id() or "none"
        self.environment = environment
        self.hosts = hosts
        self.database = database
        self.store = store
        self.stopping = Stopping()
        self._fetched: dict[str, Picture] = {}
        self._fetching = threading.Lock()

    def fetch(self, reference: str) -> Picture:
        """Find a picture by its reference, once a run."""
        with self._fetching:
            if reference not in self._fetched:
                self._fetched[reference] = fetch_picture(reference, self.store)
            return self._fetched[reference]

    def viewing_url(self, address: str) -> str:
        """Find where a person's browser shows a picture that documents name by an address.

        It is for artifacts and messages: a port of the local stack is not what documents hold.
        """
        server = self.environment.storycanvas_pictures_url
        path = self.store.path_of(address)
        if path is None or server is None or self.store.url != self.environment.image_store:
            return address
        return f"{server.rstrip('/')}/{path}" if self.store.wrote(path) else address

    def stop(self) -> None:
        """Let nothing new begin, and wait for what hosts work on, at most for the grace."""
        self.stopping.begin()
        self.hosts.withdraw_requests()
        self.stopping.wait(GRACE_SECONDS)


@contextmanager
def open_run_context() -> Iterator[RunContext]:
    """Open what a face flow works with: blocks named `default`, else the environment.

    Raises:
        storycanvas.gpu.guard.limit.GuardClosed: No host's limit guards: missing, inactive or zero.
    """
    environment = Environment()
    story_database = named_database(environment)
    blocks = face_hosts(environment)
    store = image_store(environment).open()
    database = story_database.connect()
    try:
        with HostPool([block.gpu_host for block in blocks]) as hosts:
            hosts.check()
            context = RunContext(hosts, database, store, environment)
            try:
                yield context
            finally:
                # Connections close only after the last step that uses them.
                context.stop()
    finally:
        database.client.close()
