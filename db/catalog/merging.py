"""What becomes of what is known about a file when a server lists it again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from db.catalog.listed import ListedModel, plain_seconds, plain_size
from db.connection import Document


@dataclass(frozen=True, slots=True)
class KnownFile:
    """What is known about a file.

    Attributes:
        size: Bytes; None if unknown.
        modified: Seconds since 1970; None if unknown.
        hashes: By kind.
        metadata: The file's own, as pairs.
    """

    size: int | None
    modified: float | None
    hashes: Mapping[str, str]
    metadata: Sequence[Sequence[str]]


def known_file(size: object, metadata: object) -> KnownFile:
    """Read what is stored, whatever it is.

    Args:
        size: `model_size`.
        metadata: `model_metadata`.
    """
    told = metadata if isinstance(metadata, Mapping) else {}
    hashes, pairs = told.get("hashes"), told.get("pairs")
    return KnownFile(
        plain_size(size),
        plain_seconds(told.get("modified")),
        hashes if isinstance(hashes, Mapping) else {},
        [pair for pair in pairs if isinstance(pair, list)] if isinstance(pairs, list) else [],
    )


def merged(listed: ListedModel, stored: KnownFile) -> KnownFile:
    """Join what was known with what is told now.

    What is told now decides; what is not told now stays, unless the file is another one.

    Args:
        listed: What is told now.
        stored: What was known.
    """
    if not is_same_file(listed, stored):
        return KnownFile(listed.size, listed.modified, dict(listed.hashes), [*listed.metadata])
    return KnownFile(
        stored.size if listed.size is None else listed.size,
        stored.modified if listed.modified is None else listed.modified,
        {**stored.hashes, **listed.hashes},
        [*listed.metadata] or [*stored.metadata],
    )


def is_same_file(listed: ListedModel, stored: KnownFile) -> bool:
    """Tell whether nothing that both know contradicts that a file is the same as before."""
    both: list[tuple[object, object]]
    both = [(listed.size, stored.size), (listed.modified, stored.modified)]
    both += [(value, stored.hashes.get(kind)) for kind, value in listed.hashes.items()]
    both += [([[*pair] for pair in listed.metadata] or None, [*stored.metadata] or None)]
    return all(now is None or before is None or now == before for now, before in both)


def metadata_of(listed: ListedModel, file: KnownFile | ListedModel) -> Document:
    """Make `model_metadata`.

    Args:
        listed: What is told now.
        file: What is known about the file.
    """
    return {
        "folder": listed.folder,
        "raw_name": listed.raw_name,
        "modified": file.modified,
        "hashes": dict(file.hashes),
        "pairs": [[*pair] for pair in file.metadata],
    }
