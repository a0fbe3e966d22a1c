"""Make a fresh or moved `mongod` the one writable member of its replica set."""

from typing import Any

from pymongo import MongoClient
from pymongo.errors import ConnectionFailure, OperationFailure

from storycanvas.services.errors import ReplicaSetRefused
from storycanvas.services.ports import LOOPBACK

NAME = "rs0"
_NOT_YET_INITIALIZED = 94
_NEEDS_TIME = {
    "AlreadyInitialized",  # its files name a set that it has not finished reading
    "ConfigurationInProgress",
    "InterruptedAtShutdown",
    "InterruptedDueToReplStateChange",
    "NotPrimaryOrSecondary",
    "NotWritablePrimary",
    "PrimarySteppedDown",
    "ShutdownInProgress",
}


def is_writable(port: int) -> bool:
    """Check whether the server on a loopback port takes writes; False when nothing answers."""
    try:
        with _connect(port) as client:
            return bool(client.admin.command("hello").get("isWritablePrimary"))
    except ConnectionFailure:
        return False


def becomes_primary(port: int) -> bool:
    """Make one try to bring the one-node replica set to where it takes writes.

    Args:
        port: Where the server listens now, which may be another port than when it ran last.

    Returns:
        True when it takes writes; False when it needs more time.
    """
    try:
        with _connect(port) as client:
            if client.admin.command("hello").get("isWritablePrimary"):
                return True
            _configure(client, f"{LOOPBACK}:{port}")
    except ConnectionFailure:
        return False
    except OperationFailure as error:
        if (error.details or {}).get("codeName") not in _NEEDS_TIME:
            raise ReplicaSetRefused(
                f"mongod on port {port} does not become a replica set: {error.details}. "
                "Its files may stem from another set; use another state directory."
            ) from error
    return False


def _configure(client: MongoClient[dict[str, Any]], address: str) -> None:
    config = _read_config(client)
    member = {"_id": 0, "host": address}
    if config is None:
        client.admin.command("replSetInitiate", {"_id": NAME, "members": [member]})
    elif config["members"][0]["host"] != address:
        moved = config | {"members": [member], "version": config["version"] + 1}
        # Forced: the server is not a member of the set that its files describe, so has no primary.
        client.admin.command("replSetReconfig", moved, force=True)


def _read_config(client: MongoClient[dict[str, Any]]) -> dict[str, Any] | None:
    try:
        config: dict[str, Any] = client.admin.command("replSetGetConfig")["config"]
    except OperationFailure as error:
        if error.code == _NOT_YET_INITIALIZED:
            return None
        raise
    return config


def _connect(port: int) -> MongoClient[dict[str, Any]]:
    return MongoClient(LOOPBACK, port, directConnection=True, serverSelectionTimeoutMS=500)
