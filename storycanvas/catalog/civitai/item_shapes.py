"""Fields of a Civitai item, converted to the shapes that `civitai_models` takes."""

from collections.abc import Callable, Mapping
from typing import Any

from storycanvas.catalog.entries import HashKind
from storycanvas.catalog.hashes import LENGTHS, normal_hash
from storycanvas.catalog.storable import Notes

_LEAVE_OUT = object()
_NOT_CIVITAIS = {"language", "content_hash"}
"""Fields that are left out, besides those with a dot, which would be a path in an update.

MongoDB's text index reads `language` and refuses a document in a language that it does not know;
`content_hash` and all names that begin with `_` come from a database, not from Civitai.
"""

_KINDS: dict[str, HashKind] = {kind.casefold(): kind for kind in LENGTHS}


def with_known_shapes(item: Mapping[str, Any], notes: Notes) -> dict[str, Any]:
    """Repair the optional fields of a storable item; unknown fields stay as they are.

    `notes` gets a sentence for each field that is changed.
    """
    shaped: dict[str, Any] = {}
    for name, value in _own_fields(item, notes).items():
        converted = _SHAPES[name](value) if name in _SHAPES else value
        if converted is not _LEAVE_OUT:
            shaped[name] = converted
        if converted is not value and converted != value:
            notes[f"{name} had another shape than Civitai's."] = None
    return shaped


def tag_name(tag: object) -> str | None:
    """Read a tag: text, or an object with a name; None if it is neither."""
    name = tag.get("name") if isinstance(tag, Mapping) else tag
    return name if isinstance(name, str) and name.strip() else None


def objects(value: object) -> list[dict[str, Any]]:
    """Take the objects of a list; of any other value, none."""
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


def _own_fields(item: Mapping[str, Any], notes: Notes) -> dict[str, Any]:
    own = {
        name: value
        for name, value in item.items()
        if not name.startswith("_") and "." not in name and name not in _NOT_CIVITAIS
    }
    if len(own) < len(item):
        notes["Fields that are not Civitai's were left out."] = None
    if "modelVersions" not in own and isinstance(own.get("model_versions"), list):
        own["modelVersions"] = own.pop("model_versions")
    return own


def _text_or_none(value: object) -> object:
    return value if isinstance(value, str) else None


def _tags(value: object) -> object:
    tags = value if isinstance(value, list) else [value]
    return [name for tag in tags if (name := tag_name(tag)) is not None]


_LARGEST = 2.0**63
"""The first whole number beyond 64 bits."""


def _known_bool(value: object) -> object:
    return value if isinstance(value, bool) else _LEAVE_OUT


def _bool_or_none(value: object) -> object:
    return value if isinstance(value, bool) else None


def _int_or_none(value: object) -> object:
    if isinstance(value, float) and value.is_integer() and abs(value) < _LARGEST:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _texts_or_text(value: object) -> object:
    if isinstance(value, list):
        return [part for part in value if isinstance(part, str)]
    return _text_or_none(value)


def _object(value: object) -> object:
    return value if isinstance(value, dict) else {}


def _object_or_none(value: object) -> object:
    return value if isinstance(value, dict) else None


def _versions(value: object) -> object:
    return [_version(version) for version in objects(value)]


def _version(version: dict[str, Any]) -> dict[str, Any]:
    known = {name: value for name, value in version.items() if name != "language"}
    if "files" in known:
        known["files"] = [_file(file) for file in objects(known["files"])]
    return known


def _file(file: dict[str, Any]) -> dict[str, Any]:
    if "hashes" not in file:
        return file
    return {**file, "hashes": _hashes(file["hashes"])}


def _hashes(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    found: dict[str, str] = {}
    for name, digits in value.items():
        kind = _KINDS.get(name.casefold())
        if isinstance(digits, str):
            found[kind or name] = (kind and normal_hash(kind, digits)) or digits.upper()
    return found


_SHAPES: dict[str, Callable[[object], object]] = {
    "description": _text_or_none,
    "tags": _tags,
    "nsfw": _known_bool,
    "nsfwLevel": _int_or_none,
    "allowDerivatives": _bool_or_none,
    "allowCommercialUse": _texts_or_text,
    "stats": _object,
    "creator": _object_or_none,
    "modelVersions": _versions,
}
