"""How long finding characters takes where each has a whole history.

    python -m benchmarks.character_search [characters]     (10,000 if not given)

Each character has 200 history entries, as many as it keeps, and a gallery. Beside each search
stands the same without the indexes, which reads every document. The exit code is 1 when a search
takes a second or more.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from db.character_search.found import CharacterQuery
from db.character_search.names import character_called
from db.character_search.search import find_characters
from db.connection import Document, connect
from db.schema.documents.characters import HISTORY_LIMIT
from db.setup.apply import initialise
from storycanvas.services.mongod import Mongod
from storycanvas.services.shared import acquire
from tests.support.db.database_state import Data

CHARACTERS = 10_000
PROJECTS = 50
MOST_SECONDS = 1.0
ROUNDS = 5
SEARCHES = {
    "a rare part of a name": CharacterQuery(text="ara 7777"),
    "a part of every name": CharacterQuery(text="MARA"),
    "all": CharacterQuery(),
    "a project": CharacterQuery(project="project 7"),
    "a part of a name in a project": CharacterQuery(text="77", project="Project 7"),
}


def main(characters: int = CHARACTERS) -> int:
    """Measure, print a line for each search, and return the exit code."""
    with (
        tempfile.TemporaryDirectory() as state_dir,
        acquire(Mongod(standalone=True), Path(state_dir)) as lease,
    ):
        database = connect(lease.url, "many")
        initialise(database)
        add_characters(database, characters)
        slowest = [_told(name, _search(database, wanted)) for name, wanted in SEARCHES.items()]
        named = f"MARA {characters - 1}"
        slowest.append(_told("a name", lambda: character_called(database, named).id))
        database["characters"].drop_indexes()
        for name, wanted in SEARCHES.items():
            _told(f"without indexes, {name}", _search(database, wanted), rounds=1)
    return int(max(slowest) >= MOST_SECONDS)


def add_characters(database: Data, count: int) -> None:
    """Add characters with a full history, as the app and runs write it, in `PROJECTS` projects."""
    then = datetime(2026, 1, 1, tzinfo=UTC)
    database["projects"].insert_many(
        {"id": f"p{n}", "name": f"Project {n}"} for n in range(PROJECTS)
    )
    for first in range(0, count, 100):
        database["characters"].insert_many(
            {
                "id": f"c{n}",
                "project_id": f"p{n % PROJECTS}",
                "name": f"Mara {n}",
                "reference_images": [f"/uploads/{n}/{k}.png" for k in range(3)],
                "facefusion_processing_history": _history(n, then),
                "facefusion_output_gallery": {
                    "enhanced_faces": [f"/uploads/local/result/{n}-{k}.png" for k in range(40)],
                    "age_variants": {str(age): f"/uploads/{n}-{age}.png" for age in range(10, 80)},
                },
            }
            for n in range(first, min(first + 100, count))
        )


def _history(number: int, then: datetime) -> list[Document]:
    return [
        {
            "id": f"{number}-{entry}",
            "operation_type": "age_adjust",
            "input_image_url": f"http://127.0.0.1/uploads/local/upload/2026/01/{number}.png",
            "output_image_url": f"http://127.0.0.1/uploads/local/result/2026/01/{number}{entry}.png",
            "parameters": {"target_age": entry % 90, "face_age_modifier": 20, "blend": 0.7},
            "success": True,
            "processing_time_seconds": 4.2,
            "created_at": then,
        }
        for entry in range(HISTORY_LIMIT)
    ]


def _search(database: Data, wanted: CharacterQuery) -> Callable[[], object]:
    return lambda: find_characters(database, wanted).summary()


def _told(name: str, search: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Time a search, print the median and the slowest, and return the slowest."""
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        answer = search()
        seconds.append(time.perf_counter() - began)
    print(f"{name}: {statistics.median(seconds):.3f} s, at most {max(seconds):.3f} s ({answer})")
    return max(seconds)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
