"""Has FaceFusion find faces, make masks and change pictures, one operation at a time."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from storycanvas.faces.contract import DetectedFace
from storycanvas.host.engines.facefusion.drivers.worker_process import (
    WorkerAnswer,
    WorkerFace,
    WorkerProcess,
    WorkerRequest,
)
from storycanvas.host.engines.facefusion.process.child import ProcessConfig
from storycanvas.host.engines.facefusion.process.errors import (
    Ended,
    OutOfMemory,
    ProcessEnded,
    ProcessHung,
    StartFailed,
    is_out_of_memory,
    trouble,
)
from storycanvas.host.engines.facefusion.process.log import LogCapture
from storycanvas.host.engines.facefusion.process.weights import models_folder
from storycanvas.host.engines.facefusion.process.workspace import Workspace
from storycanvas.net.wording import counted

_log = logging.getLogger(__name__)

HELLO_SECONDS = 120.0
"""Longest start: a cold disk and a GPU driver that wakes up."""


@dataclass(frozen=True)
class DetectedFaces:
    """The faces of a picture, in selector order."""

    faces: tuple[WorkerFace, ...]

    @property
    def selected(self) -> Sequence[WorkerFace]:
        """The faces that the operation works on."""
        return tuple(face for face in self.faces if face.selected)

    def within(self, width: int, height: int) -> tuple[DetectedFace, ...]:
        """Convert to whole pixels of the picture before it was padded."""
        return tuple(_within(face, width, height) for face in self.faces)


def _within(face: WorkerFace, width: int, height: int) -> DetectedFace:
    left, top = _clamp(face.box[0], width - 1), _clamp(face.box[1], height - 1)
    return DetectedFace(
        x=left,
        y=top,
        width=max(1, _clamp(face.box[2], width) - left),
        height=max(1, _clamp(face.box[3], height) - top),
        score=round(face.score, 3),
        estimated_age=face.age,
    )


def _clamp(edge: float, last: int) -> int:
    return min(max(round(edge), 0), last)


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


class WorkerDriver:
    """Owns one worker process and replaces it when due; each slot of the host has a driver."""

    def __init__(self, where: ProcessConfig, renewal: Renewal) -> None:
        self._where = where
        self._renewal = renewal
        self._log = LogCapture()
        self._worker: WorkerProcess | None = None
        self._operations = 0
        self._forget = True
        self._weights: dict[str, tuple[int, int]] = {}

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
        if self._worker is not None:
            return
        self._weights = _weight_files(self._where.home)
        try:
            worker = WorkerProcess(self._where, self._log)
        except OSError as error:
            raise StartFailed(error.strerror or type(error).__name__) from error
        try:
            version = worker.hello(HELLO_SECONDS)
        except Exception:
            worker.end()
            raise
        self._worker = worker
        _log.info("FaceFusion %s is loaded", version)

    def look(
        self, options: Sequence[str], target: Path, job: Workspace, deadline: Deadline
    ) -> DetectedFaces:
        """Find the faces of a picture, their ages, and which of them the selector chooses.

        Args:
            options: A command line for the processor `face_debugger`, without paths.
            target: The picture.
            job: Where the operation has its files.
            deadline: When the attempt has to end.

        Raises:
            ContentRejected: The content analyser refuses the picture.
            EngineFailed: FaceFusion reports an error.
            Breakdown: FaceFusion breaks down; a second attempt may help.
        """
        argv = ("headless-run", *options, *job.paths(target, job.output()))
        answer = self._ask(WorkerRequest(do="look", argv=argv), deadline)
        self._check(answer, has_output=True)
        return DetectedFaces(answer.faces)

    def mask(
        self, options: Sequence[str], target: Path, job: Workspace, deadline: Deadline
    ) -> bytes:
        """Make the mask of the selected faces; arguments and errors as for `look`.

        Returns:
            A PNG of the target's size, white where an operation may change it.
        """
        output = job.output()
        argv = ("headless-run", *options, *job.paths(target, job.output()))
        return self._picture(WorkerRequest(do="mask", argv=argv, output=output), output, deadline)

    def run(
        self,
        options: Sequence[str],
        target: Path,
        sources: Sequence[Path],
        job: Workspace,
        deadline: Deadline,
    ) -> bytes:
        """Change a picture, with the faces of the sources; return the changed PNG.

        Errors are those of `look`, and `NoFace` where no source has a face.
        """
        output = job.output()
        argv = ("headless-run", *options, *job.paths(target, output, sources))
        return self._picture(WorkerRequest(do="run", argv=argv), output, deadline)

    def log(self) -> tuple[str, ...]:
        """Return what FaceFusion logged during the operation."""
        return self._log.lines()

    def end(self) -> None:
        """Kill the worker, whatever it is doing; the next operation starts a new one."""
        worker, self._worker = self._worker, None
        self._operations = 0
        if worker is not None:
            worker.end()

    def _picture(self, request: WorkerRequest, output: Path, deadline: Deadline) -> bytes:
        answer = self._ask(request, deadline)
        self._check(answer, has_output=output.exists())
        return output.read_bytes()

    def _ask(self, request: WorkerRequest, deadline: Deadline) -> WorkerAnswer:
        self.start()
        if self._worker is None:  # end() from another thread: the host is stopping
            raise ProcessEnded(None)
        try:
            request = request.model_copy(update={"forget": self._forget})
            self._forget = False
            return self._worker.ask(request, deadline.left())
        except ProcessEnded as error:
            # The kernel or CUDA may kill a process for memory that it could not have.
            raise OutOfMemory if is_out_of_memory(self.log()) else error from error
        except ProcessHung as error:  # name the attempt's whole time, not what was left of it
            raise ProcessHung(deadline.seconds) from error

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
