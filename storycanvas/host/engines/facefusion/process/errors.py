"""What can happen to FaceFusion that a second try, with a fresh process, may mend."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from storycanvas.faces.errors import (
    ContentRejected,
    EngineFailed,
    FaceError,
    NoFace,
    OperationTimedOut,
)

_SHOWN_LINES = 6
_MAX_LINE_LENGTH = 240
_SHOWN_ANSWER = 80


class Breakdown(Exception):
    """FaceFusion did not end an operation in an orderly way."""

    def as_error(self, log: Sequence[str]) -> FaceError:
        """Say it to the caller, once it has happened twice.

        Args:
            log: What FaceFusion said, oldest line first.

        Returns:
            An error of the contract with the last lines of the log.
        """
        return EngineFailed(f"{self}, twice. {last_lines(log)}")


class ProcessEnded(Breakdown):
    """The process ended while it was at work: a crash, a kill, weights that do not load."""

    def __init__(self, exit_code: int | None) -> None:
        super().__init__(f"FaceFusion's process ended by itself with code {exit_code}")


class AnswerUnreadable(Breakdown):
    """The process answered something that is no answer."""

    def __init__(self, answer: str) -> None:
        super().__init__(f"FaceFusion's process answered {answer[:_SHOWN_ANSWER]!r}")


class ProcessHung(Breakdown):
    """The process did not answer within its time."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"FaceFusion did not end within {seconds:g} s")

    def as_error(self, log: Sequence[str]) -> FaceError:
        """Say it to the caller, once it has happened twice."""
        return OperationTimedOut(f"{self}, twice. {last_lines(log)}")


class OutOfMemory(Breakdown):
    """The GPU or the machine has too little memory for the operation."""

    def __init__(self) -> None:
        super().__init__("FaceFusion ran out of memory")

    def as_error(self, log: Sequence[str]) -> FaceError:
        """Say it to the caller, once it has happened with less as well."""
        return EngineFailed(
            f"{self}, also with less. Send a smaller picture, or give the host fewer slots. "
            f"{last_lines(log)}"
        )


def last_lines(log: Sequence[str]) -> str:
    """Quote the end of a log in an error message."""
    shown = " | ".join(line[:_MAX_LINE_LENGTH] for line in log[-_SHOWN_LINES:])
    return f"Last lines of its log: {shown}" if shown else "It said nothing."


_STEP_LINE = re.compile(r"\[FACEFUSION\.CORE\] processing step \d+ of \d+")
_WEIGHTS = re.compile(r"(?:validating (?:hash|source) for|loading model) (\S+) failed")
_OUT_OF_MEMORY = re.compile(
    r"out of memory|failed to allocate memory|std::bad_alloc|MemoryError|OUTOFMEMORY|"
    r"not enough memory|ALLOC_FAILED",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Ended:
    """How a run of FaceFusion ended.

    Attributes:
        exit_code: 0 also where no face was found; see the contract.
        rejected: Whether the content analyser refused the target; None where nobody could ask it.
        log: What FaceFusion said, oldest line first.
        has_output: Whether there is an output file.
    """

    exit_code: int
    rejected: bool | None
    log: Sequence[str]
    has_output: bool


def trouble(ended: Ended) -> FaceError | Breakdown | None:
    """Say what went wrong with a run.

    Returns:
        None if it gave an output; `ContentRejected`, `NoFace` or `EngineFailed`; `OutOfMemory`
        where a try with less may help.
    """
    if ended.exit_code == 0 and ended.has_output:
        return None
    if _is_rejected(ended):
        return rejected()
    if is_out_of_memory(ended.log):
        return OutOfMemory()
    if _says(ended.log, "no source face"):
        return NoFace("No face was found in source_face_path; send one seen from the front.")
    return _engine_failed(ended)


def rejected() -> ContentRejected:
    """Describe the refusal of a picture."""
    return ContentRejected(
        "FaceFusion's content analyser refuses the picture; the same picture is refused again."
    )


def is_out_of_memory(log: Sequence[str]) -> bool:
    """Tell whether a log speaks of memory that could not be had."""
    return any(_OUT_OF_MEMORY.search(line) for line in log)


def _is_rejected(ended: Ended) -> bool:
    """Tell a refusal; without an answer of the analyser, silence after the step's line means it."""
    if ended.rejected is not None:
        return ended.rejected
    only_step = bool(ended.log) and all(_STEP_LINE.fullmatch(line) for line in ended.log)
    return ended.exit_code == 1 and only_step


def _engine_failed(ended: Ended) -> EngineFailed:
    missing = sorted({found[1] for line in ended.log for found in _WEIGHTS.finditer(line)})
    if missing:
        return EngineFailed(
            f"FaceFusion has no usable weights for {', '.join(missing)}; run its force-download on "
            "the host, or allow the host to download."
        )
    what = "gave no picture" if ended.exit_code == 0 else f"failed with exit code {ended.exit_code}"
    return EngineFailed(f"FaceFusion {what}. {last_lines(ended.log)}")


def _says(log: Sequence[str], words: str) -> bool:
    return any(words in line for line in log)
