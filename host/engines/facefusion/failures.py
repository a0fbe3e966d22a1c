"""What can happen to FaceFusion that a second try, with a fresh process, may mend."""

from collections.abc import Sequence

from faces.errors import EngineFailed, FaceError, OperationTimedOut

_SHOWN_LINES = 6
_LONGEST_LINE = 240
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
    shown = " | ".join(line[:_LONGEST_LINE] for line in log[-_SHOWN_LINES:])
    return f"Last lines of its log: {shown}" if shown else "It said nothing."
