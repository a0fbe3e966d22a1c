"""Rows of `comfyui_servers` as servers, and the rows that cannot be used."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args
from urllib.parse import urlsplit, urlunsplit
from uuid import NAMESPACE_URL, uuid5

from db.errors import UnusableAddress

_USUAL_PORTS = {"http": 80, "https": 443}


def normal_url(url: str) -> str:
    """Normalise an http or https address, so that two spellings are equal.

    Returns:
        The address without white space around it, a slash at its end, a fragment or the usual port,
        and with scheme and host in lower case.

    Raises:
        UnusableAddress: It is not an http or https address.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UnusableAddress(_NO_ADDRESS) from error
    if parts.scheme not in _USUAL_PORTS or not host:
        raise UnusableAddress(_NO_ADDRESS)
    user = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
    place = f"[{host}]" if ":" in host else host
    is_usual = port is None or port == _USUAL_PORTS[parts.scheme]
    netloc = f"{user}{place}{'' if is_usual else f':{port}'}"
    return urlunsplit((parts.scheme, netloc, parts.path.rstrip("/"), parts.query, ""))


def shown_url(url: str) -> str:
    """Remove user and query, which may hold a password or a key, from a normalised address."""
    # Not net.redact: the id of a server without a row is made of exactly this text, so another cut
    # would store all its models a second time.
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


_NO_ADDRESS = "An address of a server is not of the form http://host:port; correct it."


@dataclass(frozen=True, slots=True)
class BackendRef:
    """The backend that models belong to.

    Attributes:
        id: Of the server; model ids begin with it.
        name: For people.
        url: Without a user or a query.
    """

    id: str
    name: str
    url: str


ServerType = Literal["standard", "runpod"]

ROW_FIELDS = ("id", "name", "url", "server_type", "api_key", "endpoint_id")
"""Fields that are read of a row."""


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


def servers_of(rows: Sequence[Mapping[str, Any]]) -> ServersFound:
    """Choose the rows that are servers; of several with one address or one id, the first one."""
    servers: dict[tuple[str, str | None], Server] = {}
    ids: set[str] = set()
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
        place = (server.address, server.endpoint_id)
        if place in servers:
            reason = f"It has the address of {servers[place].name!r}; delete one of the two rows."
            unreadable.append((subject, reason))
        elif server.id in ids:
            unreadable.append((subject, "It has the id of another row; give it one of its own."))
        else:
            servers[place] = server
            ids.add(server.id)
    return ServersFound(tuple(servers.values()), tuple(unreadable))


def usable_server(row: Mapping[str, Any]) -> Server | None:
    """Read a row as a server; None when it cannot be used as one."""
    try:
        return _of_row(row)
    except UnusableAddress:
        return None


def server_of_url(url: str) -> Server:
    """Make the server of a normalised address without a row."""
    shown = shown_url(url)
    host = urlsplit(shown).netloc
    return Server(id=str(uuid5(NAMESPACE_URL, shown)), name=host, url=url)


def _of_row(row: Mapping[str, Any]) -> Server | None:
    texts = {
        name: value for name in ROW_FIELDS if isinstance(value := row.get(name), str) and value
    }
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
