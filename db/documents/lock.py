"""A lock that is held for a time and has to be renewed."""

from datetime import datetime

from pydantic import Field

from db.documents.stored import Stored


class Lock(Stored):
    """A document of `locks`; times are the database server's.

    Attributes:
        name: The `_id`: what is locked.
        token: Known to its holder only, so that nobody else renews or releases it.
        holder: Who holds it, in words.
        since: UTC.
        expires_at: UTC.
    """

    name: str = Field(alias="_id")
    token: str
    holder: str
    since: datetime
    expires_at: datetime
