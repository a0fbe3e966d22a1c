"""The migration of many characters beside one plain `update_many`, in one run on one server.

    python -m benchmarks.character_migration [characters] [rounds]

The migration also notes what was there, proves its result and records itself.
"""

import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from pymongo.database import Database

from benchmarks.made_characters import fill
from db.connection import Document, connect
from db.migrations.engine.migration import load_migrations
from db.migrations.engine.migrator import Migrator
from db.migrations.versions.m0001_character_fields import FIELDS
from storycanvas.services.mongod import Mongod
from storycanvas.services.shared import acquire

CHARACTERS = 1_000_000
ROUNDS = 3
SOCKET_TIMEOUT = "socketTimeoutMS=3600000"
"""One plain update of a million documents takes longer than the policy's 10 s."""


def plain(database: Database[Document]) -> None:
    """Set the three fields as the owner's own script does."""
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
    """Say how much memory this process has ever had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(characters: int = CHARACTERS, rounds: int = ROUNDS) -> None:
    """Measure and print a line for each round, then the middle ratio."""
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
            say(f"round {number}: plain {alone:.1f} s, migration {ours:.1f} s, {ratios[-1]:.2f}")
        grown = peak_memory() - memory
        say(
            f"{characters} characters: the migration takes {statistics.median(ratios):.2f} times "
            f"as long as one plain update_many; memory grew by {grown:.0f} MB."
        )


def say(line: str) -> None:
    """Print a line of the result."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
