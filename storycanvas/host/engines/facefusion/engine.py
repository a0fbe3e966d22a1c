"""The engine `facefusion`: an existing FaceFusion, driven from outside and kept running."""

import contextlib
import logging
import queue
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from storycanvas.faces.errors import EngineFailed, HostNotReady
from storycanvas.faces.operations import OPERATIONS, AgeAdjustOperation, FaceOperation
from storycanvas.faces.pictures.reading import Picture
from storycanvas.host.engines.engine import EngineResult, Readiness
from storycanvas.host.engines.facefusion.attempt import Attempt, AttemptConfig
from storycanvas.host.engines.facefusion.drivers.driver import (
    ISOLATED,
    Deadline,
    Renewal,
    WorkerDriver,
)
from storycanvas.host.engines.facefusion.process.child import ProcessConfig, end_leftovers
from storycanvas.host.engines.facefusion.process.environment import facefusion_environment
from storycanvas.host.engines.facefusion.process.errors import Breakdown, OutOfMemory, WorkerUnfit
from storycanvas.host.engines.facefusion.process.installation import Installation, find_installation
from storycanvas.host.engines.facefusion.process.log import redact_paths, without_folders
from storycanvas.host.engines.facefusion.process.weights import able_operations, present_models
from storycanvas.host.engines.facefusion.process.workspace import fresh_workspace, remove_leftovers
from storycanvas.host.engines.facefusion.translation.ages import knows_years
from storycanvas.host.engines.facefusion.translation.execution import execution_options
from storycanvas.host.settings import HostSettings

_log = logging.getLogger(__name__)

_START_TRIES = 2


@dataclass(frozen=True)
class EnginePlan:
    """How the engine drives FaceFusion.

    Attributes:
        installation: The FaceFusion to drive.
        environment: The whole environment of its processes.
        folder: The engine's own folder, absolute.
        options: What every command line begins with.
        slots: Operations at one time; each has a FaceFusion process of its own.
        try_seconds: Longest time of one attempt; a second one may follow.
        renewal: When a process is replaced.
        downloads: Whether FaceFusion loads weights that are missing.
        restart_seconds: Pause before a FaceFusion that did not start is started again.
    """

    installation: Installation
    environment: dict[str, str]
    folder: Path
    options: tuple[str, ...]
    slots: int
    try_seconds: float
    renewal: Renewal
    downloads: bool = False
    restart_seconds: float = 30.0


class FaceFusionEngine:
    """Does all six operations with FaceFusion 3.5 to 3.8.

    It starts in the background; operations that come earlier wait for it.
    """

    name = "facefusion"

    def __init__(self, plan: EnginePlan) -> None:
        self.version = plan.installation.version
        self._plan = plan
        where = ProcessConfig(
            plan.installation.python, plan.installation.home, plan.environment, plan.folder / "pids"
        )
        self._jobs = plan.folder / "jobs"
        self._all = [WorkerDriver(where, plan.renewal) for _ in range(plan.slots)]
        self._drivers: queue.LifoQueue[WorkerDriver] = queue.LifoQueue()
        self._started = threading.Event()
        self._closed = threading.Event()
        self._start_failure: str | None = None
        left = end_leftovers(where.pids)
        if left:
            _log.warning("ended %d FaceFusion processes of a host that was killed", left)
        remove_leftovers(self._jobs)
        threading.Thread(target=self._start, name="engine start", daemon=True).start()

    @property
    def mode(self) -> str:
        """`resident`, or `isolated`: a process for each operation; `starting` until it runs."""
        if not self._started.is_set():
            return "starting"
        return "isolated" if self._plan.renewal.isolates else "resident"

    @property
    def readiness(self) -> Readiness:
        """Whether FaceFusion has started."""
        if self._start_failure is not None:
            return "failed"
        return "ok" if self._started.is_set() else "starting"

    def able(self) -> tuple[str, ...]:
        """Return the paths of the operations whose weights are there or may be loaded."""
        paths = (
            tuple(operation.path for operation in OPERATIONS)
            if self._plan.downloads
            else able_operations(self._plan.installation.home)
        )
        years = knows_years(self.version)
        return tuple(path for path in paths if years or path != AgeAdjustOperation.path)

    def models(self) -> tuple[str, ...]:
        """Return the models whose weights are there."""
        return present_models(self._plan.installation.home)

    def run(self, operation: FaceOperation, pictures: Sequence[Picture]) -> EngineResult:
        """Do one operation; if FaceFusion breaks down over it, once more in a new process.

        It raises what `Engine.run` may, `EngineFailed` also after a second breakdown, and:

        Raises:
            OperationTimedOut: FaceFusion hung twice.
            HostNotReady: FaceFusion does not start, or the host stops.
        """
        with self._driver() as driver:
            driver.begin()
            try:
                return self._attempt(driver, operation, pictures)
            except Breakdown as first:
                driver.end()
                self._refuse_unless_running()
                _log.warning("%s: %s; tried once more", operation.path, first)
                less = isinstance(first, OutOfMemory)
            driver.begin()  # the first attempt's log must not be quoted for the second
            try:
                return self._attempt(driver, operation, pictures, low_memory=less)
            except Breakdown as second:
                log = redact_paths(driver.log(), self._folders())
                driver.end()
                raise second.as_error(log) from second

    def close(self) -> None:
        """End FaceFusion's processes."""
        self._closed.set()
        for driver in self._all:
            driver.end()

    def _attempt(
        self,
        driver: WorkerDriver,
        operation: FaceOperation,
        pictures: Sequence[Picture],
        *,
        low_memory: bool = False,
    ) -> EngineResult:
        config = AttemptConfig(driver, self._plan.options, self.version, low_memory=low_memory)
        try:
            with fresh_workspace(self._jobs) as job:
                attempt = Attempt(config, job, Deadline(self._plan.try_seconds))
                result = attempt.result(operation, pictures)
        except EngineFailed as error:  # it may quote FaceFusion, and so paths
            raise EngineFailed(without_folders(str(error), self._folders())) from error
        return replace(result, log=redact_paths(result.log, self._folders()))

    def _folders(self) -> tuple[Path, ...]:
        """Return the folders of the host, FaceFusion, its Python and the pictures."""
        installation = self._plan.installation
        environment = installation.python.parent.parent
        return (self._jobs, installation.home, environment, Path(__file__).parents[4])

    @contextlib.contextmanager
    def _driver(self) -> Iterator[WorkerDriver]:
        self._started.wait()
        self._refuse_unless_running()
        driver = self._drivers.get()  # the driver that worked last: its models are loaded
        try:
            yield driver
        finally:
            driver.finish()
            self._drivers.put(driver)

    def _refuse_unless_running(self) -> None:
        if self._closed.is_set():
            raise HostNotReady("The host is stopping; try again when it is back.")
        if self._start_failure is not None:
            raise HostNotReady(self._start_failure)

    def _start(self) -> None:
        """Start one process, to learn whether this FaceFusion can be driven at all."""
        for driver in self._all:
            self._drivers.put(driver)
        while (failure := self._failure_to_start(self._all[-1])) is not None:
            self._start_failure = self._described(failure)
            _log.error(self._start_failure, exc_info=not isinstance(failure, Breakdown))
            self._started.set()
            # Only the operator can repair an unfit FaceFusion; anything else may pass.
            if isinstance(failure, WorkerUnfit) or self._closed.wait(self._plan.restart_seconds):
                return
        self._start_failure = None
        self._started.set()
        _log.info("FaceFusion %s is ready, %s", self.version, self.mode)

    def _failure_to_start(self, driver: WorkerDriver) -> Exception | None:
        """Start a process, twice if it breaks down; an isolated one only shows that it would."""
        failure: Exception | None = None
        for _ in range(_START_TRIES):
            try:
                driver.start()
            except Exception as error:  # noqa: BLE001 - operations would wait for a dead thread
                failure = error
                if isinstance(error, WorkerUnfit):
                    break
            else:
                driver.finish()
                return None
        return failure

    def _described(self, failure: Exception) -> str:
        cause = str(failure) if isinstance(failure, Breakdown) else "The host's log has the cause."
        return f"FaceFusion could not be started. {without_folders(cause, self._folders())}"


_ATTEMPT_SHARE = 0.45
"""Share of an operation's time that one attempt may take, so that a second one fits in."""


def build_engine(settings: HostSettings, environment: Mapping[str, str]) -> FaceFusionEngine:
    """Find FaceFusion by the environment and start it in the background."""
    installation = find_installation(environment)
    folder = settings.data_dir.resolve() / "facefusion"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    options = (
        # A file that is not there: the operator's own facefusion.ini must not change results.
        *("--config-path", str(folder / "none.ini")),
        *execution_options(installation),
        *("--video-memory-strategy", settings.video_memory),
        *("--download-providers", "github"),
        *("--log-level", "info"),
    )
    renewal = Renewal(settings.renew_operations, round(settings.renew_gib * 2**30))
    plan = EnginePlan(
        installation=installation,
        environment=facefusion_environment(environment, downloads=settings.allow_downloads),
        folder=folder,
        options=options,
        slots=settings.slots,
        try_seconds=_ATTEMPT_SHARE * settings.operation_seconds,
        renewal=ISOLATED if settings.isolated else renewal,
        downloads=settings.allow_downloads,
    )
    return FaceFusionEngine(plan)
