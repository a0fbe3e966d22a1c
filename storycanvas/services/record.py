"""Notes beside a service's files: where it runs, and what blocks were registered with."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar
from urllib.parse import urlsplit

from storycanvas.net.atomic_files import write_atomically
from storycanvas.services.errors import RecordUnreadable
from storycanvas.services.ports import LOOPBACK
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


def digest(value: str) -> str:
    """Digest a value that may hold a password."""
    return hashlib.sha256(value.encode()).hexdigest()


@dataclass(frozen=True)
class Registered:
    """What the blocks named default were registered with.

    Attributes:
        digests: SHA-256 of the value by environment variable: a value may hold a password.
        addresses: `host:port` of each service that the stack started itself, by the variable that
            names the service.
    """

    digests: dict[str, str]
    addresses: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, environment: Mapping[str, str], addresses: Mapping[str, str]) -> Self:
        """Digest an environment."""
        return cls({name: digest(value) for name, value in environment.items()}, dict(addresses))

    def moved(self, environment: Mapping[str, str]) -> list[str]:
        """List the variables that have another value in an environment than was registered."""
        return [
            name
            for name, value in environment.items()
            if self.digests.get(name, digest(value)) != digest(value)
        ]

    def follow(self, variable: str, stored: str, now: str) -> str | None:
        """Decide what a block's field becomes whose variable has another value now.

        What the operator wrote around the address of a service of this machine stays.

        Args:
            variable: The variable that named the field's value.
            stored: What the field holds.
            now: What the variable names now.

        Returns:
            The field's new value; None if it holds something of the operator's own.
        """
        if digest(stored) == self.digests.get(variable):
            return now
        before = self.addresses.get(variable)
        if before is None or before != netloc(stored):
            return None
        return stored.replace(before, netloc(now), 1) if is_local(now) else now


def netloc(url: str) -> str:
    """Give `host:port` of an address, without the user that it may name."""
    return urlsplit(url).netloc.rpartition("@")[2]


def is_local(url: str) -> bool:
    """Check whether an address is one that the stack gives to its own services."""
    return netloc(url).partition(":")[0] == LOOPBACK
