"""Hashes of model files in one spelling (docs/catalog.md)."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from storycanvas.catalog.entries import HashKind, Listing, Problem
from storycanvas.catalog.errors import AnswerUnreadable
from storycanvas.catalog.names import normal_path
from storycanvas.catalog.storable import read_json

LENGTHS: dict[HashKind, int] = {"SHA256": 64, "BLAKE3": 64, "AutoV3": 12, "AutoV2": 10}
"""Hexadecimal digits of each kind, the surest kind first."""

_OF_NOTHING = (
    "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",  # SHA-256
    "AF1349B9F5F9A1A6A0404DEA36DCC9499BCB25C9ADC112B7CC9A93CAE41F3262",  # BLAKE3
)
"""Hashes of empty input, which some trainers write."""

_HEX = re.compile(r"[0-9A-F]+")


def normal_hash(kind: HashKind, value: object) -> str | None:
    """Convert a hash to upper case without `0x`, `blake3:` and the like.

    Returns:
        As many hexadecimal digits as the kind has; None if the value is not such a hash, or the
        hash of empty input.
    """
    if not isinstance(value, str):
        return None
    digits = value.strip().rpartition(":")[2].upper().removeprefix("0X")
    if len(digits) != LENGTHS[kind] or not _HEX.fullmatch(digits):
        return None
    if any(nothing.startswith(digits) for nothing in _OF_NOTHING) or not digits.strip("0"):
        return None
    return digits


def hashes_from_metadata(metadata: Mapping[str, str]) -> dict[HashKind, str]:
    """Read the AutoV3 that a trainer's `sshs_model_hash` begins with, if there is any."""
    whole = normal_hash("SHA256", metadata.get("sshs_model_hash"))
    return {"AutoV3": whole[: LENGTHS["AutoV3"]]} if whole else {}


def with_auto_v2(hashes: Mapping[HashKind, str]) -> dict[HashKind, str]:
    """Add the AutoV2 that a SHA-256 begins with."""
    sha256 = hashes.get("SHA256")
    return {**hashes, "AutoV2": sha256[: LENGTHS["AutoV2"]]} if sha256 else dict(hashes)


MAX_BYTES = 256 * 1024 * 1024


_Place = tuple[str | None, str, str]


@dataclass(frozen=True, slots=True)
class HashList:
    """SHA-256 sums of files.

    Attributes:
        sha256s: In upper case, by server (None for all), folder and normalised path; None where
            rows contradict each other.
        problems: Rows that could not be read.
    """

    sha256s: Mapping[_Place, str | None]
    problems: tuple[Problem, ...] = ()

    def of_server(self, names: Collection[str]) -> dict[tuple[str, str], str]:
        """Choose the sums of one server by folder and normalised path.

        A row of this server, which may have several names, has priority over one of all servers.
        """
        everywhere: dict[tuple[str, str], str | None] = {}
        own: dict[tuple[str, str], str | None] = {}
        for (server, folder, path), sha256 in self.sha256s.items():
            if server is None:
                everywhere[folder, path] = sha256
            elif server in names:
                own[folder, path] = sha256
        return {place: sha256 for place, sha256 in (everywhere | own).items() if sha256}


def read_hash_list(path: Path) -> HashList:
    """Read a file `[{"folder": "loras", "name": "a/b.safetensors", "sha256": "…"}, …]`.

    A row may name the `server` whose file it is; otherwise it counts for each server that has a
    file there. A null for an unknown hash is skipped. Of a file with two hashes none is taken: a
    wrong one would link it to another model.

    Args:
        path: The file, of 256 MiB at most.

    Raises:
        AnswerUnreadable: The file is too large, not a JSON list, or a pipe or folder.
        OSError: The file cannot be opened.
    """
    size = path.stat().st_size
    if not path.is_file():
        raise AnswerUnreadable(f"{path.name!r} is not a file.")
    if size > MAX_BYTES:
        raise AnswerUnreadable(f"{path.name!r} is larger than {MAX_BYTES:,} bytes.")
    try:
        rows = read_json(path.read_bytes())
    except ValueError as error:
        raise AnswerUnreadable(f"{path.name!r} is not JSON: {error}") from error
    if not isinstance(rows, list):
        raise AnswerUnreadable(f"{path.name!r} does not hold a list of hashes.")
    known: dict[_Place, str | None] = {}
    problems = []
    for number, row in enumerate(rows):
        reason = _read(row, known)
        if reason:
            problems.append(Problem(f"row {number}", reason))
    return HashList(known, tuple(problems))


def with_hashes(listing: Listing, known: Mapping[tuple[str, str], str]) -> Listing:
    """Add SHA-256 sums, by folder and normalised path, to entries that have none of their own."""
    if not known:
        return listing
    entries = [
        entry._replace(hashes={"SHA256": known[entry.folder, entry.path], **entry.hashes})
        if (entry.folder, entry.path) in known
        else entry
        for entry in listing.entries
    ]
    return replace(listing, entries=tuple(entries))


def _read(row: object, known: dict[_Place, str | None]) -> str | None:
    """Add a row to `known`, or return why not; None there stands for hashes that differ."""
    if not isinstance(row, Mapping):
        return "It is not an object."
    if row.get("sha256") is None:
        return None
    place = _place(row)
    if place is None:
        return "It has no folder and name that are a path, or a server that is not text."
    sha256 = normal_hash("SHA256", row["sha256"])
    if sha256 is None:
        return "Its sha256 is invalid, or that of an empty file."
    if known.setdefault(place, sha256) == sha256:
        return None
    known[place] = None
    return "Another row has another sha256 for this file; none is taken."


def _place(row: Mapping[str, object]) -> _Place | None:
    server, folder, name = row.get("server"), row.get("folder"), row.get("name")
    path = normal_path(name) if isinstance(name, str) else None
    if not isinstance(folder, str) or path is None or not isinstance(server, str | None):
        return None
    return server, folder, path
