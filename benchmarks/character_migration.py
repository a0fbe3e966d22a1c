"""The migration of many characters beside one plain `update_many`, in one run on one server.

    python -m benchmarks.character_migration [characters] [rounds]

The migration also leaves documents with a field twice, notes what was there, proves its result and
records itself. The exit code is 1 when it takes more than 1.25 times as long.
"""

import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from pymongo.collection import Collection
from pymongo.database import Database

from db.connection import Document, connect
from db.migrations.engine.migration import load_migrations
from db.migrations.engine.migrator import Migrator
from db.migrations.versions.m0001_character_fields import FIELDS
from storycanvas.services.mongod import Mongod
from storycanvas.services.shared import acquire

CHARACTERS = 1_000_000
ROUNDS = 3
MOST = 1.25
SOCKET_TIMEOUT = "socketTimeoutMS=3600000"
"""One plain update of a million documents takes longer than the policy's 10 s."""

BATCH = 10_000
DESCRIPTION = "A keeper of bees who knows the sea from a single visit and speaks of it daily. " * 3


def made_characters(count: int) -> Iterator[Document]:
    """Make characters as the older app leaves them, about 400 bytes each, no FaceFusion field."""
    for number in range(count):
        yield {
            "id": f"character-{number}",
            "project_id": f"project-{number % 997}",
            "name": f"Character {number}",
            "description": DESCRIPTION,
            "reference_images": [f"/uploads/characters/{number}.png"],
            "created_at": "2025-03-01T12:00:00Z",
        }


def fill(collection: Collection[Document], count: int) -> None:
    """Put characters into an empty collection."""
    made = made_characters(count)
    while batch := list(islice(made, BATCH)):
        collection.insert_many(batch, ordered=False)


def plain(database: Database[Document]) -> None:
    """Set the three fields, and note nothing."""
    database["characters"].update_many({}, {"$set": dict(FIELDS.defaults)})


def migration(database: Database[Document]) -> None:
    """Carry out migration 1."""
    Migrator(database, "benchmark", load_migrations()).apply("1")


def measure(database: Database[Document], work: Callable[[Database[Document]], None]) -> float:
    """Time some work on a fresh copy of the characters, in seconds."""
    database["migrations"].drop()
    database["made"].aggregate([{"$out": "characters"}])
    database.client.admin.command("fsync")
    began = time.perf_counter()
    work(database)
    return time.perf_counter() - began


def peak_memory() -> float:
    """Return the most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(characters: int = CHARACTERS, rounds: int = ROUNDS) -> int:
    """Measure, print a line for each round and the middle ratio, and return the exit code."""
    with (
        tempfile.TemporaryDirectory() as state_dir,
        acquire(Mongod(standalone=True), Path(state_dir)) as lease,
    ):
        joint = "&" if "?" in lease.url else "?"
        database = connect(f"{lease.url}{joint}{SOCKET_TIMEOUT}", "benchmark")
        fill(database["made"], characters)
        ratios, memory = [], peak_memory()
        for number in range(1, rounds + 1):
            alone, ours = measure(database, plain), measure(database, migration)
            ratios.append(ours / alone)
            took = f"plain {alone:.1f} s, migration {ours:.1f} s, {ratios[-1]:.2f}"
            print(f"round {number}: {took}", flush=True)
        grown = peak_memory() - memory
        print(
            f"{characters} characters: the migration takes {statistics.median(ratios):.2f} times "
            f"as long as one plain update_many; memory grew by {grown:.0f} MB."
        )
        return int(statistics.median(ratios) > MOST)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
