"""The note beside a service's files: where it runs."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from storycanvas.services.errors import RecordUnreadable
from storycanvas.services.process import Identity

_NOTE = "running.json"
_LAST_PORT = "last_port"


@dataclass(frozen=True)
class Record:
    """Where a service runs.

    Attributes:
        pid: Number of its process.
        create_time: When that process was created.
        port: Where it listens on loopback.
        url: What a client connects to.
        kept: Whether it runs on without users.
    """

    pid: int
    create_time: float
    port: int
    url: str
    kept: bool = False

    @property
    def identity(self) -> Identity:
        """The process."""
        return Identity(self.pid, self.create_time)


def read_record(directory: Path) -> Record | None:
    """Read where a service runs, or ran.

    Returns:
        The note; None when there is none.

    Raises:
        RecordUnreadable: The note is damaged.
    """
    note = directory / _NOTE
    try:
        return Record(**json.loads(note.read_text()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise RecordUnreadable(
            f"{note} is damaged ({error}). End the service if it runs, then delete this file."
        ) from error


def write_record(directory: Path, record: Record) -> None:
    """Note where a service runs, in one step."""
    unfinished = directory / f"{_NOTE}.{os.getpid()}"
    unfinished.write_text(json.dumps(asdict(record)))
    unfinished.replace(directory / _NOTE)
    (directory / _LAST_PORT).write_text(str(record.port))


def erase_record(directory: Path) -> None:
    """Note that the service runs no more; its port is still remembered."""
    (directory / _NOTE).unlink(missing_ok=True)


def last_port(directory: Path) -> int | None:
    """Read which port the service had when it ran last.

    Returns:
        The port; None when it never ran.
    """
    try:
        return int((directory / _LAST_PORT).read_text())
    except (FileNotFoundError, ValueError):
        return None
