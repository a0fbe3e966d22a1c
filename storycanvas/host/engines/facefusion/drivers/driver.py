"""Has FaceFusion find faces, make masks and change pictures, one operation at a time."""

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from storycanvas.faces.contract import DetectedFace
from storycanvas.host.engines.cancelling import current_cancellation
from storycanvas.host.engines.facefusion.drivers.worker_process import (
    FaceDistances,
    FaceEdges,
    WorkerAnswer,
    WorkerFace,
    WorkerProcess,
    WorkerRequest,
)
from storycanvas.host.engines.facefusion.process.child import ProcessConfig
from storycanvas.host.engines.facefusion.process.errors import (
    Ended,
    GpuUnused,
    KilledForMemory,
    OutOfMemory,
    ProcessEnded,
    ProcessHung,
    ProviderMissing,
    StartFailed,
    is_out_of_memory,
    trouble,
)
from storycanvas.host.engines.facefusion.process.kernel_memory import killed_for_memory, oom_kills
from storycanvas.host.engines.facefusion.process.log import LogCapture
from storycanvas.host.engines.facefusion.process.probing import (
    PROBE_SECONDS,
    ProbeAnswer,
    ProbeConfig,
)
from storycanvas.host.engines.facefusion.process.weights import models_folder
from storycanvas.host.engines.facefusion.process.workspace import Workspace
from storycanvas.host.engines.facefusion.translation.providers import (
    CPU,
    facefusion_names,
    on_cpu_alone,
)
from storycanvas.host.engines.head_pose import head_pose
from storycanvas.net.wording import counted

_log = logging.getLogger(__name__)

HELLO_SECONDS = 120.0
"""Longest start: a cold disk and a GPU driver that wakes up."""
_DISTANCE_DIGITS = 4

Kept = tuple[FaceEdges, ...] | None
"""Boxes of the faces to work on; None for those that the command line selects."""


@dataclass(frozen=True)
class DetectedFaces:
    """The faces of a picture, in selector order.

    Attributes:
        kept: Boxes of the faces to work on, where FaceFusion's own selector chooses others.
    """

    faces: tuple[WorkerFace, ...]
    kept: Kept = None

    def choosing(self, places: Sequence[int]) -> "DetectedFaces":
        """Select the faces at these places, and keep them where that selects others."""
        if tuple(places) == self.selected_places:
            return self
        faces = [
            face.model_copy(update={"selected": place in places})
            for place, face in enumerate(self.faces)
        ]
        return DetectedFaces(tuple(faces), tuple(self.faces[place].box for place in places))

    @property
    def selected_places(self) -> tuple[int, ...]:
        """The places of the faces that the operation works on."""
        return tuple(place for place, face in enumerate(self.faces) if face.selected)

    @property
    def selected(self) -> Sequence[WorkerFace]:
        """The faces that the operation works on."""
        return tuple(face for face in self.faces if face.selected)

    def within(self, width: int, height: int) -> tuple[DetectedFace, ...]:
        """Convert to whole pixels of the picture before it was padded."""
        return tuple(_within(face, width, height) for face in self.faces)


def _within(face: WorkerFace, width: int, height: int) -> DetectedFace:
    left, top = _clamp(face.box[0], width - 1), _clamp(face.box[1], height - 1)
    yaw, pitch, roll = head_pose(face.points) or (None, None, None)
    return DetectedFace(
        x=left,
        y=top,
        width=max(1, _clamp(face.box[2], width) - left),
        height=max(1, _clamp(face.box[3], height) - top),
        score=round(face.score, 3),
        estimated_age=face.age,
        yaw=yaw,
        pitch=pitch,
        roll=roll,
        reference_distance=rounded(face.reference_distance),
    )


def rounded(distance: float | None) -> float | None:
    """Leave out digits that differ between processors."""
    return None if distance is None else round(distance, _DISTANCE_DIGITS)


def _clamp(edge: float, last: int) -> int:
    return min(max(round(edge), 0), last)


@dataclass(frozen=True)
class Reference:
    """A picture with the face that others are compared with.

    Attributes:
        picture: Its file.
        distance: A face is like it when it is nearer than this, above 0 to 1.
    """

    picture: Path
    distance: float


@dataclass(frozen=True)
class Comparison:
    """The pictures whose faces are compared after a change.

    Attributes:
        before: What was changed.
        after: What came of it.
        source: Picture with the face that the changed ones should be like; None for what they
            were before.
        chosen: Boxes of the changed faces in `before`.
    """

    before: Path
    after: Path
    source: Path | None
    chosen: tuple[FaceEdges, ...]


class Deadline:
    """When one attempt has to end, `seconds` after its construction."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that remain.

        Raises:
            ProcessHung: None remain.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise ProcessHung(self.seconds)
        return left


@dataclass(frozen=True)
class Renewal:
    """When a process is replaced, always between two operations.

    Attributes:
        operations: After this many; 1 isolates every operation in a process of its own.
        memory_bytes: When its resident memory is larger.
    """

    operations: int
    memory_bytes: int

    @property
    def isolates(self) -> bool:
        """Whether every operation gets a process of its own."""
        return self.operations == 1


ISOLATED = Renewal(operations=1, memory_bytes=2**63)


@dataclass(frozen=True)
class ExecutionConfig:
    """What a worker's sessions are asked for.

    Attributes:
        probe: The operator's choice.
        require_gpu: Whether a worker that has the CPU alone is refused.
    """

    probe: ProbeConfig
    require_gpu: bool = False


class WorkerDriver:
    """Owns one worker process and replaces it when due; each slot of the host has a driver."""

    def __init__(
        self, where: ProcessConfig, renewal: Renewal, execution: ExecutionConfig | None = None
    ) -> None:
        self._where = where
        self._renewal = renewal
        self._execution = execution
        self._log = LogCapture()
        self._worker: WorkerProcess | None = None
        self._operations = 0
        self._forget = True
        self._weights: dict[str, tuple[int, int]] = {}
        self._changing = threading.Lock()
        self._closed = False
        self._ending = False
        self._oom_kills: int | None = None
        self._replaces = False
        self.restarts = 0
        self.probed: ProbeAnswer | None = None
        self.used: tuple[str, ...] = ()

    @property
    def memory_bytes(self) -> int:
        """Resident memory of the worker; 0 without one."""
        worker = self._worker
        return 0 if worker is None else worker.memory_bytes

    @property
    def has_worker(self) -> bool:
        """Whether there is a process, also one that starts or is being ended."""
        return self._worker is not None or self._ending

    def begin(self) -> None:
        """Begin an operation: clear the log, replace a worker that is due."""
        due = self._due()
        if due:
            _log.info("FaceFusion's process is replaced: %s", due)
            self.end()
        self._log.begin()
        self._operations += 1
        self._forget = True

    def finish(self) -> None:
        """Finish an operation; an isolated worker ends here, so it holds no memory while idle."""
        if self._renewal.isolates:
            self.end()

    def start(self) -> None:
        """Start the worker unless one runs.

        Raises:
            WorkerUnfit: The installed FaceFusion lacks what the worker calls.
            Breakdown: The process does not start.
        """
        with self._changing:
            if self._worker is not None:
                return
            if self._closed:
                raise StartFailed("the host is stopping")
            self._weights = _weight_files(self._where.home)
            # Known from here on, so that `end` in another thread also ends one that hangs.
            worker = self._worker = self._spawned()
        try:
            version = worker.hello(HELLO_SECONDS)
            self._check_execution(worker)
        except Exception:
            self.end()
            raise
        self.restarts += self._replaces
        self._replaces = True
        _log.info("FaceFusion %s is loaded", version)

    def _spawned(self) -> WorkerProcess:
        try:
            return WorkerProcess(self._where, self._log)
        except OSError as error:
            raise StartFailed(error.strerror or type(error).__name__) from error

    def _check_execution(self, worker: WorkerProcess) -> None:
        """Have the worker make a session of one node, where it is not known what one has."""
        wanted = self._execution
        if wanted is None or (self.probed is not None and not wanted.require_gpu):
            return
        request = WorkerRequest(do="probe", execution=wanted.probe)
        answer = worker.ask(request, PROBE_SECONDS)
        probed = answer.execution or ProbeAnswer(trouble=answer.failed or "no answer")
        self.probed, self.used = probed, probed.used
        missing = [name for name in wanted.probe.asked if name not in probed.offered]
        if missing and probed.offered:
            raise ProviderMissing(missing, probed.offered)
        self._refuse_cpu(probed.used or (CPU,), probed.trouble)

    def _refuse_cpu(self, used: Sequence[str], trouble: str = "") -> None:
        if self._execution is not None and self._execution.require_gpu and on_cpu_alone(used):
            asked = self.probed.asked if self.probed else ()
            raise GpuUnused(asked, trouble)

    def look(
        self,
        options: Sequence[str],
        target: Path,
        job: Workspace,
        deadline: Deadline,
        reference: Reference | None = None,
    ) -> DetectedFaces:
        """Find the faces of a picture, their ages, and which of them the selector chooses.

        Args:
            options: A command line for the processor `face_debugger`, without paths.
            target: The picture.
            job: Where the operation has its files.
            deadline: When the attempt has to end.
            reference: What the faces are compared with.

        Raises:
            ContentRejected: The content analyser refuses the picture.
            EngineFailed: FaceFusion reports an error.
            Breakdown: FaceFusion breaks down; a second attempt may help.
        """
        argv = ("headless-run", *options, *job.paths(target, job.output()))
        request = WorkerRequest(do="look", argv=argv)
        if reference is not None:
            compared = {"reference": reference.picture, "distance": reference.distance}
            request = request.model_copy(update=compared)
        answer = self._ask(request, deadline)
        self._check(answer, has_output=True)
        return DetectedFaces(answer.faces)

    def mask(
        self,
        options: Sequence[str],
        target: Path,
        job: Workspace,
        deadline: Deadline,
        keep: Kept = None,
    ) -> bytes:
        """Make the mask of the selected faces, or of those to keep; else as `look`.

        Returns:
            A BMP of the target's size, white where an operation may change it.
        """
        output = job.output()
        argv = ("headless-run", *options, *job.paths(target, job.output()))
        request = WorkerRequest(do="mask", argv=argv, output=output, keep=keep)
        return self._picture(request, output, deadline).read_bytes()

    def run(
        self,
        options: Sequence[str],
        target: Path,
        sources: Sequence[Path],
        job: Workspace,
        deadline: Deadline,
        keep: Kept = None,
    ) -> Path:
        """Change a picture, with the faces of the sources; return the file of the changed BMP.

        With `keep` FaceFusion sees the faces with these boxes only.

        Errors are those of `look`, and `NoFace` where no source has a face.
        """
        output = job.output()
        argv = ("headless-run", *options, *job.paths(target, output, sources))
        return self._picture(WorkerRequest(do="run", argv=argv, keep=keep), output, deadline)

    def compare(
        self, options: Sequence[str], pictures: Comparison, job: Workspace, deadline: Deadline
    ) -> FaceDistances | None:
        """Measure how unlike the changed faces are to what they should be like; else as `look`.

        What `look` has found in the pictures of the operation is not searched again.

        Returns:
            None where a changed face is not found again.
        """
        argv = ("headless-run", *options, *job.paths(pictures.before, job.output()))
        request = WorkerRequest(
            do="compare",
            argv=argv,
            changed=pictures.after,
            reference=pictures.source,
            keep=pictures.chosen,
        )
        answer = self._ask(request, deadline)
        self._check(answer, has_output=True)
        return answer.distances

    def load(self, options: Sequence[str], seconds: float) -> None:
        """Load the models of a command line, given without paths; at once if they are loaded.

        Errors are those of `look`.
        """
        request = WorkerRequest(do="load", argv=("headless-run", *options))
        self._check(self._ask(request, Deadline(seconds)), has_output=True)

    def unload(self) -> bool:
        """End the worker to give its memory back; return whether there was one.

        The next one starts in place of none, so it is no restart.
        """
        had_worker = self.has_worker
        self.end()
        self._replaces = False
        return had_worker

    def log(self) -> tuple[str, ...]:
        """Return what FaceFusion logged during the operation."""
        return self._log.lines()

    def end(self) -> None:
        """Kill the worker, whatever it is doing; the next operation starts a new one."""
        with self._changing:
            worker, self._worker = self._worker, None
            self._operations = 0
            self._ending = worker is not None
        if worker is not None:
            worker.end()
            self._ending = False

    def close(self) -> None:
        """Kill the worker, also one that starts, and start no other."""
        with self._changing:
            self._closed = True
        self.end()

    def _picture(self, request: WorkerRequest, output: Path, deadline: Deadline) -> Path:
        answer = self._ask(request, deadline)
        self._check(answer, has_output=output.exists())
        return output

    def _ask(self, request: WorkerRequest, deadline: Deadline) -> WorkerAnswer:
        cancellation = current_cancellation()
        cancellation.check()
        self.start()
        cancellation.check()  # again: what ended a process that was starting ended no new one
        worker = self._worker
        if worker is None:  # end() from another thread: the host is stopping
            raise ProcessEnded(None)
        try:
            request = request.model_copy(update={"forget": self._forget})
            self._forget = False
            self._oom_kills = oom_kills()
            answer = worker.ask(request, deadline.left())
        except ProcessEnded as error:
            if killed_for_memory(error.exit_code, self._oom_kills):
                raise KilledForMemory from error
            # CUDA may end a process for memory that it could not have.
            raise OutOfMemory if is_out_of_memory(self.log()) else error from error
        except ProcessHung as error:  # name the attempt's whole time, not what was left of it
            raise ProcessHung(deadline.seconds) from error
        self.used = facefusion_names(answer.sessions) or self.used
        self._refuse_cpu(self.used)
        return answer

    def _check(self, answer: WorkerAnswer, *, has_output: bool) -> None:
        log = [*self.log(), *([answer.failed] if answer.failed else [])]
        problem = trouble(Ended(answer.exit, answer.rejected, log, has_output))
        if problem is not None:
            raise problem

    def _due(self) -> str | None:
        if self._worker is None:
            return None
        if self._worker.has_ended:
            return "it ended while idle"
        if self._operations >= self._renewal.operations:
            return f"it has done {counted(self._operations, 'operation')}"
        memory = self._worker.memory_bytes
        if memory > self._renewal.memory_bytes:
            return f"it holds {memory / 2**30:.1f} GiB"
        files = _weight_files(self._where.home)
        if any(files.get(name) != status for name, status in self._weights.items()):
            return "weights have changed"  # loaded models would stay the old ones
        self._weights = files  # watch files that came later, too
        return None


def _weight_files(home: Path) -> dict[str, tuple[int, int]]:
    """Return size and modification time (ns) of every weights file."""
    stats = ((path.name, path.stat()) for path in models_folder(home).glob("*.onnx"))
    return {name: (status.st_size, status.st_mtime_ns) for name, status in stats}
