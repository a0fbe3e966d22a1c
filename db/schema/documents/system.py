"""Records of migrations, and locks that are held for a time."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from db.schema.documents.base import Count, Stored

MigrationStatus = Literal["running", "applied", "failed", "reverting", "reverted"]


class MigrationRecord(Stored):
    """A document of `migrations`.

    Attributes:
        number: The `_id`, so that it is unique on every server from the first write on.
        checksum: SHA-256 of the migration's file when it was applied.
        status: How the last attempt stands; `running` and `reverting` also after a kill.
        run_by: Who started it.
        started_at: UTC.
        finished_at: UTC.
        seconds: Of the last attempt.
        counts: How many documents it has changed, by `collection.field`, in all its attempts.
        error: Why the last attempt failed, in one sentence.
        remembered: What it needs to be undone and does not note in the documents.
        accepted_at: When its undo notes were removed, UTC; it cannot be undone since then.
    """

    number: int = Field(alias="_id", ge=1)
    name: str
    checksum: str
    status: MigrationStatus
    run_by: str
    started_at: datetime
    finished_at: datetime | None = None
    seconds: float | None = Field(None, ge=0)
    counts: dict[str, Count] = Field(default_factory=dict)
    error: str | None = None
    remembered: dict[str, Any] = Field(default_factory=dict)
    accepted_at: datetime | None = None


class Lock(Stored):
    """A document of `locks`; times are the database server's.

    Attributes:
        name: The `_id`: what is locked.
        token: Known to its holder only, so that no other process renews or releases it.
        holder: Who holds it, in words.
        since: UTC.
        expires_at: UTC.
    """

    name: str = Field(alias="_id")
    token: str
    holder: str
    since: datetime
    expires_at: datetime
