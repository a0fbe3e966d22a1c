"""Notes beside a service's files, such as where it runs."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from storycanvas.net.atomic_files import write_atomically
from storycanvas.services.errors import RecordUnreadable
from storycanvas.services.process import Identity

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Note = TypeVar("Note", bound="DataclassInstance")

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


def read_note(file: Path, kind: type[Note]) -> Note | None:
    """Read what `write_note` wrote; None when there is no such file.

    Raises:
        RecordUnreadable: The note is damaged.
    """
    try:
        return kind(**json.loads(file.read_text()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise RecordUnreadable(
            f"{file} is damaged ({error}). End the service if it runs, then delete this file."
        ) from error


def write_note(file: Path, note: "DataclassInstance") -> None:
    """Write a note in one step; its fields are what JSON can hold."""
    write_atomically(file, json.dumps(asdict(note), indent=2).encode())


def read_record(directory: Path) -> Record | None:
    """Read where a service runs, or ran; None when there is no note."""
    return read_note(directory / _NOTE, Record)


def write_record(directory: Path, record: Record) -> None:
    """Note where a service runs, in one step."""
    write_note(directory / _NOTE, record)
    write_atomically(directory / _LAST_PORT, str(record.port).encode())


def erase_record(directory: Path) -> None:
    """Note that the service runs no more; its port is still remembered."""
    (directory / _NOTE).unlink(missing_ok=True)


def last_port(directory: Path) -> int | None:
    """Read which port the service had when it ran last; None when it never ran."""
    try:
        return int((directory / _LAST_PORT).read_text())
    except (FileNotFoundError, ValueError):
        return None
