"""What can go wrong with a local service, one class for each thing that happens."""

from pathlib import Path
from typing import ClassVar


class ServiceError(Exception):
    """Base of everything that goes wrong with local services."""

    retryable: ClassVar[bool] = False


class MongodMissing(ServiceError):
    """There is no `mongod` program on this machine."""


class SharedLibraryMissing(ServiceError):
    """A program needs a library of the system that is not installed."""


class ProcessorTooOld(ServiceError):
    """A program uses instructions that this processor does not have."""


class ProgramNotStarted(ServiceError):
    """The system refused to start a program."""


class ServiceDied(ServiceError):
    """A service ended before it was ready.

    Attributes:
        exit_code: What the program returned; negative is the signal that ended it.
        last_lines: The end of its log.
        log: Where the whole of it lies.
    """

    def __init__(self, name: str, exit_code: int | None, last_lines: str, log: Path) -> None:
        self.exit_code = exit_code
        self.last_lines = last_lines
        self.log = log
        output = f" Last output: {last_lines}" if last_lines else " It printed nothing."
        super().__init__(f"{name} ended with code {exit_code} while starting.{output} Log: {log}")


class ServiceNotReady(ServiceError):
    """A service runs, but does not answer in the time it was given."""


class PostgresUnusable(ServiceError):
    """PostgreSQL is not installed on this machine, or lacks what it is needed for."""


class ReplicaSetRefused(ServiceError):
    """A MongoDB server does not become the one member of its replica set."""


class ServiceInUse(ServiceError):
    """A service runs with other settings than the ones asked for, and others use it."""


class RecordUnreadable(ServiceError):
    """The note on where a service runs is damaged."""
