"""What can go wrong with FaceFusion, and what a second attempt in a new process may repair."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from storycanvas.faces.errors import (
    ContentRejected,
    EngineFailed,
    FaceError,
    HostNotReady,
    NoFace,
    OperationTimedOut,
)

_SHOWN_LINES = 6
_MAX_LINE_LENGTH = 240
_SHOWN_ANSWER = 80


class Breakdown(Exception):
    """FaceFusion did not end an operation in an orderly way."""

    def as_error(self, log: Sequence[str]) -> FaceError:
        """Convert to an error of the contract, once it has happened twice.

        Args:
            log: FaceFusion's log, oldest line first; the error quotes its last lines.
        """
        return EngineFailed(f"{self}, twice. {last_lines(log)}")


class WorkerUnfit(Breakdown):
    """The installed FaceFusion lacks something that the worker calls."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"This FaceFusion does not fit the host's worker: {reason}. Check out an unmodified "
            "release of 3.5 to 3.8, install its requirements, and restart the host."
        )

    def as_error(self, log: Sequence[str]) -> FaceError:
        """Convert to `HostNotReady`: no operation can succeed before the operator acts."""
        del log
        return HostNotReady(str(self))


class GpuUnused(Breakdown):
    """The operator wants the GPU, and a session has the CPU alone."""

    def __init__(self, asked: Sequence[str], trouble: str) -> None:
        reason = f" ({trouble})" if trouble else ""
        super().__init__(
            f"--require-gpu is set, and onnxruntime uses the CPU where {' '.join(asked) or 'a GPU'}"
            f" is asked for{reason}. Run `storycanvas-host doctor`, which names the remedy."
        )

    def as_error(self, log: Sequence[str]) -> FaceError:
        """Convert to `HostNotReady`: the GPU may come back without a change of the request."""
        del log
        return HostNotReady(str(self))


class ProviderMissing(Breakdown):
    """The operator's ini file asks for a provider that onnxruntime was not built with."""

    def __init__(self, missing: Sequence[str], offered: Sequence[str]) -> None:
        super().__init__(
            f"facefusion.ini asks for {' '.join(missing)}, and the onnxruntime of FaceFusion's "
            f"Python offers {' '.join(offered) or 'nothing'}. Install the onnxruntime of this GPU, "
            "or correct execution_providers."
        )

    def as_error(self, log: Sequence[str]) -> FaceError:
        """Convert to `HostNotReady`: no operation can succeed before the operator acts."""
        del log
        return HostNotReady(str(self))


class StartFailed(Breakdown):
    """The operating system cannot start FaceFusion's Python."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"FaceFusion's Python cannot be started ({reason})")


class ProcessEnded(Breakdown):
    """The process ended while at work: a crash, a kill, weights that do not load."""

    def __init__(self, exit_code: int | None) -> None:
        super().__init__(f"FaceFusion's process ended by itself with code {exit_code}")
        self.exit_code = exit_code


class AnswerUnreadable(Breakdown):
    """The process wrote a line that is not a message of the worker."""

    def __init__(self, answer: str) -> None:
        super().__init__(f"FaceFusion's process answered {answer[:_SHOWN_ANSWER]!r}")


class ProcessHung(Breakdown):
    """The process did not answer within its time."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"FaceFusion did not end within {seconds:g} s")

    def as_error(self, log: Sequence[str]) -> FaceError:
        """Convert to `OperationTimedOut`."""
        return OperationTimedOut(f"{self}, twice. {last_lines(log)}")


class OutOfMemory(Breakdown):
    """The GPU or the machine has too little memory for the operation."""

    def __init__(self, what: str = "FaceFusion ran out of memory") -> None:
        super().__init__(what)

    def as_error(self, log: Sequence[str]) -> FaceError:
        """Convert to `EngineFailed`; the second attempt used low-memory options."""
        return EngineFailed(
            f"{self}, also with less. Send a smaller picture, or give the host fewer slots. "
            f"{last_lines(log)}"
        )


class KilledForMemory(OutOfMemory):
    """The kernel ended the process, since the machine or its control group had no memory left."""

    def __init__(self) -> None:
        super().__init__("The kernel killed FaceFusion's process for lack of memory")


def last_lines(log: Sequence[str]) -> str:
    """Quote the end of a log in an error message."""
    shown = " | ".join(line[:_MAX_LINE_LENGTH] for line in log[-_SHOWN_LINES:])
    return f"Last lines of its log: {shown}" if shown else "Its log is empty."


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
        exit_code: 0 also where no face was found (docs/facefusion.md).
        rejected: Whether the content analyser refused the target.
        log: FaceFusion's log, oldest line first.
        has_output: Whether there is an output file.
    """

    exit_code: int
    rejected: bool
    log: Sequence[str]
    has_output: bool


def trouble(ended: Ended) -> FaceError | Breakdown | None:
    """Classify how a run ended.

    Returns:
        None if it gave an output; `ContentRejected`, `NoFace` or `EngineFailed`; `OutOfMemory`
        where an attempt with less memory may help.
    """
    if ended.rejected:
        return ContentRejected(
            "FaceFusion's content analyser refuses the picture; the same picture is refused again."
        )
    if ended.exit_code == 0 and ended.has_output:
        return None
    if is_out_of_memory(ended.log):
        return OutOfMemory()
    if any("no source face" in line for line in ended.log):
        return NoFace("No face was found in source_face_path; send one seen from the front.")
    return _engine_failed(ended)


def is_out_of_memory(log: Sequence[str]) -> bool:
    """Return whether a log reports memory that could not be had."""
    return any(_OUT_OF_MEMORY.search(line) for line in log)


def _engine_failed(ended: Ended) -> EngineFailed:
    missing = sorted({found[1] for line in ended.log for found in _WEIGHTS.finditer(line)})
    if missing:
        return EngineFailed(
            f"FaceFusion has no usable weights for {', '.join(missing)}; run its force-download on "
            "the host, or allow the host to download."
        )
    what = "gave no picture" if ended.exit_code == 0 else f"failed with exit code {ended.exit_code}"
    return EngineFailed(f"FaceFusion {what}. {last_lines(ended.log)}")
