"""Fields of the couple swap by the names under which they are stored.

The app's later version renames some columns. A row may have the names of either version, both
included where their values are the same; it is stored and read by the names of the first version.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

Fields = dict[str, Any]

LATER_NAMES: Mapping[str, Mapping[str, str]] = {
    "images": {"image_metadata": "metadata"},
    "templates": {"name": "title", "original_image_id": "image_id"},
    "faceswap_tasks": {
        "husband_photo_id": "husband_image_id",
        "wife_photo_id": "wife_image_id",
    },
}
"""By collection: what the later version calls a field, and what it is stored as."""
_SHOWN = 40


class NamesDisagree(ValueError):
    """A row has both names of a field, with different values."""

    code: ClassVar[str] = "bad_field"
    retryable: ClassVar[bool] = False


def with_first_names(collection: str, row: Mapping[str, Any]) -> Fields:
    """Name the fields of a row as they are stored; null under one name leaves it to the other.

    Args:
        collection: Where the row is from, or will be stored.
        row: A document or row of `images`, `templates` or `faceswap_tasks`, with any other fields;
            a row of another collection is only copied.

    Raises:
        NamesDisagree: A field has two values.
    """
    later = LATER_NAMES.get(collection, {})
    named: Fields = {name: value for name, value in row.items() if name not in later}
    for name, first in later.items():
        if name in row:
            named[first] = _one_value(first, named.get(first), name, row[name])
    return named


def _one_value(first: str, value: object, later: str, later_value: object) -> object:
    """Choose the value that is not null."""
    if value is None or later_value is None or value == later_value:
        return later_value if value is None else value
    raise NamesDisagree(
        f"{first} {_shown(value)} and {later} {_shown(later_value)} are two names of one field; "
        "leave one of them out"
    )


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
