"""Versions of Civitai's items as they are stored."""

from collections.abc import Sequence
from typing import Any

from pymongo.database import Database

from db.connection import Document, reading_anything, translated_errors

_INT64 = range(-(2**63), 2**63)


def stored_versions(
    database: Database[Document], ids: Sequence[int]
) -> dict[int, list[dict[str, Any]]]:
    """Read the versions of items, by the item's id; what is no object is left out.

    Older items have them as `model_versions` (reference section 3).

    Args:
        database: The StoryCanvas database.
        ids: Of a few hundred items.

    Raises:
        db.errors.DatabaseError: The server cannot be reached or refuses the user.
    """
    wanted = [id_ for id_ in ids if id_ in _INT64]
    fields = {"_id": False, "id": True, "modelVersions": True, "model_versions": True}
    models = reading_anything(database)["civitai_models"]
    with translated_errors():
        found = list(models.find({"id": {"$in": wanted}}, fields))
    return {
        int(one["id"]): _objects(one.get("modelVersions", one.get("model_versions")))
        for one in found
    }


def _objects(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
