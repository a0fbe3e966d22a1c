"""Rows of `comfyui_servers` that are one server, although their addresses are written differently.

The unique index on `url` compares the text. The flows read such a server once, by its first row.
"""

from collections import defaultdict
from collections.abc import Iterator

from pymongo.database import Database

from db.audit.report import MAX_EXAMPLES, AuditFinding, shortened
from db.catalog.server_rows import ROW_FIELDS, usable_server
from db.connection import Document
from db.schema.indexes import NOT_DELETED

_REMEDY = (
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
                remedy=_REMEDY,
            )
