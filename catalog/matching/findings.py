"""What one way of looking found."""

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.civitai.version_files import VersionFile
from catalog.entries import HashKind
from catalog.matching.evidence import Known, has_hash
from catalog.matching.outcomes import WORDS, Method

METHODS: dict[HashKind, Method] = {
    "SHA256": "sha256",
    "BLAKE3": "blake3",
    "AutoV2": "autov2",
    "AutoV3": "autov3",
}
"""What a link by each hash is called, the surest first."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Files that one way of looking found, and whether one of them is the model.

    Attributes:
        method: The way of looking.
        files: What it found, the best first.
        chosen: The one that the model is; None if that is not certain.
        reason: Why, as a sentence.
    """

    method: Method
    files: Sequence[VersionFile]
    chosen: VersionFile | None
    reason: str


def linked(method: Method, files: Sequence[VersionFile], chosen: VersionFile) -> Finding:
    """Say that a file is the model."""
    of = f"{chosen.model_name} ({chosen.version_name})"
    reason = f"Its {WORDS[method]} is that of {chosen.file_name} of {of}."
    return Finding(method, files, chosen, reason)


def ambiguous(method: Method, files: Sequence[VersionFile], count: int) -> Finding:
    """Say that files of several versions could each be the model.

    Args:
        method: How they were found.
        files: The files.
        count: How many versions they belong to.
    """
    return Finding(method, files, None, f"Its {WORDS[method]} is that of {count} versions.")


def torn(kind: HashKind, known: Known, candidates: Sequence[VersionFile]) -> Finding:
    """Say that servers hold different files under one name, so no version is right for all.

    Args:
        kind: The hash that differs.
        known: The model's hashes.
        candidates: All files; those with one of the hashes are listed.
    """
    files = [file for file in candidates if has_hash(file, kind, known)]
    reason = f"Servers tell {len(known[kind])} different {kind} hashes for this model."
    return Finding(METHODS[kind], files, None, reason)


def of_several_sizes(found: Finding, count: int) -> Finding:
    """Say that servers hold different files under one name, and which one was found is open.

    Args:
        found: What their hash or name found.
        count: How many sizes servers tell.
    """
    reason = f"Servers tell {count} different sizes of this model."
    return Finding(found.method, found.files, None, reason)
