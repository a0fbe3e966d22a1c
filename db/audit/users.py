"""Users that the app takes for two although their address or name differs in case only."""

from collections.abc import Iterator
from typing import Literal

from pymongo.database import Database

from db.audit.report import MAX_EXAMPLES, AuditFinding, name_of
from db.connection import Document
from db.users import users_alike

_REMEDY: dict[Literal["email", "username"], str] = {
    "email": (
        "Decide whether they are one person; nothing merges them. The app looks an address up in "
        "lower case, so only the user whose address has no capitals can log in."
    ),
    "username": "Rename all except one of each; the app writes and looks up names in lower case.",
}


def similar_users(database: Database[Document]) -> Iterator[AuditFinding]:
    """Find users whose e-mail address or name differs from another's in case only."""
    for field, remedy in _REMEDY.items():
        alike = [user for group in users_alike(database, field).values() for user in group]
        if alike:
            yield AuditFinding(
                kind="similar users",
                collection="users",
                subject=f"{field} that differs from another's in case only",
                count=len(alike),
                ids=tuple(map(name_of, alike[:MAX_EXAMPLES])),
                remedy=remedy,
            )
