"""What a local service defines so that it can be started, shared and ended."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from storycanvas.services.errors import ServiceDied, ServiceError
from storycanvas.services.process import Program
from storycanvas.services.record import Record

LAST_LINES = 3


def log_of(directory: Path) -> Path:
    """Give the path of the log of a service's latest start."""
    return directory / f"{directory.name}.log"


def last_lines(log: Path) -> str:
    """Read the last lines of a log with anything on them, as one line."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines()]
    return " | ".join([line for line in lines if line][-LAST_LINES:])


class LocalService(ABC):
    """A program that listens on a loopback port and keeps its files in one directory.

    Attributes:
        name: Name of its directory, and what messages call it.
        preferred_port: The port it takes when that is free.
        listens: Whether it listens on a port at all.
    """

    name: ClassVar[str]
    preferred_port: int | None = None
    listens: ClassVar[bool] = True

    @abstractmethod
    def program(self, directory: Path, port: int) -> Program:
        """Build the program to start."""

    @abstractmethod
    def url(self, port: int) -> str:
        """Build the address for clients of a service that listens on a port."""

    @abstractmethod
    def becomes_ready(self, record: Record) -> bool:
        """Make one try to have the service ready for its clients; False when it needs more time."""

    def explain(self, died: ServiceDied) -> ServiceError:
        """Turn an early end into an error with its remedy, where that is known."""
        return died
