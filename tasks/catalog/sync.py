"""Reads what servers list, and updates their records."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from prefect.logging import get_run_logger
from pymongo.database import Database

from blocks.environment import Environment
from db.catalog.listing.stored import known_metadata
from db.catalog.listing.sync import ModelChanges, note_comparison, sync_models, was_just_compared
from db.catalog.server_rows import BackendRef
from db.catalog.servers import (
    Server,
    find_servers,
    move_to_backend,
    note_switched_off,
    record_server,
    servers_for_urls,
)
from db.connection import Document
from storycanvas.catalog.comfyui.server import read_server
from storycanvas.catalog.entries import Listing, ServerReading, listing_digest
from storycanvas.catalog.errors import CatalogError
from storycanvas.catalog.hashes import HashList, read_hash_list, with_hashes
from storycanvas.catalog.reporting.models_frame import listed_frame
from storycanvas.catalog.reporting.reports import MAX_PROBLEMS, ServerSync, SyncReport
from tasks.artifacts import ReportArtifact
from tasks.retries import retrying_task


def update_models(
    database: Database[Document], backend: BackendRef, listing: Listing, now: datetime
) -> ModelChanges:
    """Compare a listing with the stored models of a server, and write what differs.

    `now` is the time when the server was asked, UTC; its own record exists already.
    """
    digest = listing_digest(backend.name, backend.url, listing.entries)
    is_whole = listing.complete and listing.folders is None
    if is_whole and was_just_compared(database, backend.id, digest, now):
        return ModelChanges(unchanged=len(listing.entries))
    listed = listed_frame(listing.entries)
    changes = sync_models(database, backend, listed, listing.complete, now, listing.folders)
    is_stored = is_whole and not changes.refused
    note_comparison(database, backend.id, digest if is_stored else None, now)
    return changes


class HashesUnreadable(Exception):
    """The list of hashes does not exist, or cannot be read."""

    retryable: ClassVar[bool] = False


def read_hash_file(hash_file: str | None) -> HashList:
    """Read a list of hashes (`storycanvas.catalog.hashes`); rows that cannot be read are logged.

    Without a path there are no hashes.

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
    """The names that a list may give a server."""
    return {server.id, server.name, server.address}


def warn_unknown_servers(hashes: HashList, servers: Iterable[Server]) -> None:
    """Warn of names in the list that no server of this run has: their hashes are not used."""
    known = {name for server in servers for name in names_of(server)}
    listed = {server for server, _, _ in hashes.sha256s if server is not None}
    for name in sorted(listed - known):
        # An address may hold a password or a key. Not net.redact, which needs a scheme: a name of
        # the list may be an address without one, and is shown without it.
        shown = name.rpartition("@")[2].partition("?")[0]
        get_run_logger().warning("Hashes of %r are left out: no server of this run.", shown)


@retrying_task("{server.name}")
def sync_server(
    database: Database[Document],
    server: Server,
    hashes: HashList,
    *,
    read_metadata: bool,
) -> ServerSync:
    """Read a server and update its records; `hashes` adds sums that are known from elsewhere."""
    now = datetime.now(UTC)  # before the request, so that a later run is newer
    move_to_backend(database, server)
    reading = read_server(
        server.url,
        kind=server.server_type,
        api_key=server.api_key,
        endpoint_id=server.endpoint_id,
        read_metadata=read_metadata,
        known_metadata=known_metadata(database, server.id) if read_metadata else {},
    )
    changes, listing = None, reading.listing
    count = len(listing.entries) if listing is not None and listing.complete else None
    record_server(database, server, reading.status, reading.capabilities, reading.error, count, now)
    if listing is not None:
        known = with_hashes(listing, hashes.of_server(names_of(server)))
        changes = update_models(database, server.backend, known, now)
    return _server_sync(server, reading, changes)


def _server_sync(
    server: Server, reading: ServerReading, changes: ModelChanges | None
) -> ServerSync:
    listing = reading.listing
    problems = _problems(listing, changes)
    return ServerSync(
        id=server.id,
        name=server.name,
        url=server.address,
        status=reading.status,
        seconds=reading.seconds,
        models=None if listing is None else len(listing.entries),
        complete=listing is not None and listing.complete,
        error=reading.error,
        problems=tuple(problems[:MAX_PROBLEMS]),
        problem_count=len(problems),
        **_counts(changes),
    )


def _problems(listing: Listing | None, changes: ModelChanges | None) -> list[str]:
    unread = [(problem.subject, problem.reason) for problem in listing.problems] if listing else []
    refused = changes.refused if changes else ()
    return [f"{subject}: {reason}" for subject, reason in (*unread, *refused)]


def _counts(changes: ModelChanges | None) -> dict[str, int]:
    words = ("new", "back", "changed", "gone", "unchanged")
    counts = {word: getattr(changes, word) for word in words} if changes else {}
    if changes:
        counts["changed"] += changes.adopted
    return counts


TABLE_KEY = "sync-model-catalog"
PROBLEMS_KEY = "sync-model-catalog-problems"


class NoServers(Exception):
    """No row, parameter or variable names a server."""

    retryable: ClassVar[bool] = False


def sync_tables(report: SyncReport) -> list[ReportArtifact]:
    """Make the table of servers and, if there are any, that of problems."""
    tables = [ReportArtifact(TABLE_KEY, [_row(server) for server in report.servers])]
    problems = [
        {"problem": problem, "server": server.name}
        for server in report.servers
        for problem in server.problems
    ]
    if problems:
        tables.append(ReportArtifact(PROBLEMS_KEY, problems, "What could not be read."))
    return tables


def servers_to_sync(
    database: Database[Document], environment: Environment, urls: Sequence[str] | None
) -> Sequence[Server]:
    """Find the servers of a run: those that are named, else every active row, else `COMFYUI_URLS`.

    Raises:
        NoServers: Nothing names a server.
        db.errors.DatabaseError: A row or an address cannot be used.
    """
    if urls:
        return servers_for_urls(database, urls)
    note_switched_off(database, datetime.now(UTC))
    found = find_servers(database)
    for subject, reason in found.unreadable:
        get_run_logger().warning("Row %s of comfyui_servers is left out: %s", subject, reason)
    if found.servers:
        return found.servers
    if environment.comfyui_server_urls:
        return servers_for_urls(database, environment.comfyui_server_urls)
    raise NoServers(
        "No server is named: comfyui_servers has no active row that can be used. Add one, give "
        "urls, or set COMFYUI_URLS."
    )


def _row(server: ServerSync) -> dict[str, str | int]:
    return {
        "server": server.name,
        "status": server.status,
        "note": server.error or "",
        "models": "unknown" if server.models is None else server.models,
        "listing": "complete" if server.complete else "incomplete or none",
        "new": server.new,
        "back": server.back,
        "changed": server.changed,
        "gone": server.gone,
        "unchanged": server.unchanged,
        "not read": server.problem_count,
        "address": server.url,
    }
