"""Migration 5 and the audit on characters with everything in them, beside plain work on the same.

    python -m tests.support.db.large_documents [characters]

The yardstick of the migration is one `update_many` that reads every time of every history and
notes nothing; that of the audit is reading every character once.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from pymongo.database import Database

from benchmarks.character_migration import SOCKET_TIMEOUT
from db.audit.audit import audit
from db.connection import Document, connect
from db.migrations.engine.migration import load_migrations
from db.migrations.engine.migrator import Migrator
from db.setup.apply import initialise
from storycanvas.services.mongod import Mongod
from storycanvas.services.shared import acquire

CHARACTERS = 3_000
HISTORY = "facefusion_processing_history"
ENTRIES = 200
PICTURES = 60
BATCH = 500
FIRST = datetime(2025, 3, 1, 12, tzinfo=UTC)


def full_character(number: int) -> Document:
    """Make a character with every list filled, about 100 KB, its times as the app writes them."""
    picture = f"http://localhost:8001/uploads/faceswap/{number:06}"
    return {
        "id": f"character-{number}",
        "project_id": f"project-{number % 97}",
        "name": f"Character {number}",
        "description": "A keeper of bees who knows the sea from a single visit. " * 20,
        "reference_images": [f"/uploads/characters/{number}-{n}.png" for n in range(20)],
        "created_at": "2025-03-01T12:00:00Z",
        "updated_at": "2025-03-01T12:00:00.123456+00:00",
        "deleted_at": None,
        "deleted_by": None,
        "facefusion_preferred_settings": {"enhancement_model": "gfpgan_1.4", "age_blend": 0.5},
        "facefusion_output_gallery": {
            "age_variants": {str(age): f"{picture}-{age}.png" for age in range(10, 100)},
            **{
                name: [f"{picture}-{name}-{n}.png" for n in range(PICTURES)]
                for name in (
                    *("enhanced_faces", "swapped_faces", "edited_expressions", "custom_outputs"),
                )
            },
        },
        HISTORY: [_entry(picture, number, n) for n in range(ENTRIES)],
    }


def _entry(picture: str, number: int, place: int) -> Document:
    return {
        "id": f"{number:06}-{place:04}",
        "operation_type": "enhance",
        "input_image_url": f"{picture}-{place}-in.png",
        "output_image_url": f"{picture}-{place}-out.png",
        "parameters": {"model": "gfpgan_1.4", "blend": 0.8, "weight": 0.5},
        "status": "completed",
        "processing_time_seconds": 1.5,
        "error_message": None,
        "created_at": (FIRST + timedelta(seconds=place)).isoformat(),
    }


def fill(database: Database[Document], count: int) -> None:
    """Put full characters into the collection that each round copies."""
    made: Iterator[Document] = map(full_character, range(count))
    while batch := list(islice(made, BATCH)):
        database["made"].insert_many(batch)


def plain_dates(database: Database[Document]) -> None:
    """Read every time of every history, and note nothing."""
    date = {"$dateFromString": {"dateString": "$$entry.created_at"}}
    dated = {"$mergeObjects": ["$$entry", {"created_at": date}]}
    entries = {"$map": {"input": f"${HISTORY}", "as": "entry", "in": dated}}
    database["characters"].update_many({}, [{"$set": {HISTORY: entries}}])


def dates(database: Database[Document]) -> None:
    """Carry out migration 5."""
    [migration] = [found for found in load_migrations() if found.name == "dates"]
    Migrator(database, "benchmark", [migration]).apply()


def plain_reading(database: Database[Document]) -> None:
    """Read every character once."""
    for _ in database["characters"].find():
        pass


def whole_audit(database: Database[Document]) -> None:
    """Audit everything, every document validated."""
    audit(database, datetime.now(UTC), None)


def seconds(work: Callable[[Database[Document]], None], database: Database[Document]) -> float:
    """Time some work."""
    began = time.perf_counter()
    work(database)
    return time.perf_counter() - began


def on_a_copy(work: Callable[[Database[Document]], None], database: Database[Document]) -> float:
    """Time some work on a fresh copy of the characters."""
    database["migrations"].drop()
    database["made"].aggregate([{"$out": "characters"}])
    database.client.admin.command("fsync")
    return seconds(work, database)


def main(characters: int = CHARACTERS) -> None:
    """Measure and print a line each."""
    with (
        tempfile.TemporaryDirectory() as state_dir,
        acquire(Mongod(standalone=True), Path(state_dir)) as lease,
    ):
        joint = "&" if "?" in lease.url else "?"
        database = connect(f"{lease.url}{joint}{SOCKET_TIMEOUT}", "benchmark")
        fill(database, characters)
        alone, ours = on_a_copy(plain_dates, database), on_a_copy(dates, database)
        print(f"dates: plain {alone:.1f} s, migration 5 {ours:.1f} s, {ours / alone:.2f}")
        initialise(database)
        alone, ours = seconds(plain_reading, database), seconds(whole_audit, database)
        print(f"audit: reading {alone:.1f} s, audit-db {ours:.1f} s, {ours / alone:.2f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
