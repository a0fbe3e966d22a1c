"""FaceFusion in a process that stays, so that start-up and loaded models are paid once."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from host.engines.facefusion.child import Surroundings
from host.engines.facefusion.driver import Deadline
from host.engines.facefusion.failures import OutOfMemory, ProcessEnded, ProcessHung
from host.engines.facefusion.outcomes import Ended, is_out_of_memory, rejected, trouble
from host.engines.facefusion.resident import (
    Resident,
    WorkerAnswer,
    WorkerFace,
    WorkerRequest,
)
from host.engines.facefusion.said import Said
from host.engines.facefusion.sight import SeenFace, Sight
from host.engines.facefusion.workspace import Workspace

_log = logging.getLogger(__name__)

HELLO_SECONDS = 120.0
"""Longest start: a cold disk and a GPU driver that wakes up."""


@dataclass(frozen=True)
class Renewal:
    """When a process is replaced by a new one, between two operations.

    Attributes:
        operations: After so many.
        memory_bytes: When it holds more.
    """

    operations: int
    memory_bytes: int


class ResidentDriver:
    """Keeps one worker running and replaces it when that is due.

    Args:
        where: How FaceFusion's processes run.
        renewal: When the worker is replaced.
    """

    mode: ClassVar[str] = "resident"

    def __init__(self, where: Surroundings, renewal: Renewal) -> None:
        self._where = where
        self._renewal = renewal
        self._said = Said()
        self._resident: Resident | None = None
        self._operations = 0
        self._forget = True
        self._weights: dict[str, tuple[int, int]] = {}

    def begin(self) -> None:
        """Begin an operation's log; replace a worker that is due."""
        due = self._due()
        if due:
            _log.info("FaceFusion's process is replaced: %s", due)
            self.end()
        self._said.begin()
        self._operations += 1
        self._forget = True

    def start(self) -> None:
        """Start the worker if there is none.

        Raises:
            ResidentUnfit: The installed FaceFusion does not fit.
            Breakdown: It does not start.
        """
        if self._resident is not None:
            return
        self._weights = _files(self._where.home)
        resident = Resident(self._where, self._said)
        try:
            version = resident.hello(HELLO_SECONDS)
        except Exception:
            resident.end()
            raise
        self._resident = resident
        _log.info("FaceFusion %s is loaded and stays", version)

    def look(
        self,
        options: Sequence[str],
        target: Path,
        job: Workspace,
        deadline: Deadline,
        *,
        ages: bool,
    ) -> Sight:
        """Find the faces of a picture, always with FaceFusion's own estimate of their age."""
        del ages
        argv = ("headless-run", *options, *job.paths(target, job.output()))
        answer = self._ask(WorkerRequest(do="look", argv=argv), deadline)
        self._check(answer, has_output=True)
        return Sight(tuple(_seen(face) for face in answer.faces))

    def mask(
        self, options: Sequence[str], target: Path, job: Workspace, deadline: Deadline
    ) -> bytes:
        """Make the mask of the selected faces, as FaceFusion's face debugger would outline it."""
        output = job.output()
        argv = ("headless-run", *options, *job.paths(target, job.output()))
        answer = self._ask(WorkerRequest(do="mask", argv=argv, output=output), deadline)
        self._check(answer, has_output=output.exists())
        return output.read_bytes()

    def run(
        self,
        options: Sequence[str],
        target: Path,
        sources: Sequence[Path],
        job: Workspace,
        deadline: Deadline,
    ) -> bytes:
        """Have a picture changed."""
        output = job.output()
        argv = ("headless-run", *options, *job.paths(target, output, sources))
        answer = self._ask(WorkerRequest(do="run", argv=argv), deadline)
        self._check(answer, has_output=output.exists())
        return output.read_bytes()

    def log(self) -> tuple[str, ...]:
        """Give what FaceFusion said during the operation."""
        return self._said.lines()

    def end(self) -> None:
        """End the worker, whatever it is doing."""
        resident, self._resident = self._resident, None
        self._operations = 0
        if resident is not None:
            resident.end()

    def _ask(self, request: WorkerRequest, deadline: Deadline) -> WorkerAnswer:
        self.start()
        if self._resident is None:  # start() gives one or raises
            raise ProcessEnded(None)
        try:
            request = request.model_copy(update={"forget": self._forget})
            self._forget = False
            return self._resident.ask(request, deadline.left())
        except ProcessEnded as error:
            # What kills it may be the memory that it could not have.
            raise OutOfMemory if is_out_of_memory(self.log()) else error from error
        except ProcessHung as error:  # which knows what was left of the try's time only
            raise ProcessHung(deadline.seconds) from error

    def _check(self, answer: WorkerAnswer, *, has_output: bool) -> None:
        if answer.rejected:
            raise rejected()
        log = [*self.log(), *([answer.failed] if answer.failed else [])]
        problem = trouble(Ended(answer.exit, answer.rejected, log, has_output))
        if problem is not None:
            raise problem

    def _due(self) -> str | None:
        if self._resident is None:
            return None
        if self._resident.has_ended:
            return "it ended while it had nothing to do"
        if self._operations >= self._renewal.operations:
            return f"it has done {self._operations} operations"
        memory = self._resident.memory_bytes
        if memory > self._renewal.memory_bytes:
            return f"it holds {memory / 2**30:.1f} GiB"
        files = _files(self._where.home)
        if any(files.get(name) != seen for name, seen in self._weights.items()):
            return "weights have changed"  # it would go on with the old ones
        self._weights = files  # those that came later are watched, too
        return None


def _files(home: Path) -> dict[str, tuple[int, int]]:
    """Note size and time of all weights."""
    folder = home / ".assets" / "models"
    stats = ((path.name, path.stat()) for path in folder.glob("*.onnx"))
    return {name: (status.st_size, status.st_mtime_ns) for name, status in stats}


def _seen(face: WorkerFace) -> SeenFace:
    left, top, right, bottom = face.box
    return SeenFace(
        left, top, right, bottom, score=face.score, age=face.age, selected=face.selected
    )
