"""Users and servers that are one although they are written differently.

The app takes two users for two when their address or name differs in case only. The unique index on
the address of a server compares the text; the flows read such a server once, by its first row.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Literal

from pymongo.database import Database

from db.audit.report import MAX_EXAMPLES, AuditFinding, name_of, shortened
from db.catalog.server_rows import ROW_FIELDS, usable_server
from db.connection import Document
from db.schema.indexes import NOT_DELETED
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


_ONE_SERVER = (
    "Keep one of these rows and delete the others in the app; whatever names the others should "
    "name the one that stays."
)


def same_servers(database: Database[Document]) -> Iterator[AuditFinding]:
    """Find the addresses that several rows have, in any spelling; deleted rows are ignored."""
    rows: defaultdict[tuple[str, str | None], list[str]] = defaultdict(list)
    fields = dict.fromkeys(ROW_FIELDS, True)
    for row in database["comfyui_servers"].find(NOT_DELETED, fields).sort("id"):
        if server := usable_server(row):
            # Endpoints of RunPod may share an address.
            rows[server.address, server.endpoint_id].append(server.id)
    for (address, _), ids in rows.items():
        if len(ids) > 1:
            yield AuditFinding(
                kind="same server",
                collection="comfyui_servers",
                subject=f"rows with the address {shortened(address)}",
                count=len(ids),
                ids=tuple(map(shortened, ids[:MAX_EXAMPLES])),
                remedy=_ONE_SERVER,
            )
