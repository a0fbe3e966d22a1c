"""Which listing each backend was compared with last, so that the same one costs nothing."""

from datetime import datetime, timedelta

from pymongo.database import Database

from db.catalog.backend_models import LAST_SEEN_SECONDS
from db.connection import Document, translated_errors


def was_just_compared(
    database: Database[Document], backend_id: str, digest: str, now: datetime
) -> bool:
    """Tell whether the same listing was compared within the last ten minutes.

    So long nothing is due: `last_seen` moves no oftener. Models that somebody has deleted since
    are missed by their number.

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
        backend = database["backends"].find_one(wanted, {"compared_models": True})
        return backend is not None and backend.get("compared_models") == _stored(
            database, backend_id
        )


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
        count = _stored(database, backend_id)
        noted = {"listing_digest": digest, "compared_at": now, "compared_models": count}
        database["backends"].update_one({"id": backend_id}, {"$set": noted})


def _stored(database: Database[Document], backend_id: str) -> int:
    return database["active_backend_models"].count_documents({"backend_id": backend_id})
