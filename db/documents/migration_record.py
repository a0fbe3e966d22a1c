"""What is known about a migration of this database."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from db.documents.stored import Count, Stored


class MigrationRecord(Stored):
    """A document of `migrations`.

    Attributes:
        number: The `_id`, so that it is unique on every server from the first write on.
        checksum: SHA-256 of the migration's file when it was applied.
        status: How the last attempt stands.
        run_by: Who started it.
        started_at: UTC.
        finished_at: UTC.
        counts: How many documents were seen, changed and so on.
        error: Why it failed, in one sentence.
    """

    number: int = Field(alias="_id", ge=1)
    name: str
    checksum: str
    status: Literal["running", "applied", "failed", "reverted"]
    run_by: str
    started_at: datetime
    finished_at: datetime | None = None
    seconds: float | None = Field(None, ge=0)
    counts: dict[str, Count] = Field(default_factory=dict)
    error: str | None = None
