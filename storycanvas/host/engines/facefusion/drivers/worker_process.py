"""A running `worker.py`: its messages, and a process that answers them."""

import queue
import threading
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from storycanvas.host.engines.facefusion.process.child import Child, ProcessConfig
from storycanvas.host.engines.facefusion.process.errors import (
    AnswerUnreadable,
    ProcessEnded,
    ProcessHung,
    WorkerUnfit,
)
from storycanvas.host.engines.facefusion.process.log import LogCapture
from storycanvas.host.engines.facefusion.process.probing import ProbeAnswer, ProbeConfig

WORKER = Path(__file__).with_name("worker.py")
_ENDING_SECONDS = 5.0

Model = TypeVar("Model", bound=BaseModel)


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True)


FaceEdges = tuple[float, float, float, float]
"""Left, top, right and bottom edge of a face."""


class WorkerRequest(_Message):
    """A request to the worker.

    Attributes:
        do: Find faces, make their mask, run a command line, make a session of one node, load the
            models of a command line, or compare the faces of two pictures.
        argv: The command line, from `headless-run` on.
        forget: Whether an operation begins, so that faces and pictures of older ones are dropped.
        output: Where `mask` writes its picture.
        execution: What `probe` asks onnxruntime for.
        reference: A picture whose first face those of the target are compared with by `look`, and
            whose largest one by `compare`.
        distance: Faces nearer than this to it match, above 0 to 1.
        keep: Boxes of the faces that `mask` and `run` work on, None for what `argv` selects; of
            those that `compare` takes for changed.
        changed: The picture that `compare` compares the target with.
    """

    do: Literal["look", "mask", "run", "probe", "load", "compare"]
    argv: tuple[str, ...] = ()
    forget: bool = False
    output: Path | None = None
    execution: ProbeConfig | None = None
    reference: Path | None = None
    distance: float = 0.3
    keep: tuple[FaceEdges, ...] | None = None
    changed: Path | None = None


class WorkerHello(_Message):
    """The worker's first message.

    Attributes:
        version: FaceFusion's.
        unfit: What keeps the worker from using this FaceFusion.
    """

    version: str | None = None
    unfit: str | None = None


class WorkerFace(_Message):
    """A face as FaceFusion sees it.

    Attributes:
        box: Left, top, right and bottom edge in pixels of the picture given to FaceFusion.
        score: The detector's certainty, 0 to 1.
        age: The mean of the estimated age class, in years.
        points: Left eye, right eye, tip of the nose, left and right corner of the mouth.
        selected: Whether the operation's selector chooses it.
        matches: Whether it is like the reference picture's face.
        reference_distance: How far it is from that face, 0 to 1; None without such a picture.
    """

    box: FaceEdges
    score: float
    age: float
    points: tuple[tuple[float, float], ...]
    selected: bool
    matches: bool = False
    reference_distance: float | None = None


class FaceDistances(_Message):
    """How unlike faces are, 0 to 1, as `face_distances.py` compares them.

    Attributes:
        after: Of the changed face to what it should be like.
        before: The same before the change; None where it should be like itself.
        others: Of the other face that changed most, to itself; None where there is none.
    """

    after: float
    before: float | None = None
    others: float | None = None


class WorkerAnswer(_Message):
    """The worker's answer to a request.

    Attributes:
        exit: The exit code that `headless-run` would have.
        rejected: Whether the content analyser refused the picture.
        faces: In selector order.
        failed: The exception that FaceFusion raised.
        sessions: What the loaded models compute on, by onnxruntime's names.
        execution: The answer to `probe`.
        distances: The answer to `compare`; None where a changed face is not found again.
    """

    exit: int
    rejected: bool = False
    faces: tuple[WorkerFace, ...] = ()
    failed: str | None = None
    sessions: tuple[str, ...] = ()
    execution: ProbeAnswer | None = None
    distances: FaceDistances | None = None


class WorkerProcess:
    """A worker that one thread at a time asks; the log gets what it writes to standard error."""

    def __init__(self, where: ProcessConfig, log: LogCapture) -> None:
        self._child = Child([str(WORKER)], where)
        self._log = log
        self._answers: queue.Queue[str | None] = queue.Queue()
        self._logging = log.follow(self._child.log_stream)
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
        """Wait until the worker has imported FaceFusion; return FaceFusion's version.

        Raises:
            WorkerUnfit: This FaceFusion lacks what the worker calls.
            Breakdown: As for `ask`.
        """
        hello = read_message(WorkerHello, self._next(seconds))
        if hello.unfit is not None:
            raise WorkerUnfit(hello.unfit)
        return hello.version

    def ask(self, request: WorkerRequest, seconds: float) -> WorkerAnswer:
        """Send a request and wait for its answer, at most `seconds`.

        Raises:
            ProcessEnded: The worker ended instead of answering.
            AnswerUnreadable: The worker answered something else.
            ProcessHung: The worker did not answer in time.
        """
        try:
            self._child.requests.write(request.model_dump_json() + "\n")
            self._child.requests.flush()
        except OSError as error:
            raise self._ended() from error
        return read_message(WorkerAnswer, self._next(seconds))

    def end(self) -> None:
        """Kill it, whatever it is doing."""
        self._child.end()
        self._logging.join(_ENDING_SECONDS)
        self._reading.join(_ENDING_SECONDS)
        self._child.forget()

    def _next(self, seconds: float) -> str:
        try:
            answer = self._answers.get(timeout=seconds)
        except queue.Empty:
            raise ProcessHung(seconds) from None
        if answer is None:
            raise self._ended()
        self._log.wait_for_mark()
        return answer

    def _ended(self) -> ProcessEnded:
        """Describe its end, once its last log lines are read."""
        code = self._child.wait(_ENDING_SECONDS)
        self._logging.join(_ENDING_SECONDS)
        return ProcessEnded(code)

    def _read(self) -> None:
        for line in self._child.answers:
            self._answers.put(line)
        self._answers.put(None)


def read_message(model: type[Model], line: str) -> Model:
    """Parse a line of the worker, or raise `AnswerUnreadable`."""
    try:
        return model.model_validate_json(line)
    except ValidationError as error:
        raise AnswerUnreadable(line) from error
