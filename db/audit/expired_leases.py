"""Taking back the FaceFusion jobs whose holder has let the lease run out."""

from datetime import datetime

from pymongo.database import Database

from db.connection import Document, translated_errors

MAX_ATTEMPTS = 3
"""How often a job is claimed at most; the app's own queue tries as often (reference section 6)."""


def take_back(database: Database[Document], now: datetime) -> str:
    """Put jobs with an expired lease back to queued, or to failed after the last attempt.

    Each update asks again whether the lease has expired, so a job that was renewed or taken back
    in between is left alone. What was counted and made so far stays.

    Args:
        database: The StoryCanvas database.
        now: UTC.

    Returns:
        What was done; empty when nothing was left to do.

    Raises:
        db.errors.DatabaseError: The server does not answer or refuses.
    """
    jobs = database["facefusion_jobs"]
    expired = {"status": "processing", "lease_expires_at": {"$lt": now}}
    used_up = {"attempts": {"$gte": MAX_ATTEMPTS}}
    released = {"lease_expires_at": None, "updated_at": now}
    failed = {
        **released,
        "status": "failed",
        "completed_at": now,
        "error_message": f"Nobody finished it in {MAX_ATTEMPTS} attempts; each let its lease end.",
    }
    with translated_errors():
        ended = jobs.update_many({**expired, **used_up}, {"$set": failed}).modified_count
        attempts_left = {"attempts": {"$not": used_up["attempts"]}}
        queued = jobs.update_many(
            {**expired, **attempts_left}, {"$set": {**released, "status": "queued"}}
        ).modified_count
    parts = [f"{queued} put back to queued"] if queued else []
    parts += [f"{ended} failed after {MAX_ATTEMPTS} attempts"] if ended else []
    return ", ".join(parts)
