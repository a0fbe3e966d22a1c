"""The ComfyUI servers: which there are, and how each one was found."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from db.catalog.addresses import normal_url, shown_url
from db.catalog.backend_ref import BackendRef
from db.catalog.errors import UnusableAddress
from db.connection import Document, reading_anything, translated_errors

ServerType = Literal["standard", "runpod"]
ServerStatus = Literal["online", "offline", "error"]

_FIELDS = ("id", "name", "url", "server_type", "api_key", "endpoint_id")
_THERE: Mapping[str, Any] = {"is_active": {"$ne": False}, "deleted_at": None}


@dataclass(frozen=True, slots=True)
class Server:
    """A server that is to be read.

    Attributes:
        id: Of its row in `comfyui_servers`, else derived from the address.
        name: For people.
        url: Normalised; may hold a user, so show `address` instead.
        server_type: What kind of server it is.
        api_key: A secret.
        endpoint_id: Of a RunPod server.
    """

    id: str
    name: str
    url: str = field(repr=False)
    server_type: ServerType = "standard"
    api_key: str | None = field(default=None, repr=False)
    endpoint_id: str | None = None

    @property
    def address(self) -> str:
        """The address without a user or a query."""
        return shown_url(self.url)

    @property
    def backend(self) -> BackendRef:
        """The server as its models name it."""
        return BackendRef(self.id, self.name, self.address)


@dataclass(frozen=True, slots=True)
class ServersFound:
    """The rows of `comfyui_servers`.

    Attributes:
        servers: Those that can be read, each address once, in the order of their ids.
        unreadable: Id of each row that cannot be used, and why, as a sentence.
    """

    servers: tuple[Server, ...]
    unreadable: tuple[tuple[str, str], ...] = ()


def find_servers(database: Database[Document]) -> ServersFound:
    """Read every active server that is not deleted, and say which rows are of no use.

    Raises:
        db.errors.DatabaseError: The server cannot be reached or refuses the user.
    """
    found = reading_anything(database)["comfyui_servers"]
    with translated_errors():
        rows = [*found.find(_THERE, dict.fromkeys(_FIELDS, True)).sort("id")]
    return servers_of(rows)


def active_servers(database: Database[Document]) -> list[Server]:
    """Read every active server that is not deleted and whose row can be used.

    Raises:
        db.errors.DatabaseError: The server cannot be reached or refuses the user.
    """
    return [*find_servers(database).servers]


def servers_for_urls(database: Database[Document], urls: Iterable[str]) -> list[Server]:
    """Find the servers of some addresses; one without a row gets an id from its address.

    Args:
        database: The StoryCanvas database.
        urls: Addresses in any spelling.

    Raises:
        UnusableAddress: One of them is no http or https address.
        db.errors.DatabaseError: The server cannot be reached or refuses the user.
    """
    known = {server.address: server for server in active_servers(database)}
    wanted = {shown_url(url): url for url in map(normal_url, urls)}
    return [known.get(shown) or _of_url(url) for shown, url in wanted.items()]


def servers_of(rows: Sequence[Mapping[str, Any]]) -> ServersFound:
    """Decide which rows are servers; of several with one address the first is.

    Args:
        rows: Documents of `comfyui_servers`.
    """
    servers: dict[tuple[str, str | None], Server] = {}
    unreadable = []
    for row in rows:
        subject = str(row.get("id") or row.get("_id"))
        try:
            server = _of_row(row)
        except UnusableAddress as error:
            unreadable.append((subject, str(error)))
            continue
        if server is None:
            unreadable.append((subject, "It has no id and url that are text; correct the row."))
            continue
        # Endpoints of RunPod may share an address.
        other = servers.setdefault((server.address, server.endpoint_id), server)
        if other is not server:
            reason = f"It has the address of {other.name!r}; delete one of the two rows."
            unreadable.append((subject, reason))
    return ServersFound(tuple(servers.values()), tuple(unreadable))


def record_server(
    database: Database[Document],
    server: Server,
    status: ServerStatus,
    capabilities: Mapping[str, Any] | None,
    error: str | None,
    model_count: int | None,
    now: datetime,
) -> None:
    """Note how a server was found, in `comfyui_servers` and `backends`.

    A row of `comfyui_servers` is changed only if there is one, and never its key. What is unknown
    this time stays as it was.

    Args:
        database: The StoryCanvas database.
        server: Which one.
        status: How it is.
        capabilities: What it said about itself; None leaves what it said before.
        error: Why it is not online, or its models are unknown; None if there is nothing to say.
        model_count: Models of a complete listing; None leaves the former count.
        now: UTC.

    Raises:
        db.errors.DatabaseError: The server cannot be reached or refuses it.
    """
    row: Document = {"status": status, "last_check": now, "last_error": error}
    if capabilities is not None:
        row["capabilities"] = dict(capabilities)
    with translated_errors():
        database["comfyui_servers"].update_one({"id": server.id, "deleted_at": None}, {"$set": row})
    _record_backend(database, server, status == "online", model_count, now)


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
    made: Document = {"_id": server.id}
    (made if model_count is None else backend)["model_count"] = model_count or 0
    update = {"$set": backend, "$setOnInsert": made}
    with translated_errors():
        try:
            database["backends"].update_one({"id": server.id}, update, upsert=True)
        except DuplicateKeyError:
            # Two inserted it at once; now it is there.
            database["backends"].update_one({"id": server.id}, {"$set": backend})


def _of_row(row: Mapping[str, Any]) -> Server | None:
    texts = {name: value for name in _FIELDS if isinstance(value := row.get(name), str) and value}
    if "id" not in texts or "url" not in texts:
        return None
    url = normal_url(texts["url"])
    named = texts.get("server_type", "")
    return Server(
        id=texts["id"],
        name=texts.get("name") or shown_url(url),
        url=url,
        server_type="runpod" if named == get_args(ServerType)[1] else "standard",
        api_key=texts.get("api_key"),
        endpoint_id=texts.get("endpoint_id"),
    )


def _of_url(url: str) -> Server:
    shown = shown_url(url)
    host = urlsplit(shown).netloc
    return Server(id=str(uuid5(NAMESPACE_URL, shown)), name=host, url=url)
