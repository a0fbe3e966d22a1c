"""What hashes show about a model and a file: the same, another, or nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from storycanvas.catalog.civitai.version_files import VersionFile
from storycanvas.catalog.entries import HashKind
from storycanvas.catalog.hashes import with_auto_v2
from storycanvas.catalog.matching.local_models import LocalModel
from storycanvas.catalog.matching.outcomes import WORDS, Method
from storycanvas.catalog.names import file_key, normal_name

Known = Mapping[HashKind, frozenset[str]]
"""Hashes of a model (`storycanvas.catalog.matching.local_models.known_hashes`)."""

_NEVER = datetime.max.replace(tzinfo=UTC)


def has_hash(file: VersionFile, kind: HashKind, known: Known) -> bool:
    """Whether a file has one of a model's hashes of a kind."""
    return with_auto_v2(file.hashes).get(kind) in known[kind]


def contradicts(file: VersionFile, known: Known, kinds: Iterable[HashKind]) -> bool:
    """Whether a hash of these kinds, known of both, shows that a file is not the model."""
    hashes = with_auto_v2(file.hashes)
    return any(known[kind] and kind in hashes and hashes[kind] not in known[kind] for kind in kinds)


def has_other_size(file: VersionFile, local: LocalModel) -> bool:
    """Whether the sizes, known of both, show that a file is not the model."""
    return file.size is not None and bool(local.sizes) and file.size not in local.sizes


def conflicting_hash_kind(known: Known) -> HashKind | None:
    """The surest hash of which servers report different values; None if they agree."""
    return next((kind for kind, values in known.items() if len(values) > 1), None)


def versions(files: Iterable[VersionFile]) -> set[int]:
    """The versions that files belong to."""
    return {file.version_id for file in files}


def best_first(local: LocalModel, files: Sequence[VersionFile]) -> list[VersionFile]:
    """Sort files of equal standing: by the model's name, by publication, by id of the version.

    Files with the name of the model come first, then files with its words. Within a version, files
    of the model's kind come first. The order of `files` does not matter.
    """
    if len(files) < 2:  # noqa: PLR2004 - nothing to sort, which is what most models have
        return [*files]
    key, words = file_key(local.file_name), normal_name(local.file_name)
    return sorted(
        files,
        key=lambda file: (
            file_key(file.file_name) != key,
            normal_name(file.file_name) != words,
            _published(file.published_at),
            file.version_id,
            file.kind != local.kind,
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
"""The method of a link by each hash, the surest first."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Files that one method found, and whether one of them is the model.

    Attributes:
        method: The method.
        files: What it found, the best first.
        chosen: The one that the model is; None if that is uncertain.
        reason: Why, as a sentence.
    """

    method: Method
    files: Sequence[VersionFile]
    chosen: VersionFile | None
    reason: str


def linked(method: Method, files: Sequence[VersionFile], chosen: VersionFile) -> Finding:
    """Make the finding that a file is the model."""
    of = f"{chosen.model_name} ({chosen.version_name})"
    reason = f"Its {WORDS[method]} is that of {chosen.file_name} of {of}."
    return Finding(method, files, chosen, reason)


def ambiguous(method: Method, files: Sequence[VersionFile], count: int) -> Finding:
    """Make the finding that files of `count` versions could each be the model."""
    return Finding(method, files, None, f"Its {WORDS[method]} is that of {count} versions.")


def torn(kind: HashKind, known: Known, candidates: Sequence[VersionFile]) -> Finding:
    """Make the finding that servers hold different files under one name, so no link is right."""
    files = [file for file in candidates if has_hash(file, kind, known)]
    reason = f"Servers report {len(known[kind])} different {kind} hashes for this model."
    return Finding(METHODS[kind], files, None, reason)


def of_several_sizes(found: Finding, count: int) -> Finding:
    """Make the finding that servers hold files of `count` sizes under one name."""
    reason = f"Servers report {count} different sizes of this model."
    return Finding(found.method, found.files, None, reason)
