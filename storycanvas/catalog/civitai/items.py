"""A Civitai item, as it can be stored and found again."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from storycanvas.catalog.civitai.item_shapes import objects, with_known_shapes
from storycanvas.catalog.errors import CatalogError
from storycanvas.catalog.names import file_key, normal_name
from storycanvas.catalog.storable import Notes, TooDeep, storable, stored_bytes


def with_other_versions(
    raw: object, stored: Sequence[Mapping[str, Any]], base_models: Collection[str]
) -> object:
    """Put back the versions that a filter has left out; one that Civitai no longer has stays gone.

    Args:
        raw: An item of the list, of any shape.
        stored: Versions of the same item, as they are stored.
        base_models: The base models that the list was filtered by.

    Returns:
        The item with new versions first, the others in their stored order.
    """
    versions = raw.get("modelVersions") if isinstance(raw, Mapping) else None
    if not isinstance(raw, Mapping) or not isinstance(versions, list):
        return raw
    listed = {_key(version): version for version in objects(versions)}
    known = {_key(version) for version in stored}
    new = [version for version in objects(versions) if _key(version) not in known]
    others = [
        listed.get(_key(version), version)
        for version in stored
        if _key(version) in listed or version.get("baseModel") not in base_models
    ]
    return {**raw, "modelVersions": [*new, *others]}


def _key(version: Mapping[str, Any]) -> str:
    """Name a version by its id, whatever that is; `1` and `True` are two ids."""
    return repr(version.get("id"))


MAX_BYTES = 12_000_000
"""Largest item that is stored; MongoDB holds 16 MiB, which other fields of the document share."""

_INT64 = range(-(2**63), 2**63)
_SHOWN = 60
_LEAST_BYTES_IN_JSON = MAX_BYTES // 8  # in BSON a value is at most 7 times as long as in JSON


class ItemUnreadable(CatalogError):
    """An item cannot be stored; `reason` is a sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class CivitaiItem:
    """An item that can be stored.

    Attributes:
        id: Civitai's.
        document: Civitai's fields under Civitai's names, with `base_models`, `file_keys` and
            `name_keys` lifted out of its versions, each sorted and without repetition.
        content_hash: SHA-256 of all that is stored except `stats` of the item and its versions:
            downloads move every hour, which is not a change of the item.
        repaired: What had a wrong shape and was corrected, each a sentence.
    """

    id: int
    document: dict[str, Any]
    content_hash: str
    repaired: tuple[str, ...] = ()


def read_item(raw: object) -> CivitaiItem:
    """Read an item of any shape.

    Raises:
        ItemUnreadable: The item has no id, name or type, or MongoDB cannot hold it.
    """
    if not isinstance(raw, Mapping):
        raise ItemUnreadable(f"An item is not an object but {_shown(raw)}.")
    notes: Notes = {}
    try:
        known = with_known_shapes(storable(dict(raw), notes), notes)
    except TooDeep as error:
        raise ItemUnreadable(f"The item {_shown(raw.get('id'))}: {error}") from error
    known["id"] = number = item_id(known.get("id"), notes)
    for field in ("name", "type"):
        if not isinstance(known.get(field), str) or not known[field].strip():
            raise ItemUnreadable(f"The item {number} has no {field}: {_shown(known.get(field))}.")
    document = {**known, **_lifted(known)}
    content = _content(document)
    _check_size(number, document, len(content))
    return CivitaiItem(number, document, sha256(content.encode()).hexdigest(), tuple(notes))


def item_id(value: object, notes: Notes) -> int:
    """Read the id of an item: a whole number, also as text or with a fraction of 0.

    `notes` gets a sentence if it was converted.

    Raises:
        ItemUnreadable: The value is not a number of 64 bits.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    digits = value if isinstance(value, str) and value.isascii() and value.isdigit() else ""
    if isinstance(value, float) and value.is_integer():
        digits = str(int(value))
    if not digits or len(digits) > len(str(_INT64.stop)) or int(digits) not in _INT64:
        raise ItemUnreadable(f"An item has no id of a number in 64 bits: {_shown(value)}.")
    notes["The id was not a whole number."] = None
    return int(digits)


def _lifted(item: Mapping[str, Any]) -> dict[str, list[str]]:
    versions = objects(item.get("modelVersions"))
    bases = {base for version in versions if isinstance(base := version.get("baseModel"), str)}
    names = set(_file_names(versions))
    return {
        "base_models": sorted(base for base in bases if base.strip()),
        "file_keys": sorted({file_key(name) for name in names} - {""}),
        "name_keys": sorted({normal_name(name) for name in names} - {""}),
    }


def _file_names(versions: list[dict[str, Any]]) -> Iterator[str]:
    for version in versions:
        for file in objects(version.get("files")):
            if isinstance(name := file.get("name"), str):
                yield name


def _check_size(number: int, document: Mapping[str, Any], content_length: int) -> None:
    """Refuse an item that is too large; `content_length` is that of its JSON but for statistics."""
    parts = (document, *objects(document.get("modelVersions")))
    stats = [part["stats"] for part in parts if "stats" in part]
    length = content_length + len(_canonical(stats)) + len(stats) * len('"stats":,')
    if length < _LEAST_BYTES_IN_JSON:
        return
    size = stored_bytes(document)
    if size > MAX_BYTES:
        raise ItemUnreadable(
            f"The item {number} has {size} bytes; at most {MAX_BYTES} can be stored."
        )


def _content(document: Mapping[str, Any]) -> str:
    """Write as JSON what counts as the item's content, which is all but its statistics."""
    versions = [_without_stats(version) for version in objects(document.get("modelVersions"))]
    return _canonical({**_without_stats(document), "modelVersions": versions})


def _without_stats(part: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in part.items() if name != "stats"}


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _shown(value: object) -> str:
    text = repr(value) if isinstance(value, str | int | float | None) else type(value).__name__
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
