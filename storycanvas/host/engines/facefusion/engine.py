"""The engine `facefusion`: an existing FaceFusion, driven from outside and kept running."""

import contextlib
import logging
import queue
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from storycanvas.faces.errors import (
    EngineFailed,
    FaceError,
    HostNotReady,
    NoFace,
    OperationTimedOut,
)
from storycanvas.faces.operations import OPERATIONS, AgeAdjustOperation, FaceOperation
from storycanvas.faces.pictures.reading import Picture
from storycanvas.host.engines.cancelling import Cancellation, current_cancellation
from storycanvas.host.engines.engine import EngineHealth, EngineResult, Readiness
from storycanvas.host.engines.facefusion.attempt import Attempt, AttemptConfig
from storycanvas.host.engines.facefusion.drivers.driver import Deadline, WorkerDriver
from storycanvas.host.engines.facefusion.loading import Preload
from storycanvas.host.engines.facefusion.plan import EnginePlan, plan_engine
from storycanvas.host.engines.facefusion.process.checksums import CheckedWeights
from storycanvas.host.engines.facefusion.process.child import ProcessConfig, end_leftovers
from storycanvas.host.engines.facefusion.process.devices import ExecutionState
from storycanvas.host.engines.facefusion.process.errors import (
    Breakdown,
    OutOfMemory,
    ProcessHung,
    WorkerUnfit,
)
from storycanvas.host.engines.facefusion.process.log import redact_paths, without_folders
from storycanvas.host.engines.facefusion.process.weights import DEFAULT_DETECTOR
from storycanvas.host.engines.facefusion.process.workspace import fresh_workspace, remove_leftovers
from storycanvas.host.engines.facefusion.translation.ages import knows_years
from storycanvas.host.engines.facefusion.translation.operation import models_of
from storycanvas.host.settings import HostSettings
from storycanvas.host.storage.disk import (
    LEAST_FREE_BYTES,
    lack_of_room,
    refused_when_unwritable,
    shortage,
    temporary_folder,
    unwritable,
)

_log = logging.getLogger(__name__)

_FILE_BYTES_A_PIXEL = 3
"""An RGB picture without compression, as FaceFusion is given it."""
_COPIES = 2
"""Files of the size of the target that FaceFusion writes: one that it works on, and the output."""
_START_TRIES = 2
_LOOK_SECONDS = 0.2
"""How often an operation that waits for FaceFusion's start looks whether it is cancelled."""


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
        self._weights = CheckedWeights(plan.installation.home, plan.installation.version)
        self._all = [WorkerDriver(where, plan.renewal, plan.execution) for _ in range(plan.slots)]
        device = int(plan.execution.probe.device) if plan.execution else 0
        self._execution = ExecutionState(plan.environment, device, self._memory_bytes)
        self._preload = Preload(
            plan.preload, plan.options, self._refuse_unusable_weights, self._shown
        )
        self._moving = threading.Lock()  # two that take all drivers would wait for each other
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
        """Whether FaceFusion has started, and loads nothing that operations would wait for."""
        if self._start_failure is not None:
            return "failed"
        loads = self._preload.pending or self._preload.starts
        return "ok" if self._started.is_set() and not loads else "starting"

    @property
    def health(self) -> EngineHealth:
        """What FaceFusion's sessions have, and what its processes cost."""
        return EngineHealth(
            self._execution.now(),
            restarts=sum(driver.restarts for driver in self._all),
            memory_bytes=self._memory_bytes(),
            reason=self._start_failure or self._lack() or self._preload.failure,
            loading=self._preload.pending,
            loaded=any(driver.has_worker for driver in self._all),
        )

    def _lack(self) -> str | None:
        """Explain why no operation can be done, once FaceFusion runs."""
        if not self._started.is_set() or self.able():
            return None
        faults = self._weights.faults([DEFAULT_DETECTOR])
        return f"FaceFusion {faults}. Run the command for weights that the doctor prints."

    def _memory_bytes(self) -> int:
        return sum(driver.memory_bytes for driver in self._all)

    def able(self) -> tuple[str, ...]:
        """Return the paths of the operations whose weights are there or may be loaded."""
        paths = (
            tuple(operation.path for operation in OPERATIONS)
            if self._plan.downloads
            else self._weights.able()
        )
        years = knows_years(self.version)
        return tuple(path for path in paths if years or path != AgeAdjustOperation.path)

    def models(self) -> tuple[str, ...]:
        """Return the models whose weights are there."""
        return self._weights.models()

    def run(self, operation: FaceOperation, pictures: Sequence[Picture]) -> EngineResult:
        """Do one operation; if FaceFusion breaks down over it, once more in a new process.

        It raises what `Engine.run` may, `EngineFailed` also after a second breakdown, and:

        Raises:
            OperationCancelled: It was cancelled, and its process is ended.
            OperationTimedOut: FaceFusion hung twice.
            HostNotReady: FaceFusion does not start, or the host stops.
        """
        cancellation = current_cancellation()
        with self._driver(cancellation) as driver, cancellation.ended_by(driver.end):
            self._refuse_unusable_weights(operation)
            driver.begin()
            try:
                return self._attempt(driver, operation, pictures)
            except Breakdown as first:
                driver.end()
                cancellation.check()
                self._refuse_unless_running()
                self._refuse_hung_download(operation, first)
                _log.warning("%s: %s; tried once more", operation.path, first)
                less = isinstance(first, OutOfMemory)
            driver.begin()  # the first attempt's log must not be quoted for the second
            try:
                return self._attempt(driver, operation, pictures, low_memory=less)
            except Breakdown as second:
                log = redact_paths(driver.log(), self._folders())
                driver.end()
                cancellation.check()
                raise second.as_error(log) from second

    def load(self) -> None:
        """Start FaceFusion's processes, and load what `--preload` names into each.

        `health` names what could not be loaded.

        Raises:
            HostNotReady: FaceFusion does not start, or the host stops.
        """
        with self._each_driver() as drivers:
            try:
                self._preload.into(list(drivers))
            except Breakdown as error:
                raise HostNotReady(self._described(error)) from error
            self._learn_execution(self._all[-1])

    def unload(self) -> None:
        """End FaceFusion's processes, each once its operation has ended."""
        with self._each_driver() as drivers:
            ended = sum(driver.unload() for driver in drivers)
        if ended:
            self._execution.forget()
            _log.info("FaceFusion's memory is given back; the next operation starts it anew")

    @contextlib.contextmanager
    def _each_driver(self) -> Iterator[Iterator[WorkerDriver]]:
        """Take one driver after another, each once its operation has ended; give all back."""
        taken: list[WorkerDriver] = []

        def take() -> Iterator[WorkerDriver]:
            while len(taken) < len(self._all):
                taken.append(self._next_driver(Cancellation()))
                yield taken[-1]

        with self._moving:
            self._started.wait()
            self._refuse_unless_running()
            try:
                yield take()
            finally:
                for driver in taken:
                    self._drivers.put(driver)

    def close(self) -> None:
        """End FaceFusion's processes."""
        self._closed.set()
        for driver in self._all:
            driver.close()

    def _refuse_unusable_weights(self, operation: FaceOperation) -> None:
        """Refuse what FaceFusion would fail over; where it may download, it mends that itself."""
        if not self._plan.downloads:
            self._weights.refuse_faults(models_of(operation))

    def _refuse_hung_download(self, operation: FaceOperation, failure: Breakdown) -> None:
        """Refuse a second try while weights are being loaded: it would hang as long."""
        if not self._plan.downloads or not isinstance(failure, ProcessHung):
            return
        faults = self._weights.faults(models_of(operation))
        if faults:
            raise OperationTimedOut(
                f"FaceFusion {faults}, and did not load it in {self._plan.try_seconds:g} s. Run "
                "the command for weights that `storycanvas-host doctor` prints."
            )

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
            with (
                refused_when_unwritable(self._plan.folder),
                fresh_workspace(self._jobs) as job,
                self._asking_the_disk(pictures[-1]),
            ):
                attempt = Attempt(config, job, Deadline(self._plan.try_seconds))
                result = attempt.result(operation, pictures)
        except EngineFailed as error:  # it may quote FaceFusion, and so paths
            raise EngineFailed(without_folders(str(error), self._folders())) from error
        self._learn_execution(driver)
        log = redact_paths(result.log, self._folders())
        return replace(result, log=log, execution=self._execution.now())

    @contextlib.contextmanager
    def _asking_the_disk(self, target: Picture) -> Iterator[None]:
        """Ask the disk about a failure, while the operation's files are still there.

        FaceFusion does not tell a disk without room from a broken picture, or a face that it left
        as it was.

        Raises:
            HostNotReady: It failed while it could not write.
        """
        try:
            yield
        except (EngineFailed, NoFace, Breakdown) as error:
            # FaceFusion removes what it wrote in part, so that some room may be there again.
            needed = LEAST_FREE_BYTES + _COPIES * _FILE_BYTES_A_PIXEL * target.width * target.height
            lack = shortage(self._plan.folder, needed=needed) or self._lack_of_room()
            if lack is None:
                raise
            raise unwritable(f"FaceFusion could not do it. {lack}") from error

    def _lack_of_room(self) -> str | None:
        """Look at the other folders that FaceFusion may write to."""
        home = self._plan.installation.home
        return lack_of_room(*temporary_folder()) or (
            lack_of_room(home, "folder of FaceFusion (FACEFUSION_HOME)")
            if self._plan.downloads
            else None
        )

    def _learn_execution(self, driver: WorkerDriver) -> None:
        """Take over what the worker's sessions have; that they fell back to the CPU is logged."""
        asked = driver.probed.asked if driver.probed else ()
        state = self._execution
        if driver.used and driver.used != state.used and asked and asked[0] not in driver.used:
            _log.warning(
                "FaceFusion computes on %s, not on %s, which is asked for: run the doctor",
                " ".join(driver.used), " ".join(asked),
            )  # fmt: skip
        state.asked, state.used = asked, driver.used

    def _folders(self) -> tuple[Path, ...]:
        """Return the folders of the host, FaceFusion, its Python and the pictures."""
        installation = self._plan.installation
        environment = installation.python.parent.parent
        return (self._jobs, installation.home, environment, Path(__file__).parents[4])

    @contextlib.contextmanager
    def _driver(self, cancellation: Cancellation) -> Iterator[WorkerDriver]:
        while not self._started.wait(_LOOK_SECONDS):
            cancellation.check()
        self._refuse_unless_running()
        driver = self._next_driver(cancellation)
        try:
            yield driver
        finally:
            driver.finish()
            self._drivers.put(driver)

    def _next_driver(self, cancellation: Cancellation) -> WorkerDriver:
        """Take the driver that worked last, whose models are loaded; wait while all are moved."""
        while True:
            try:
                return self._drivers.get(timeout=_LOOK_SECONDS)
            except queue.Empty:  # `load` and `unload` hold them, for minutes with TensorRT
                cancellation.check()
                self._refuse_unless_running()

    def _refuse_unless_running(self) -> None:
        if self._closed.is_set():
            raise HostNotReady("The host is stopping; try again when it is back.")
        if self._start_failure is not None:
            raise HostNotReady(self._start_failure)

    def _start(self) -> None:
        """Start one process, to learn whether this FaceFusion can be driven at all."""
        while (failure := self._failure_to_be_ready()) is not None:
            self._start_failure = self._described(failure)
            _log.error(self._start_failure, exc_info=not isinstance(failure, Breakdown))
            self._started.set()
            # Only the operator can repair an unfit FaceFusion; anything else may pass.
            if isinstance(failure, WorkerUnfit) or self._closed.wait(self._plan.restart_seconds):
                return
        self._start_failure = None
        for driver in self._all:  # only now: a failed start that is tried again uses them
            self._drivers.put(driver)
        self._started.set()
        _log.info("FaceFusion %s is ready, %s", self.version, self.mode)

    def _failure_to_be_ready(self) -> Exception | None:
        failure = self._failure_to_start(self._all[-1])
        if failure is not None:
            return failure
        if not self._plan.downloads:  # what every operation needs; the rest when it is asked for
            self._weights.faults([DEFAULT_DETECTOR])
        if not self._plan.preload:
            return None
        self._started.clear()  # set by a failure before; now it starts
        self._start_failure = None
        try:
            self._preload.into(self._all)
        except Exception as error:  # noqa: BLE001 - operations would wait for a dead thread
            return error
        self._learn_execution(self._all[-1])
        return None

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
                self._learn_execution(driver)
                driver.finish()
                return None
        return failure

    def _described(self, failure: Exception) -> str:
        known = isinstance(failure, Breakdown | FaceError)
        cause = str(failure) if known else "The host's log has the cause."
        return f"FaceFusion could not be started. {self._shown(cause)}"

    def _shown(self, message: str) -> str:
        return without_folders(message, self._folders())


def build_engine(settings: HostSettings, environment: Mapping[str, str]) -> FaceFusionEngine:
    """Find FaceFusion by the environment and start it in the background."""
    return FaceFusionEngine(plan_engine(settings, environment))
