"""The frame of what is stored about a backend's models."""

import pandas as pd
from pymongo.database import Database

from db.connection import Document, reading_anything, translated_errors

COLUMNS = (
    "id",
    "backend_name",
    "backend_url",
    "model_name",
    "model_type",
    "model_path",
    "model_size",
    "is_active",
    "model_metadata",
)
"""All of type object, as MongoDB tells them."""

_BATCH = 20_000


def stored_frame(database: Database[Document], backend_id: str) -> pd.DataFrame:
    """Read what a listing is compared with; what has no id is left out.

    Args:
        database: The StoryCanvas database.
        backend_id: Whose models.

    Raises:
        db.errors.DatabaseError: The server cannot be reached or refuses the user.
    """
    fields = {"_id": False} | dict.fromkeys(COLUMNS, True)
    models = reading_anything(database)["active_backend_models"]
    wanted = {"backend_id": backend_id, "id": {"$type": "string"}}
    with translated_errors():
        found = [*models.find(wanted, fields, batch_size=_BATCH)]
    columns = {name: [one.get(name) for one in found] for name in COLUMNS}
    frame = pd.DataFrame(columns, columns=[*COLUMNS], dtype=object)
    return frame if frame["id"].is_unique else frame.drop_duplicates("id", ignore_index=True)


def known_metadata(
    database: Database[Document], backend_id: str
) -> dict[tuple[str, str], tuple[int | None, float | None]]:
    """Find the files whose own metadata is stored, so that it is not asked for again.

    Args:
        database: The StoryCanvas database.
        backend_id: Whose models.

    Returns:
        Size in bytes and time of change in seconds since 1970, as far as they are known, by folder
        and path.

    Raises:
        db.errors.DatabaseError: The server cannot be reached or refuses the user.
    """
    wanted = {"backend_id": backend_id, "model_metadata.pairs.0": {"$exists": True}}
    told = ("model_id", "model_size", "model_metadata.folder", "model_metadata.modified")
    models = reading_anything(database)["active_backend_models"]
    known = {}
    with translated_errors():
        for one in models.find(wanted, {"_id": False} | dict.fromkeys(told, True)):
            metadata, model_id = one["model_metadata"], one.get("model_id")
            folder = metadata.get("folder")
            if isinstance(folder, str) and str(model_id).startswith(f"{folder}/"):
                path = str(model_id)[len(folder) + 1 :]
                known[folder, path] = (one.get("model_size"), metadata.get("modified"))
    return known
