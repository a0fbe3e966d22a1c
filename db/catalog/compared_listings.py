"""Which listing each backend was compared with last, so that the same one costs nothing."""

from datetime import datetime, timedelta

from pymongo.database import Database

from db.catalog.backend_models import LAST_SEEN_SECONDS
from db.connection import Document, translated_errors


def was_just_compared(
    database: Database[Document], backend_id: str, digest: str, now: datetime
) -> bool:
    """Tell whether the same listing was compared within the last ten minutes.

    So long nothing is due: `last_seen` moves no oftener, and only syncs write these records.

    Args:
        database: The StoryCanvas database.
        backend_id: Whose listing.
        digest: Names all that it says.
        now: UTC.

    Raises:
        db.errors.DatabaseError: The server cannot be reached or refuses the user.
    """
    wanted = {
        "id": backend_id,
        "listing_digest": digest,
        "compared_at": {"$gt": now - timedelta(seconds=LAST_SEEN_SECONDS), "$lte": now},
    }
    with translated_errors():
        return database["backends"].find_one(wanted, {"_id": True}) is not None


def note_comparison(
    database: Database[Document], backend_id: str, digest: str | None, now: datetime
) -> None:
    """Note with which listing a backend's models agree now; call it after they were written.

    Args:
        database: The StoryCanvas database.
        backend_id: Whose listing.
        digest: Names all that it says; None where not all of it was stored.
        now: UTC.

    Raises:
        db.errors.DatabaseError: The server cannot be reached or refuses the user.
    """
    with translated_errors():
        database["backends"].update_one(
            {"id": backend_id}, {"$set": {"listing_digest": digest, "compared_at": now}}
        )
