"""What a run's steps work with, opened once a run."""

import copy
import time
from collections.abc import Iterator
from contextlib import contextmanager

from prefect.runtime import flow_run
from pymongo.database import Database

from blocks.configured import (
    character_pages,
    document_trust,
    face_hosts,
    open_image_store,
    viewing_url,
)
from blocks.environment import Environment
from db.characters import CharacterRepository
from db.connection import Document
from storycanvas.faces.client.calls import Proceed
from storycanvas.faces.client.host_client import FaceHostClient
from storycanvas.faces.contract import ASSET_PREFIX
from storycanvas.faces.errors import FaceError
from storycanvas.faces.pictures.boxes import cut_to
from storycanvas.faces.pictures.freed_memory import give_back_freed_pictures
from storycanvas.faces.pictures.image_store import ImageStore
from storycanvas.faces.pictures.reading import Picture
from storycanvas.faces.pictures.reducing import reduced
from storycanvas.faces.plan import PlanPicture
from storycanvas.faces.results.seen_faces import MeasuredPixels, SeenFaces
from storycanvas.faces.sources.references import fetch_picture
from storycanvas.faces.sources.trust import ANYWHERE, NamedBy, shown
from storycanvas.gpu.pool.pool import HostPool
from storycanvas.gpu.prefect_client import run_log
from tasks.database.connection import named_database, warn_of_missing_collections
from tasks.faces.fetched import PictureCache
from tasks.faces.measuring.baselines import Baselines
from tasks.faces.measuring.measuring import Measuring
from tasks.retries import GRACE_SECONDS, Stopping


class RunContext:
    """Hosts, database and image store of a run, shared by its threads.

    Attributes:
        origin: Id of what the work is for: the flow run, or a job.
        label: What stands before the names of steps; empty unless a run does many jobs.
        stopping: Whether the work is being stopped.
        uploads: Which pictures were brought to which hosts for it: names of host and asset.
        measuring: Measures what its steps make.
        baselines: The bounds of characters by which that is checked.
        dry_run: Whether the run only tells what it would do, and writes nothing.
        without_host: In a dry run, a sentence on which engine it is planned for as no host answers.
        took: The engine's seconds of the operations that it had done, by their types.
        state_changed_at: When the words of the run's state changed, by the monotonic clock.
        state_was_shown: Whether they did; else it is the run's begin.
    """

    def __init__(
        self,
        hosts: HostPool,
        database: Database[Document],
        store: ImageStore,
        environment: Environment,
        flow_name: str | None = None,
        *,
        dry_run: bool = False,
    ) -> None:
        self.dry_run, self.without_host = dry_run, ""
        self.took: dict[str, list[float]] = {}
        self.state_changed_at, self.state_was_shown = time.monotonic(), False
        self.flow_name = flow_name or flow_run.get_flow_name() or "flow"
        self.run_name = flow_run.get_name() or "a run"
        self.run_id = flow_run.get_id() or "none"
        self.environment = environment
        self.hosts = hosts
        self.database = database
        self.store = store
        self.origin = self.run_id
        self.label = ""
        self.stopping = Stopping()
        self.uploads: set[tuple[str, str]] = set()
        self.measuring = Measuring()
        self.baselines = Baselines(self._references_of, self._faces_of)
        self._pages = character_pages(environment)
        self._trust = {NamedBy.PERSON: ANYWHERE, NamedBy.DOCUMENT: document_trust(environment)}
        self.pictures = PictureCache(self._fetch)

    def for_job(self, origin: str, label: str, stopping: Stopping) -> "RunContext":
        """Make the context of one of many jobs of this run: its own name, pictures, uploads, end.

        Args:
            origin: Id of what the work is for.
            label: What its steps are called by.
            stopping: Ends its steps.
        """
        job = copy.copy(self)
        job.origin, job.label, job.stopping = origin, label, stopping
        # A picture may have changed since an earlier job read it.
        job.pictures = PictureCache(self._fetch)
        job.uploads = set()
        return job

    def _fetch(self, picture: PlanPicture) -> Picture:
        found = fetch_picture(picture.reference, self.store, self._trust[picture.named_by])
        name = f"The picture {shown(picture.reference)}"
        if picture.longest_side is not None:
            found = reduced(found, picture.longest_side, name)
        return found if picture.cut is None else cut_to(found, picture.cut, name)

    def _references_of(self, character_id: str) -> list[str]:
        return CharacterRepository(self.database).find(character_id).reference_images

    def _faces_of(self, reference: str) -> SeenFaces:
        picture = fetch_picture(reference, self.store, self._trust[NamedBy.DOCUMENT])
        return self.measuring.faces_of(picture.sha256, lambda: MeasuredPixels.of(picture.image))

    def viewing_url(self, address: str) -> str:
        """Find where a person's browser shows a picture that documents name by an address."""
        return viewing_url(self.store, self.environment, address)

    def character_page(self, character_id: str | None) -> str | None:
        """Find a character's page in the app; None where none is known."""
        if self._pages is None or character_id is None:
            return None
        return self._pages.of(character_id)

    def upload(self, client: FaceHostClient, picture: Picture, proceed: Proceed) -> str:
        """Bring a picture to a host and note it, so that `remove_uploads` finds it."""
        upload = (client.url, f"{ASSET_PREFIX}{picture.asset_name}")
        self.uploads.add(upload)
        name = client.upload(picture, proceed)
        if upload not in self.uploads:  # removed while it was on its way
            client.remove(name)
        return name

    def remove_uploads(self) -> None:
        """Remove from their hosts the pictures that were brought there for this work.

        What a host that is away still has stays in `uploads`; an older host removes nothing.
        """
        away: set[str] = set()
        for host, asset in sorted(self.uploads):
            if host in away:
                continue
            self.uploads.discard((host, asset))
            try:
                self.hosts.hosts[host].client.remove(asset)
            except FaceError as error:
                away.add(host)
                self.uploads.add((host, asset))
                message = "The host %s has not removed what was uploaded there; it goes by age: %s"
                run_log(__name__).warning(message, host, error)

    def stop(self) -> None:
        """Let nothing new begin, and have hosts give up what they work on.

        What an engine has ended is still fetched and recorded, and an older host cannot give up;
        both are waited for, at most for the grace.
        """
        self.stopping.begin()
        self.hosts.withdraw_requests()
        self.hosts.cancel_operations()
        self.stopping.wait(GRACE_SECONDS)


@contextmanager
def open_run_context(
    flow_name: str | None = None, *, guarded: bool = True, dry_run: bool = False
) -> Iterator[RunContext]:
    """Open what a face flow works with: blocks named `default`, else the environment.

    Reports name the flow of the run, or the one of `flow_name`. A run that waits for its hosts
    itself leaves `guarded` out. A `dry_run` writes nothing and gives the hosts nothing to do.

    Raises:
        storycanvas.gpu.guard.limit.GuardClosed: No host's limit guards: missing, inactive or zero.
    """
    give_back_freed_pictures()
    environment = Environment()
    story_database = named_database(environment)
    blocks = face_hosts(environment)
    store = open_image_store(environment)
    database = story_database.connect()
    try:
        warn_of_missing_collections(database)
        with HostPool([block.gpu_host for block in blocks]) as hosts:
            if guarded:
                hosts.check()
            context = RunContext(hosts, database, store, environment, flow_name, dry_run=dry_run)
            try:
                yield context
            finally:
                # Connections close only after the last step that uses them.
                context.stop()
                context.measuring.close()
    finally:
        database.client.close()
