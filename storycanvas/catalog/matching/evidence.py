"""What hashes say about a model and a file: the same, another, or nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from storycanvas.catalog.civitai.version_files import VersionFile
from storycanvas.catalog.entries import HashKind
from storycanvas.catalog.hashes import with_auto_v2
from storycanvas.catalog.matching.local_models import LocalModel
from storycanvas.catalog.matching.outcomes import WORDS, Method
from storycanvas.catalog.names import file_key

Known = Mapping[HashKind, frozenset[str]]
"""Hashes of a model (`storycanvas.catalog.matching.local_models.known_hashes`)."""

_NEVER = datetime.max.replace(tzinfo=UTC)


def has_hash(file: VersionFile, kind: HashKind, known: Known) -> bool:
    """Tell whether a file has one of a model's hashes.

    Args:
        file: A file of a version.
        kind: Which hash.
        known: The model's hashes.
    """
    return with_auto_v2(file.hashes).get(kind) in known[kind]


def contradicts(file: VersionFile, known: Known, kinds: Iterable[HashKind]) -> bool:
    """Tell whether a hash says that a file is not the model.

    Args:
        file: A file of a version.
        known: The model's hashes.
        kinds: Which hashes to compare; one that is unknown on either side says nothing.
    """
    hashes = with_auto_v2(file.hashes)
    return any(known[kind] and kind in hashes and hashes[kind] not in known[kind] for kind in kinds)


def conflicting_hash_kind(known: Known) -> HashKind | None:
    """Name the surest hash of which servers tell different values; None if they agree."""
    return next((kind for kind, values in known.items() if len(values) > 1), None)


def versions(files: Iterable[VersionFile]) -> set[int]:
    """Take the versions that files belong to."""
    return {file.version_id for file in files}


def best_first(local: LocalModel, files: Sequence[VersionFile]) -> list[VersionFile]:
    """Sort files of equal standing as Civitai does: by publication, then by id of the version.

    Args:
        local: Within a version, files of its kind and name come first.
        files: In any order; the result does not depend on it.
    """
    key = file_key(local.file_name)
    return sorted(
        files,
        key=lambda file: (
            _published(file.published_at),
            file.version_id,
            file.kind != local.kind,
            file_key(file.file_name) != key,
            file.file_name,
            sorted(file.hashes.items()),
        ),
    )


def _published(text: str | None) -> datetime:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return _NEVER
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


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
