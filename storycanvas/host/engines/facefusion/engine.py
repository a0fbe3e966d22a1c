"""The facefusion engine: an existing FaceFusion, driven from outside and kept alive."""

import contextlib
import logging
import queue
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from storycanvas.faces.errors import EngineFailed, HostNotReady
from storycanvas.faces.operations import OPERATIONS, AgeAdjustOperation, FaceOperation
from storycanvas.faces.pictures.reading import Picture
from storycanvas.host.engines.engine import EngineResult, Readiness
from storycanvas.host.engines.facefusion.attempt import Attempt, AttemptConfig
from storycanvas.host.engines.facefusion.command_line_driver import CommandLineDriver
from storycanvas.host.engines.facefusion.drivers.driver import Deadline, Driver
from storycanvas.host.engines.facefusion.drivers.resident import (
    Renewal,
    ResidentDriver,
    ResidentUnfit,
)
from storycanvas.host.engines.facefusion.process.child import ProcessConfig, end_leftovers
from storycanvas.host.engines.facefusion.process.errors import (
    AnswerUnreadable,
    Breakdown,
    OutOfMemory,
)
from storycanvas.host.engines.facefusion.process.installation import Installation
from storycanvas.host.engines.facefusion.process.log import redact_paths, without_folders
from storycanvas.host.engines.facefusion.process.weights import able_operations, present_models
from storycanvas.host.engines.facefusion.process.workspace import fresh_workspace, remove_leftovers
from storycanvas.host.engines.facefusion.translation.ages import knows_years

_log = logging.getLogger(__name__)

_START_TRIES = 2


@dataclass(frozen=True)
class EnginePlan:
    """How the engine drives FaceFusion.

    Attributes:
        installation: The FaceFusion to drive.
        environment: All that its processes see of the environment.
        folder: The engine's own folder, absolute.
        options: What every command line begins with.
        slots: Operations at one time; each has a FaceFusion process of its own.
        try_seconds: Longest time of one try; a second one may follow.
        renewal: When a process that stays is replaced.
        command_line_only: Whether no process may stay.
        downloads: Whether FaceFusion loads weights that are missing.
    """

    installation: Installation
    environment: dict[str, str]
    folder: Path
    options: tuple[str, ...]
    slots: int
    try_seconds: float
    renewal: Renewal
    command_line_only: bool = False
    downloads: bool = False


class FaceFusionEngine:
    """Carries out all six operations with FaceFusion 3.5 to 3.8.

    Its start goes on in the background; operations that come earlier wait for it.
    """

    name = "facefusion"

    def __init__(self, plan: EnginePlan) -> None:
        self.version = plan.installation.version
        self._plan = plan
        self._where = ProcessConfig(
            plan.installation.python, plan.installation.home, plan.environment, plan.folder / "pids"
        )
        self._jobs = plan.folder / "jobs"
        self._drivers: queue.LifoQueue[Driver] = queue.LifoQueue()
        self._all: list[Driver] = []
        self._started = threading.Event()
        self._closed = False
        self._failed = False
        left = end_leftovers(self._where.pids)
        if left:
            _log.warning("ended %d FaceFusion processes of a host that was killed", left)
        remove_leftovers(self._jobs)
        threading.Thread(target=self._start, name="engine start", daemon=True).start()

    @property
    def mode(self) -> str:
        """`resident` or `command-line`; `starting` until that is known."""
        return self._all[0].mode if self._all else "starting"

    @property
    def readiness(self) -> Readiness:
        """Whether it has been started."""
        if self._failed:
            return "failed"
        return "ok" if self._started.is_set() else "starting"

    def able(self) -> tuple[str, ...]:
        """Name the operations whose weights are there or may be loaded, by their paths."""
        paths = (
            tuple(operation.path for operation in OPERATIONS)
            if self._plan.downloads
            else able_operations(self._plan.installation.home)
        )
        years = knows_years(self.version)
        return tuple(path for path in paths if years or path != AgeAdjustOperation.path)

    def models(self) -> tuple[str, ...]:
        """Name the models whose weights are there."""
        return present_models(self._plan.installation.home)

    def run(self, operation: FaceOperation, pictures: Sequence[Picture]) -> EngineResult:
        """Carry out one operation; if FaceFusion breaks down over it, once more in a new process.

        Args:
            operation: What to do.
            pictures: Its input pictures, in the order of `operation.pictures`.

        Returns:
            The new picture, what was seen, and how it was made.

        Raises:
            storycanvas.faces.errors.NoFace: A picture that needs a face has none.
            storycanvas.faces.errors.ContentRejected: FaceFusion's content analyser refuses the
                picture.
            storycanvas.faces.errors.OperationUnsupported: This FaceFusion cannot do it.
            storycanvas.faces.errors.EngineFailed: FaceFusion fails, or broke down twice.
            storycanvas.faces.errors.OperationTimedOut: It hung twice.
            storycanvas.faces.errors.HostNotReady: The host is stopping.
        """
        with self._driver() as driver:
            driver.begin()
            try:
                return self._try(driver, operation, pictures)
            except Breakdown as first:
                driver.end()
                self._refuse_when_unable()
                _log.warning("%s: %s; tried once more", operation.path, first)
                less = isinstance(first, OutOfMemory)
            driver.begin()  # what the first try said must not be taken for the second's
            try:
                return self._try(driver, operation, pictures, economical=less)
            except Breakdown as second:
                log = self._told(driver.log())
                driver.end()
                raise second.as_error(log) from second

    def close(self) -> None:
        """End FaceFusion's processes."""
        self._closed = True
        for driver in self._all:
            driver.end()

    def _try(
        self,
        driver: Driver,
        operation: FaceOperation,
        pictures: Sequence[Picture],
        *,
        economical: bool = False,
    ) -> EngineResult:
        means = AttemptConfig(driver, self._plan.options, self.version, economical=economical)
        try:
            with fresh_workspace(self._jobs) as job:
                result = Attempt(means, job, Deadline(self._plan.try_seconds)).result(
                    operation, pictures
                )
        except EngineFailed as error:  # it may quote FaceFusion
            raise EngineFailed(without_folders(str(error), self._folders())) from error
        return replace(result, log=self._told(result.log))

    def _told(self, log: Sequence[str]) -> tuple[str, ...]:
        return redact_paths(log, self._folders())

    def _folders(self) -> tuple[Path, ...]:
        """Where the host, FaceFusion, its Python and the pictures lie."""
        installation = self._plan.installation
        environment = installation.python.parent.parent
        return (self._jobs, installation.home, environment, Path(__file__).parents[4])

    @contextlib.contextmanager
    def _driver(self) -> Iterator[Driver]:
        self._started.wait()
        self._refuse_when_unable()
        driver = self._drivers.get()  # the one that worked last, for its models are loaded
        try:
            yield driver
        finally:
            self._drivers.put(driver)

    def _refuse_when_unable(self) -> None:
        if self._closed:
            raise HostNotReady("The host is stopping; try again when it is back.")
        if self._failed:
            raise HostNotReady("FaceFusion could not be started; the host's log says why.")

    def _start(self) -> None:
        try:
            drivers = self._chosen()
        except Exception:  # noqa: BLE001 - else operations would wait for ever
            _log.exception("FaceFusion could not be started; correct it and restart the host")
            self._failed = True
            self._started.set()
            return
        _log.info("FaceFusion %s, driven %s", self.version, drivers[0].mode)
        self._all = drivers
        for driver in drivers:
            self._drivers.put(driver)
        self._started.set()

    def _chosen(self) -> list[Driver]:
        slots = range(self._plan.slots)
        if not self._plan.command_line_only:
            residents = [ResidentDriver(self._where, self._plan.renewal) for _ in slots]
            if self._starts(residents[0]):
                return list(residents)
        return [CommandLineDriver(self._where) for _ in slots]

    def _starts(self, driver: ResidentDriver) -> bool:
        """Try to have a process stay; one that breaks down over its start is tried once more."""
        for _ in range(_START_TRIES):
            try:
                driver.start()
            except (ResidentUnfit, AnswerUnreadable) as error:
                _log.warning("this FaceFusion does not fit the process that stays: %s", error)
                break
            except (Breakdown, OSError) as error:
                _log.warning("FaceFusion's process that stays did not start: %s", error)
            else:
                return True
        _log.warning("no FaceFusion process stays; each run gets its own")
        return False
