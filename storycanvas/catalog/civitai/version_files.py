"""Files of a Civitai item's versions, with all that a local model is matched by."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storycanvas.catalog.civitai.item_shapes import objects, tag_name
from storycanvas.catalog.entries import HashKind
from storycanvas.catalog.hashes import LENGTHS, normal_hash
from storycanvas.catalog.kinds import LocalType, type_of_file


@dataclass(frozen=True, slots=True)
class VersionFile:
    """One file of one version.

    Attributes:
        model_id: Civitai's id of the item.
        model_name: The item's display name.
        item_type: The item's `type`, such as `LORA`.
        version_id: Civitai's id of the version.
        version_name: Such as `v2.0`.
        base_model: Such as `SDXL 1.0`; None if unknown.
        published_at: ISO 8601; None if unknown.
        trained_words: The words that trigger the model.
        nsfw: Whether Civitai marks it so.
        tags: Of the item.
        file_name: As Civitai spells it; empty if unknown.
        file_type: The file's `type`, such as `Model` or `VAE`; empty if unknown.
        kind: What the file itself is used for.
        hashes: Normalised, by kind; hashes of empty files are left out.
        download_url: None if unknown.
        size: Bytes; None if unknown.
    """

    model_id: int
    model_name: str
    item_type: str
    version_id: int
    version_name: str
    base_model: str | None
    published_at: str | None
    trained_words: tuple[str, ...]
    nsfw: bool
    tags: tuple[str, ...]
    file_name: str
    file_type: str
    kind: LocalType
    hashes: dict[HashKind, str]
    download_url: str | None
    size: int | None = None


def version_files(document: Mapping[str, Any]) -> list[VersionFile]:
    """Read the files of an item, stored or as answered; parts without an id are left out."""
    number = _id(document)
    if number is None:
        return []
    return [
        file
        for version in objects(document.get("modelVersions"))
        for file in _files(number, document, version)
    ]


def version_files_of_answer(raw: object) -> list[VersionFile]:
    """Read the files of a version, as `/model-versions/by-hash/{hash}` answers.

    Returns:
        None of an answer without an item's id, which may be of any shape.
    """
    if not isinstance(raw, Mapping) or (number := _id(raw, "modelId")) is None:
        return []
    model = raw.get("model")
    return list(_files(number, model if isinstance(model, Mapping) else {}, raw))


def _files(
    number: int, model: Mapping[str, Any], version: Mapping[str, Any]
) -> Iterator[VersionFile]:
    version_id = _id(version)
    if version_id is None:
        return
    item_type = _text(model.get("type"))
    tags = model.get("tags")
    for file in objects(version.get("files")):
        file_type = _text(file.get("type"))
        yield VersionFile(
            model_id=number,
            model_name=_text(model.get("name")),
            item_type=item_type,
            version_id=version_id,
            version_name=_text(version.get("name")),
            base_model=_text(version.get("baseModel")) or None,
            published_at=_moment(version.get("publishedAt")),
            trained_words=tuple(filter(None, map(_text, _list(version.get("trainedWords"))))),
            nsfw=model.get("nsfw") is True,
            tags=tuple(filter(None, map(tag_name, _list(tags)))),
            file_name=_text(file.get("name")),
            file_type=file_type,
            kind=type_of_file(item_type, file_type),
            hashes=_hashes(file.get("hashes")),
            download_url=_text(file.get("downloadUrl")) or None,
            size=bytes_of(file.get("sizeKB")),
        )


_MAX_KB = 2.0**53 / 1024
_MAX_ROUNDING = 1e-3
"""Bytes; Civitai writes `sizeKB` with nine digits after the point."""


def bytes_of(size_kb: object) -> int | None:
    """Convert Civitai's `sizeKB` to bytes; None where that is not a whole number.

    Of 1,000 real values one is rounded to whole or half KB, so it tells no size.
    """
    if isinstance(size_kb, bool) or not isinstance(size_kb, int | float):
        return None
    if not 0 < size_kb < _MAX_KB:
        return None
    size = round(size_kb * 1024)
    return size if abs(size_kb * 1024 - size) <= _MAX_ROUNDING else None


def _id(part: Mapping[str, Any], field: str = "id") -> int | None:
    value = part.get(field)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _moment(value: object) -> str | None:
    return value.isoformat() if isinstance(value, datetime) else _text(value) or None


def _hashes(value: object) -> dict[HashKind, str]:
    if not isinstance(value, Mapping):
        return {}
    known = {kind: normal_hash(kind, value.get(kind)) for kind in LENGTHS}
    return {kind: digits for kind, digits in known.items() if digits}
