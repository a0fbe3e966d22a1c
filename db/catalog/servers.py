"""The ComfyUI servers of the database, and their status."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal

from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from db.catalog.server_rows import (
    ROW_FIELDS,
    Server,
    ServersFound,
    normal_url,
    server_of_url,
    servers_of,
    shown_url,
)
from db.connection import Document, reading_anything, translated_errors


def move_to_backend(database: Database[Document], server: Server) -> None:
    """Move the stored data of a server from the id of its address to the id of its row.

    Its models keep their ids until its next listing, which adopts them with their links as it does
    with those of the app. Killed in between and run again, it ends the same.
    """
    former = server_of_url(server.url).id
    if former == server.id:
        return
    with translated_errors():
        if database["backends"].find_one({"id": former}, {"_id": True}) is None:
            return
        own = {"backend_id": server.id, "backend_name": server.name}
        database["active_backend_models"].update_many({"backend_id": former}, {"$set": own})
        database["backends"].delete_one({"id": former})


__all__ = [
    "Server",
    "ServerStatus",
    "ServersFound",
    "active_servers",
    "find_servers",
    "note_switched_off",
    "record_server",
    "servers_for_urls",
    "servers_of",
]

ServerStatus = Literal["online", "offline", "error"]

_THERE: Mapping[str, Any] = {"deleted_at": None}
_ACTIVE: Mapping[str, Any] = {"is_active": {"$ne": False}, **_THERE}
_SWITCHED_OFF: Mapping[str, Any] = {"$or": [{"is_active": False}, {"deleted_at": {"$ne": None}}]}


def find_servers(database: Database[Document]) -> ServersFound:
    """Read every active server that is not deleted, and the rows that cannot be used."""
    return servers_of(_rows(database, _ACTIVE))


def active_servers(database: Database[Document]) -> list[Server]:
    """Read every active server that is not deleted and whose row can be used."""
    return [*find_servers(database).servers]


def servers_for_urls(database: Database[Document], urls: Iterable[str]) -> list[Server]:
    """Find the servers of addresses in any spelling; one without a row gets an id from its address.

    A row that is switched off counts, unless an active one has its address: the stored data of a
    server belongs to one id.

    Raises:
        UnusableAddress: One of them is not an http or https address.
    """
    wanted = {shown_url(url): url for url in map(normal_url, urls)}
    known = _by_address(servers_of(_rows(database, _THERE)))
    known |= _by_address(find_servers(database))
    return [
        server
        for shown, url in wanted.items()
        for server in known.get(shown) or [server_of_url(url)]
    ]


def record_server(
    database: Database[Document],
    server: Server,
    status: ServerStatus,
    capabilities: Mapping[str, Any] | None,
    error: str | None,
    model_count: int | None,
    now: datetime,
) -> None:
    """Record the status of a server in `comfyui_servers` and `backends`.

    A row of `comfyui_servers` is changed only if there is one, and never its key. Unknown facts
    stay as they were.

    Args:
        database: The StoryCanvas database.
        server: Which one.
        status: Its status.
        capabilities: Its own description; None keeps the former one.
        error: Why it is not online, or its models are unknown; None otherwise.
        model_count: Models of a complete listing; None keeps the former count.
        now: UTC.
    """
    row: Document = {"status": status, "last_check": now, "last_error": error}
    if capabilities is not None:
        row["capabilities"] = dict(capabilities)
    with translated_errors():
        database["comfyui_servers"].update_one({"id": server.id, "deleted_at": None}, {"$set": row})
    _record_backend(database, server, status == "online", model_count, now)


def note_switched_off(database: Database[Document], now: datetime) -> None:
    """Mark servers whose row is switched off or deleted as offline; their models stay."""
    with translated_errors():
        ids = database["comfyui_servers"].distinct("id", _SWITCHED_OFF)
        database["backends"].update_many(
            {"id": {"$in": ids}, "is_online": True},
            {"$set": {"is_online": False, "last_check": now}},
        )


def _record_backend(
    database: Database[Document],
    server: Server,
    is_online: bool,
    model_count: int | None,
    now: datetime,
) -> None:
    backend: Document = {
        "name": server.name,
        "url": server.address,
        "is_online": is_online,
        "last_check": now,
    }
    on_insert: Document = {"_id": server.id}
    (on_insert if model_count is None else backend)["model_count"] = model_count or 0
    update = {"$set": backend, "$setOnInsert": on_insert}
    with translated_errors():
        try:
            database["backends"].update_one({"id": server.id}, update, upsert=True)
        except DuplicateKeyError:
            # Two runs inserted it at once; now it is there.
            database["backends"].update_one({"id": server.id}, {"$set": backend})


def _rows(database: Database[Document], wanted: Mapping[str, Any]) -> list[Document]:
    found = reading_anything(database)["comfyui_servers"]
    with translated_errors():
        return [*found.find(wanted, dict.fromkeys(ROW_FIELDS, True)).sort("id")]


def _by_address(found: ServersFound) -> dict[str, list[Server]]:
    servers: dict[str, list[Server]] = {}
    for server in found.servers:
        servers.setdefault(server.address, []).append(server)
    return servers
