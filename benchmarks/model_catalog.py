"""Syncing the models of many servers beside one plain unordered `bulk_write` of the same documents.

    python -m benchmarks.model_catalog [--models 100000] [--servers 10] [--rounds 3]

All in one run on one server: the bulk write; a first sync; a second at once, whose listings are
those that were compared last; a sync that compares each model all the same; and a sync when
`last_seen` is due. The servers list over HTTP.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pymongo import InsertOne
from pymongo.database import Database

from benchmarks.character_migration import peak_memory
from benchmarks.listing_servers import listing_servers
from db.catalog.listing.write import LAST_SEEN_SECONDS
from db.catalog.servers import Server, record_server, servers_for_urls
from db.connection import Document, connect
from db.setup.apply import initialise
from storycanvas.catalog.comfyui.server import read_server
from storycanvas.services.mongod import Mongod
from storycanvas.services.shared import acquire
from tasks.catalog.sync import update_models

AT_ONCE = 2
SOCKET_TIMEOUT = "socketTimeoutMS=3600000"
"""One plain bulk write of all documents takes longer than the policy's 10 s."""
MODELS = "active_backend_models"


def sync(database: Database[Document], urls: Sequence[str]) -> None:
    """Sync every server as the flow does, some at a time."""
    servers = servers_for_urls(database, urls)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done in [pool.submit(sync_one, database, server) for server in servers]:
            done.result()


def sync_one(database: Database[Document], server: Server) -> None:
    """Do what the flow's task does for one server."""
    now = datetime.now(UTC)
    reading = read_server(server.url, read_metadata=False)
    listing = reading.listing
    if listing is None or not listing.complete:
        raise SystemExit(f"{server.name} was not read: {reading.error}")
    count = len(listing.entries)
    status, capabilities = reading.status, reading.capabilities
    record_server(database, server, status, capabilities, reading.error, count, now)
    update_models(database, server.backend, listing, now)


def plain(database: Database[Document], documents: Sequence[Document]) -> None:
    """Write the same documents in one unordered bulk write."""
    database[MODELS].bulk_write([InsertOne(document) for document in documents], ordered=False)


def timed(work: Callable[[], None]) -> float:
    """Time some work, in seconds."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def emptied(database: Database[Document]) -> None:
    """Make the collections anew, with validators and indexes."""
    database.client.drop_database(database.name)
    initialise(database)
    database.client.admin.command("fsync")


def forget_listings(database: Database[Document]) -> None:
    """Let each model be compared, although the listing is the one that was compared last."""
    database["backends"].update_many({}, {"$set": {"listing_digest": None}})


def grow_old(database: Database[Document]) -> None:
    """Let every model have been seen long ago."""
    forget_listings(database)
    long_ago = datetime.now(UTC) - timedelta(seconds=2 * LAST_SEEN_SECONDS)
    database[MODELS].update_many({}, {"$set": {"last_seen": long_ago}})


def measure(database: Database[Document], urls: Sequence[str]) -> dict[str, float]:
    """Measure one round, in seconds."""
    emptied(database)
    took = {"first": timed(lambda: sync(database, urls))}
    took["second"] = timed(lambda: sync(database, urls))
    forget_listings(database)
    took["compared"] = timed(lambda: sync(database, urls))
    grow_old(database)
    took["due"] = timed(lambda: sync(database, urls))
    return took


def measure_plain(database: Database[Document]) -> float:
    """Time the bulk write of what a sync has stored, in seconds."""
    documents = [*database[MODELS].find()]
    emptied(database)
    return timed(lambda: plain(database, documents))


def rounds(database: Database[Document], urls: Sequence[str], count: int) -> None:
    """Measure, and print a line for each round, then the middle ratios."""
    ratios: dict[str, list[float]] = {"plain": [], "second": [], "compared": []}
    memory = 0.0
    for number in range(1, count + 1):
        took = measure(database, urls)
        memory = memory or peak_memory()
        stored = database[MODELS].count_documents({})
        took["plain"] = measure_plain(database)
        for name, found in ratios.items():
            found.append(took["first"] / took[name])
        print(
            f"round {number}, {stored} models: plain {took['plain']:.2f} s, "
            f"first {took['first']:.2f} s, second {took['second']:.2f} s, each model compared "
            f"{took['compared']:.2f} s, last_seen due {took['due']:.2f} s",
            flush=True,
        )
    plain_, second, compared = (statistics.median(found) for found in ratios.values())
    print(
        f"The first sync takes {plain_:.2f} times as long as the plain bulk write; an unchanged "
        f"sync is {second:.1f} times faster, {compared:.1f} times when each model is compared; "
        f"memory at most {memory:.0f} MB."
    )


def main() -> None:
    """Start the servers and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=100_000)
    parser.add_argument("--servers", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as state_dir,
        acquire(Mongod(standalone=True), Path(state_dir)) as lease,
        listing_servers(options.servers, options.models // options.servers) as urls,
    ):
        joint = "&" if "?" in lease.url else "?"
        database = connect(f"{lease.url}{joint}{SOCKET_TIMEOUT}", "benchmark")
        rounds(database, urls, options.rounds)


if __name__ == "__main__":
    main()
