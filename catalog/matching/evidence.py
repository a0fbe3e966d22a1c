"""What hashes say about a model and a file: the same, another, or nothing."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from catalog.civitai.version_files import VersionFile
from catalog.entries import HashKind
from catalog.hashes import with_auto_v2
from catalog.matching.local_models import LocalModel
from catalog.names import file_key

Known = Mapping[HashKind, frozenset[str]]
"""Hashes of a model (`catalog.matching.local_models.known_hashes`)."""

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


def torn_kind(known: Known) -> HashKind | None:
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
