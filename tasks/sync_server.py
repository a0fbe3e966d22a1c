"""Reading one server and bringing its records to what it lists."""

from datetime import UTC, datetime

from prefect import task
from prefect.cache_policies import NO_CACHE
from pymongo.database import Database

from catalog.comfyui.server import read_server
from catalog.entries import Listing, ServerReading
from catalog.hash_list import HashList, with_hashes
from catalog.reporting.sync_report import MOST_PROBLEMS, ServerSync
from db.catalog.backend_models import ModelChanges
from db.catalog.rehoming import rehome
from db.catalog.servers import Server, record_server
from db.catalog.stored_models import known_metadata
from db.connection import Document
from tasks.retrying import may_pass
from tasks.server_models import update_models
from tasks.told_hashes import names_of


@task(cache_policy=NO_CACHE, task_run_name="{server.name}", retry_condition_fn=may_pass)
def sync_server(
    database: Database[Document],
    server: Server,
    hashes: HashList,
    *,
    read_metadata: bool,
) -> ServerSync:
    """Read one server and bring its records to what it lists.

    Args:
        database: The StoryCanvas database.
        server: Which one.
        hashes: SHA-256 sums of files that are known from elsewhere.
        read_metadata: Whether to read the metadata of files that are new.

    Raises:
        db.errors.DatabaseError: MongoDB cannot be reached, or refuses the user.
    """
    now = datetime.now(UTC)  # before it is asked: a later run then knows better
    rehome(database, server)
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
        problems=tuple(problems[:MOST_PROBLEMS]),
        problem_count=len(problems),
        **_counts(changes),
    )


def _problems(listing: Listing | None, changes: ModelChanges | None) -> list[str]:
    unread = [(one.subject, one.reason) for one in listing.problems] if listing else []
    refused = changes.refused if changes else ()
    return [f"{subject}: {reason}" for subject, reason in (*unread, *refused)]


def _counts(changes: ModelChanges | None) -> dict[str, int]:
    words = ("new", "back", "changed", "gone", "unchanged")
    counts = {word: getattr(changes, word) for word in words} if changes else {}
    if changes:
        counts["changed"] += changes.adopted
    return counts
