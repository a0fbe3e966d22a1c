"""What a server lists: model files, and what could not be read."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from reprlib import Repr
from types import MappingProxyType
from typing import Literal, NamedTuple

HashKind = Literal["SHA256", "BLAKE3", "AutoV3", "AutoV2"]
"""Kinds of hashes that identify a file, the surest first (docs/catalog.md)."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that could not be read; the rest was.

    Attributes:
        subject: What it is, as short text: a path, an id, a line's number.
        reason: A sentence.
    """

    subject: str
    reason: str


_NO_HASHES: Mapping[HashKind, str] = MappingProxyType({})
_NO_METADATA: Mapping[str, str] = MappingProxyType({})


class ModelEntry(NamedTuple):
    """A model file as one server lists it; a tuple, since servers list 100,000 and more.

    Attributes:
        folder: ComfyUI's folder, such as `loras`.
        path: Relative to the folder, normalised (`storycanvas.catalog.names.normal_path`).
        raw_name: As the server spells it; prompts need that.
        size: Bytes; None if unknown.
        modified: Seconds since 1970; None if unknown.
        hashes: Normalised (`storycanvas.catalog.hashes.normal_hash`), by kind.
        metadata: The file's own `__metadata__`, all text.
    """

    folder: str
    path: str
    raw_name: str
    size: int | None = None
    modified: float | None = None
    hashes: Mapping[HashKind, str] = _NO_HASHES
    metadata: Mapping[str, str] = _NO_METADATA

    @property
    def file_name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Listing:
    """All models of one server, as far as they could be read.

    Attributes:
        entries: Sorted by folder and path, without repetition.
        complete: Whether nothing is missing of what the server's way of listing covers.
        folders: The only folders that are listed whole, so that a model that is not listed there is
            gone; None for all of a complete listing.
        problems: What could not be read.
    """

    entries: tuple[ModelEntry, ...]
    complete: bool
    problems: tuple[Problem, ...] = ()
    folders: frozenset[str] | None = None


ServerStatus = Literal["online", "offline", "error"]


@dataclass(frozen=True, slots=True)
class ServerReading:
    """What was read from one server.

    Attributes:
        status: `offline` without an answer, `error` with a useless one.
        seconds: How long its status took; None while offline.
        capabilities: Its own description, without values that MongoDB cannot hold.
        listing: Its models; None where unknown: offline, or a RunPod endpoint, which lists none.
        error: Why it is not online, or why its models are unknown, as a sentence; None otherwise.
    """

    status: ServerStatus
    seconds: float | None = None
    capabilities: Mapping[str, object] | None = None
    listing: Listing | None = None
    error: str | None = None


def listing_digest(name: str, address: str, entries: Iterable[ModelEntry]) -> str:
    """Make a digest of 64 hexadecimal digits of entries in their order, and of their server.

    Each model's document holds the server's name and address, so they are part of the digest.
    """
    lines = [f"{name}\0{address}"]
    lines += [
        f"{entry.folder}\0{entry.raw_name}\0{entry.size}\0{entry.modified}"
        + (_more(entry) if entry.hashes or entry.metadata else "")
        for entry in entries
    ]
    return hashlib.sha256("\n".join(lines).encode(errors="surrogatepass")).hexdigest()


def _more(entry: ModelEntry) -> str:
    return f"\0{[*entry.hashes.items()]!r}\0{[*entry.metadata.items()]!r}"


MAX_PROBLEMS = 1000
"""Problems that are kept; the rest is counted."""

_MAX_LENGTH = 80


def shown(value: object) -> str:
    """Write anything on at most 80 characters."""
    short = Repr()
    short.maxstring = short.maxother = short.maxlong = _MAX_LENGTH
    short.maxlist = short.maxdict = short.maxlevel = 3
    return short.repr(value)[:_MAX_LENGTH]


class Problems:
    """Collects problems in the order in which they are met."""

    def __init__(self) -> None:
        self._kept: list[Problem] = []
        self._more = 0

    def add(self, subject: str, reason: str) -> None:
        """Add what could not be read, and why."""
        if len(self._kept) < MAX_PROBLEMS:
            self._kept.append(Problem(subject, reason))
        else:
            self._more += 1

    def all(self) -> tuple[Problem, ...]:
        """List them; the last one counts those beyond `MAX_PROBLEMS`."""
        if not self._more:
            return tuple(self._kept)
        rest = Problem("further problems", f"{self._more} more could not be read.")
        return (*self._kept, rest)
