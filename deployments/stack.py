"""What the whole system on one machine consists of, and in which order it starts."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from blocks.environment import PREVIEW
from db.connection import LONG_ANSWER_SECONDS, connect
from deployments.prefect_database import start_prefect_database
from deployments.sample import (
    CHARACTER_ID,
    PORTRAIT,
    TARGET,
    prepare_own_database,
    stored_portrait,
)
from deployments.story_database import chosen_database, complete_database, update_sentences
from storycanvas.faces.pictures.image_store import local_folder
from storycanvas.services.errors import ServiceError
from storycanvas.services.face_host import FaceHost
from storycanvas.services.flow_runs import crashed, end_run, runs_in_progress
from storycanvas.services.local_service import LocalService, last_lines
from storycanvas.services.lost import end_lost
from storycanvas.services.mongod import Mongod
from storycanvas.services.picture_server import PictureServer
from storycanvas.services.ports import listener
from storycanvas.services.postgres import Postgres
from storycanvas.services.prefect import PrefectServer, PrefectWorker, prefect_environment
from storycanvas.services.process import CODE, Program, run
from storycanvas.services.record import Registered, netloc, read_note, write_note
from storycanvas.services.shared import Lease, acquire, find_running, stop_kept

POOL = "storycanvas"
WORKER = "local"
ABANDONED = "The process of the run is gone. Retry goes on with what is done."
REGISTRATION_SECONDS = 300.0
_KINDS = (Mongod, PictureServer, FaceHost, Postgres, PrefectServer, PrefectWorker)
SERVICES = tuple(kind.name for kind in _KINDS)
"""In the order in which they start, where they are needed; they end the other way round."""
NO_FACE_HOST = (
    "starting no face host: MONGO_URL names a database, and preview pictures do not belong into "
    "its galleries; set FACEFUSION_URL to your face host, or to preview to have them all the same"
)
_STATE = "stack.json"
_REGISTERED = "registered.json"


class RegistrationFailed(ServiceError):
    """Limits, blocks or deployments could not be brought to the Prefect server."""


@dataclass(frozen=True)
class StackState:
    """What `up` left running.

    Attributes:
        services: Names of the services.
        addresses: Where everything is, by what people call it; holds no secret.
    """

    services: Sequence[str]
    addresses: dict[str, str]

    def lines(self) -> list[str]:
        """The addresses as a table, one line each."""
        width = max(map(len, self.addresses))
        return [f"  {name:<{width}}  {address}" for name, address in self.addresses.items()]


def read_state(state_dir: Path) -> StackState | None:
    """Read what `up` left running; None when nothing was."""
    return read_note(state_dir / _STATE, StackState)


def erase_state(state_dir: Path) -> None:
    """Note that nothing is left running."""
    (state_dir / _STATE).unlink(missing_ok=True)


def stopped_services(state: StackState, state_dir: Path) -> list[str]:
    """List the services that should run and do not."""
    return [name for name in state.services if find_running(name, state_dir) is None]


class Stack:
    """The running system. What the environment names is used instead of being started.

    Attributes:
        state_dir: Where all its files lie.
        environment: What a process needs in its environment in order to use it, to be set before
            Prefect is imported.
        addresses: Where everything is, for people; holds no secret.
    """

    def __init__(self, state_dir: Path, ending: ExitStack, show: Callable[[str], None]) -> None:
        self.state_dir = state_dir.resolve()
        self.environment: dict[str, str] = {}
        self.addresses: dict[str, str] = {}
        self._ending = ending
        self._show = show
        self._leases: dict[str, Lease] = {}
        self._own: dict[str, str] = {}

    def start(self) -> None:
        """Start what does not run yet, each service after those that it needs."""
        ran = self._is_kept()  # before: what is started now may have moved to another port
        for name in end_lost(reversed(SERVICES), self.state_dir):
            self._show(f"ended {name}, whose files were deleted while it ran")
        self._start_storage()
        self._start_picture_server()
        self._start_face_host()
        self._start_prefect()
        self.addresses["state and logs"] = str(self.state_dir)
        self._end_abandoned_runs()
        self._use(self._worker())
        if not ran:
            self._register()

    def keep(self) -> StackState:
        """Let everything run on after this process; end it if that cannot be noted."""
        try:
            for lease in self._leases.values():
                lease.keep()
            state = StackState(tuple(self._leases), self.addresses)
            write_note(self.state_dir / _STATE, state)
        except BaseException:
            for name in reversed(self._leases):
                stop_kept(name, self.state_dir)
            raise
        return state

    def _start_storage(self) -> None:
        images = self.state_dir / "images"
        images.mkdir(mode=0o700, parents=True, exist_ok=True)
        named = os.environ.get("MONGO_URL")
        url = named or self._use(Mongod(preferred_port=27017), "MONGO_URL")
        database = chosen_database(url)
        store = os.environ.get("IMAGE_STORE") or images.as_uri()
        self._show("bringing the database up to date")
        told = (
            complete_database(named, database) if named else self._prepare_own(url, database, store)
        )
        for sentence in told:
            self._show(f"  {sentence}")
        self.environment |= {"MONGO_URL": url, "DB_NAME": database, "IMAGE_STORE": store}
        # The user's own address may hold a password.
        self.addresses["MongoDB"] = f"{'as in MONGO_URL' if named else url}, database {database}"
        self.addresses["pictures"] = (
            str(images) if store == images.as_uri() else "as in IMAGE_STORE"
        )

    def _start_picture_server(self) -> None:
        """Serve a store that is a folder here, so that a browser can show its pictures."""
        store = self.environment["IMAGE_STORE"]
        if local_folder(store) is None:
            return
        url = self._use(PictureServer(store=store, preferred_port=9003), "IMAGE_BASE_URL")
        self.environment["STORYCANVAS_PICTURES_URL"] = url
        self.environment["STORYCANVAS_DOCS_URL"] = f"{url}/docs"
        self.addresses["pictures in a browser"] = f"{url} (of this machine only)"
        if not os.environ.get("MONGO_URL") and not os.environ.get("IMAGE_BASE_URL"):
            # Its documents are read on this machine only, as the stack's own MongoDB is.
            self.environment["IMAGE_BASE_URL"] = url

    def _prepare_own(self, url: str, database: str, store: str) -> Iterator[str]:
        """Repair a database that is ours, and put something to try into it."""
        portrait = stored_portrait(store) if local_folder(store) else str(PORTRAIT)
        opened = connect(url, database, answer_seconds=LONG_ANSWER_SECONDS)
        try:
            report = prepare_own_database(opened, portrait)
        finally:
            opened.client.close()
        self.addresses["to try"] = f"character {CHARACTER_ID}, target {TARGET}"
        return update_sentences(report)

    def _start_face_host(self) -> None:
        named = os.environ.get("FACEFUSION_URL", "").strip()
        if not named and os.environ.get("MONGO_URL"):
            self._show(NO_FACE_HOST)
            self.addresses["face host"] = "none"
            return
        named = "" if named == PREVIEW else named
        host = FaceHost(allowed_roots=(self.state_dir / "images",), preferred_port=9002)
        url = named or self._use(host, "FACEFUSION_URL")
        self.environment["FACEFUSION_URL"] = url
        self.addresses["face host"] = "as in FACEFUSION_URL" if named else f"{url} (preview)"

    def _start_prefect(self) -> None:
        database, kept_in = start_prefect_database(self.state_dir, self._use, self._show)
        url = self._use(PrefectServer(database=database, preferred_port=4200))
        self.environment["PREFECT_API_URL"] = url
        self.environment["PREFECT_HOME"] = str(self.state_dir / "prefect")
        self.addresses["Prefect UI"] = url.removesuffix("/api")
        self.addresses["Prefect's runs"] = kept_in

    def _worker(self) -> PrefectWorker:
        return PrefectWorker(
            api_url=self.environment["PREFECT_API_URL"],
            pool=POOL,
            worker=WORKER,
            settings=self.environment,
            home=Path(self.environment["PREFECT_HOME"]),
        )

    def _end_abandoned_runs(self) -> None:
        """End the runs that a worker left behind when it was killed or its machine went down."""
        api_url = self.environment["PREFECT_API_URL"]
        if find_running(PrefectWorker.name, self.state_dir):
            return
        for left in runs_in_progress(api_url, POOL):
            if not left.is_worked_on and end_run(api_url, left, crashed(ABANDONED)):
                self._show(f"  the run {left.name} is Crashed: its process is gone")

    def _use(self, service: LocalService, variable: str | None = None) -> str:
        """Use a service; the variable is what names it to others, where a block holds that."""
        began = time.monotonic()
        self._show(f"starting {service.name}")
        lease = self._ending.enter_context(acquire(service, self.state_dir))
        self._leases[service.name] = lease
        self._show(f"  ready after {time.monotonic() - began:.1f} s")
        wanted, port = service.preferred_port, lease.record.port
        if wanted not in {None, port} and (other := listener(wanted)):
            self._show(f"  port {wanted} is taken by {other}; it listens on port {port}")
        if variable:
            self._own[variable] = netloc(lease.url)
        return lease.url

    def _is_kept(self) -> bool:
        state = read_state(self.state_dir)
        return state is not None and not stopped_services(state, self.state_dir)

    def registration(self) -> list[str]:
        """Build the command that brings limits, blocks and deployments to the server.

        A block that the operator edited stays, but for an address in it that has moved.
        """
        argv = [sys.executable, "-m", "deployments.cli", "register", "--no-runs"]
        note = self.state_dir / _REGISTERED
        before = read_note(note, Registered)
        if before and before.moved(self.environment):
            argv += ["--moved-since", str(note)]
        return argv

    def _register(self) -> None:
        self._show("registering limits, blocks and deployments")
        log = self.state_dir / "register.log"
        environment = prefect_environment(Path(self.environment["PREFECT_HOME"]), self.environment)
        program = Program(tuple(self.registration()), CODE, environment)
        code = run(program, log, seconds=REGISTRATION_SECONDS)
        if code != 0:
            ended = "took too long" if code is None else f"ended with code {code}"
            raise RegistrationFailed(f"Registration {ended}: {last_lines(log)} Log: {log}")
        self.note_registered()

    def note_registered(self) -> None:
        """Note the environment that the blocks named default hold now."""
        note = Registered.of(self.environment, self._own)
        write_note(self.state_dir / _REGISTERED, note)
