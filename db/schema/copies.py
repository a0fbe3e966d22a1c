"""Which fields repeat a field of another document, so that a query needs no second collection.

MongoDB keeps no copies up to date. The flows write both, the app may write one of them; `audit-db`
finds copies that differ and, with `fix`, copies the value again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Copy:
    """A field with the value that a field of another document has.

    Attributes:
        by: The field that names the other document by its `id`.
        source: The collection of the other document.
        source_field: The field of it that is repeated.
        own: Finds documents that have a value of their own, which is no copy.
    """

    collection: str
    field: str
    by: str
    source: str
    source_field: str
    own: Mapping[str, Any] | None = None

    def __str__(self) -> str:
        return f"{self.field}, the copy of {self.source}.{self.source_field} by {self.by}"


_LATER_COLUMNS = ("is_preprocessed", "male_face_count", "female_face_count")
"""The first version of the couple swap has no category of a template, the later one has these."""

COPIES = (
    Copy("clips", "project_id", "scene_id", "scenes", "project_id"),
    Copy(
        *("templates", "category", "image_id", "images", "category"),
        own={"$or": [{column: {"$ne": None}} for column in _LATER_COLUMNS]},
    ),
    Copy("active_backend_models", "backend_name", "backend_id", "backends", "name"),
    Copy("active_backend_models", "backend_url", "backend_id", "backends", "url"),
)


def copies_in(collection: str) -> dict[str, Copy]:
    """Choose the copies in a collection, by their field."""
    return {copy.field: copy for copy in COPIES if copy.collection == collection}
