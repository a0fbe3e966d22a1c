"""Hashes of local files as a scan or sidecar files give them: a JSON list."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from catalog.entries import Listing, Problem
from catalog.errors import AnswerUnreadable
from catalog.hashes import normal_hash
from catalog.json_text import read_json
from catalog.names import normal_path

MOST_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class HashList:
    """SHA-256 sums of files.

    Attributes:
        sha256s: In upper case, by folder and normalised path.
        problems: Rows that could not be read.
    """

    sha256s: Mapping[tuple[str, str], str]
    problems: tuple[Problem, ...] = ()


def read_hash_list(path: Path) -> HashList:
    """Read a file `[{"folder": "loras", "name": "a/b.safetensors", "sha256": "…"}, …]`.

    A null instead of a hash says that it is not known; such a row is passed over. Of a file with
    two hashes none is taken: a wrong one would link it to another model.

    Args:
        path: The file, of 256 MiB at most.

    Raises:
        AnswerUnreadable: It is too large, no JSON list, or a pipe or folder.
        OSError: It cannot be opened.
    """
    size = path.stat().st_size
    if not path.is_file():
        raise AnswerUnreadable(f"{path.name!r} is no file.")
    if size > MOST_BYTES:
        raise AnswerUnreadable(f"{path.name!r} is larger than {MOST_BYTES:,} bytes.")
    try:
        rows = read_json(path.read_bytes())
    except ValueError as error:
        raise AnswerUnreadable(f"{path.name!r} is no JSON: {error}") from error
    if not isinstance(rows, list):
        raise AnswerUnreadable(f"{path.name!r} holds no list of hashes.")
    known: dict[tuple[str, str], str | None] = {}
    problems = []
    for number, row in enumerate(rows):
        reason = _read(row, known)
        if reason:
            problems.append(Problem(f"row {number}", reason))
    sure = {place: sha256 for place, sha256 in known.items() if sha256}
    return HashList(sure, tuple(problems))


def with_hashes(listing: Listing, known: Mapping[tuple[str, str], str]) -> Listing:
    """Add SHA-256 sums to the entries of a listing that has none of its own.

    Args:
        listing: What a server told.
        known: By folder and normalised path.
    """
    if not known:
        return listing
    entries = [
        entry._replace(hashes={"SHA256": known[entry.folder, entry.path], **entry.hashes})
        if (entry.folder, entry.path) in known
        else entry
        for entry in listing.entries
    ]
    return replace(listing, entries=tuple(entries))


def _read(row: object, known: dict[tuple[str, str], str | None]) -> str | None:
    """Take a row in, or say why not; None stands for hashes that differ."""
    if not isinstance(row, Mapping):
        return "It is no object."
    folder, name, told = row.get("folder"), row.get("name"), row.get("sha256")
    if told is None:
        return None
    path = normal_path(name) if isinstance(name, str) else None
    if not isinstance(folder, str) or path is None:
        return "It has no folder and name that are a path."
    sha256 = normal_hash("SHA256", told)
    if sha256 is None:
        return "Its sha256 is none, or that of an empty file."
    if known.setdefault((folder, path), sha256) == sha256:
        return None
    known[folder, path] = None
    return "Another row has another sha256 for this file; none is taken."
