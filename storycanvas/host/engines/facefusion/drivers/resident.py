"""FaceFusion in a process that stays, so that start-up and loaded models are paid once."""

import logging
import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from storycanvas.host.engines.facefusion.drivers.driver import Deadline, DetectedFaces, SeenFace
from storycanvas.host.engines.facefusion.process.child import Child, ProcessConfig
from storycanvas.host.engines.facefusion.process.errors import (
    AnswerUnreadable,
    Breakdown,
    Ended,
    OutOfMemory,
    ProcessEnded,
    ProcessHung,
    is_out_of_memory,
    rejected,
    trouble,
)
from storycanvas.host.engines.facefusion.process.log import Said
from storycanvas.host.engines.facefusion.process.workspace import Workspace

WORKER = Path(__file__).with_name("worker.py")
_ENDING_SECONDS = 5.0

Model = TypeVar("Model", bound=BaseModel)


class ResidentUnfit(Breakdown):
    """The installed FaceFusion cannot be used by the resident worker."""


class WorkerRequest(BaseModel):
    """What the worker is asked for.

    Attributes:
        do: Find faces, make their mask, or run a command line.
        argv: The command line, from `headless-run` on.
        forget: Whether an operation begins, so that faces and pictures of older ones are dropped.
        output: Where `mask` writes its picture.
    """

    model_config = ConfigDict(frozen=True)

    do: Literal["look", "mask", "run"]
    argv: tuple[str, ...]
    forget: bool = False
    output: Path | None = None


class WorkerHello(BaseModel):
    """The first thing the worker says.

    Attributes:
        version: FaceFusion's.
        unfit: What keeps the worker from using this FaceFusion.
    """

    model_config = ConfigDict(frozen=True)

    version: str | None = None
    unfit: str | None = None


class WorkerFace(BaseModel):
    """A face as FaceFusion sees it.

    Attributes:
        box: Left, top, right and bottom edge in pixels of the picture looked at.
        score: The detector's certainty.
        age: The mean of the estimated age class, in years.
        selected: Whether the selector's settings choose it.
    """

    model_config = ConfigDict(frozen=True)

    box: tuple[float, float, float, float]
    score: float
    age: float
    selected: bool


class WorkerAnswer(BaseModel):
    """What the worker answers to a request.

    Attributes:
        exit: As of `headless-run`.
        rejected: Whether the content analyser refused the picture.
        faces: In selector order.
        failed: What kept FaceFusion from ending in its own way.
    """

    model_config = ConfigDict(frozen=True)

    exit: int
    rejected: bool = False
    faces: tuple[WorkerFace, ...] = ()
    failed: str | None = None


class Resident:
    """A running worker; asked by one thread at a time.

    Args:
        where: How FaceFusion's processes run.
        said: Takes what it says.
    """

    def __init__(self, where: ProcessConfig, said: Said) -> None:
        self._child = Child([str(WORKER)], where)
        self._said = said
        self._answers: queue.Queue[str | None] = queue.Queue()
        self._saying = said.follow(self._child.said)
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    @property
    def memory_bytes(self) -> int:
        """Its resident memory."""
        return self._child.memory_bytes()

    @property
    def has_ended(self) -> bool:
        """Whether its process is gone."""
        return self._child.exit_code is not None

    def hello(self, seconds: float) -> str | None:
        """Wait until it has found FaceFusion.

        Returns:
            FaceFusion's version.

        Raises:
            ResidentUnfit: This FaceFusion is not made as the worker expects.
            ProcessEnded: It ended.
            AnswerUnreadable: It greets with something else.
            ProcessHung: It took longer than so many seconds.
        """
        hello = _read_as(WorkerHello, self._next(seconds))
        if hello.unfit is not None:
            raise ResidentUnfit(hello.unfit)
        return hello.version

    def ask(self, request: WorkerRequest, seconds: float) -> WorkerAnswer:
        """Have one thing done.

        Args:
            request: What to do.
            seconds: Longest wait.

        Raises:
            ProcessEnded: It ended instead of answering.
            AnswerUnreadable: It answered something else.
            ProcessHung: It did not answer in time.
        """
        try:
            self._child.requests.write(request.model_dump_json() + "\n")
            self._child.requests.flush()
        except OSError as error:
            raise self._ended() from error
        return _read_as(WorkerAnswer, self._next(seconds))

    def end(self) -> None:
        """End it now, whatever it is doing."""
        self._child.end()
        self._saying.join(_ENDING_SECONDS)
        self._reading.join(_ENDING_SECONDS)
        self._child.forget()

    def _next(self, seconds: float) -> str:
        try:
            answer = self._answers.get(timeout=seconds)
        except queue.Empty:
            raise ProcessHung(seconds) from None
        if answer is None:
            raise self._ended()
        self._said.catch_up()
        return answer

    def _ended(self) -> ProcessEnded:
        """Tell its end, once all of its last words are there."""
        code = self._child.wait(_ENDING_SECONDS)
        self._saying.join(_ENDING_SECONDS)
        return ProcessEnded(code)

    def _read(self) -> None:
        for line in self._child.answers:
            self._answers.put(line)
        self._answers.put(None)


def _read_as(model: type[Model], line: str) -> Model:
    try:
        return model.model_validate_json(line)
    except ValidationError as error:
        raise AnswerUnreadable(line) from error


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

    def __init__(self, where: ProcessConfig, renewal: Renewal) -> None:
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
    ) -> DetectedFaces:
        """Find the faces of a picture, always with FaceFusion's own estimate of their age."""
        del ages
        argv = ("headless-run", *options, *job.paths(target, job.output()))
        answer = self._ask(WorkerRequest(do="look", argv=argv), deadline)
        self._check(answer, has_output=True)
        return DetectedFaces(tuple(_seen(face) for face in answer.faces))

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
