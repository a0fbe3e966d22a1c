"""The hashes that an operator's list tells, and whose files they are of."""

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from prefect.logging import get_run_logger

from catalog.errors import CatalogError
from catalog.hash_list import HashList, read_hash_list
from db.catalog.servers import Server


class HashesUnreadable(Exception):
    """The list of hashes is not there, or none."""

    retryable: ClassVar[bool] = False


def told_hashes(hash_file: str | None) -> HashList:
    """Read a list of hashes; the log tells of rows that cannot be read.

    Args:
        hash_file: Where it is (`catalog.hash_list`); none or blank for no hashes.

    Raises:
        HashesUnreadable: It cannot be read.
    """
    if not hash_file:
        return HashList({})
    path = Path(hash_file)
    try:
        found = read_hash_list(path)
    except (OSError, CatalogError) as error:
        raise HashesUnreadable(f"The hashes of {path.name!r} cannot be read: {error}") from error
    for problem in found.problems:
        get_run_logger().warning("Hash left out, %s: %s", problem.subject, problem.reason)
    return found


def names_of(server: Server) -> set[str]:
    """Say what a list may call a server."""
    return {server.id, server.name, server.address}


def say_whose_are_left_out(hashes: HashList, servers: Iterable[Server]) -> None:
    """Warn of names that no server of this run has: a hash of theirs is taken for no file.

    Args:
        hashes: The list.
        servers: All that are read.
    """
    known = {name for server in servers for name in names_of(server)}
    told = {server for server, _, _ in hashes.sha256s if server is not None}
    for name in sorted(told - known):
        shown = name.rpartition("@")[2].partition("?")[0]  # an address may hold a password or a key
        get_run_logger().warning("Hashes of %r are left out: no server of this run.", shown)
