"""One FaceFusion process that stays: the host's end of `worker.py`."""

import queue
import threading
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from host.engines.facefusion.child import Child, Surroundings
from host.engines.facefusion.failures import (
    AnswerUnreadable,
    Breakdown,
    ProcessEnded,
    ProcessHung,
)
from host.engines.facefusion.said import Said

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

    def __init__(self, where: Surroundings, said: Said) -> None:
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
