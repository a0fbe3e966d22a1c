"""Items of a list that was asked for certain base models: it leaves their other versions out."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from catalog.civitai.item_shapes import objects


def with_other_versions(
    raw: object, stored: Sequence[Mapping[str, Any]], base_models: Collection[str]
) -> object:
    """Put back the versions that a filter has left out; one that Civitai no longer has stays gone.

    Args:
        raw: An item of the list, of any shape.
        stored: Versions of the same item, as they are stored.
        base_models: Those that the list was asked for.

    Returns:
        The item with new versions first, the others in their stored order.
    """
    versions = raw.get("modelVersions") if isinstance(raw, Mapping) else None
    if not isinstance(raw, Mapping) or not isinstance(versions, list):
        return raw
    told = {_key(version): version for version in objects(versions)}
    known = {_key(version) for version in stored}
    new = [version for version in objects(versions) if _key(version) not in known]
    others = [
        told.get(_key(version), version)
        for version in stored
        if _key(version) in told or version.get("baseModel") not in base_models
    ]
    return {**raw, "modelVersions": [*new, *others]}


def _key(version: Mapping[str, Any]) -> str:
    """Take a version's id, whatever it is; `1` and `True` are two."""
    return repr(version.get("id"))
