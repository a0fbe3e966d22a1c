"""Migration 5 and the audit of full characters: python -m tests.support.db.large_documents [count].

Run it in turns with another commit to compare the seconds.
"""

import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from db.audit.audit import audit
from db.connection import connect
from storycanvas.services.mongod import Mongod
from storycanvas.services.shared import acquire
from tests.support.db.migrating import go_up

TIME = "2025-03-01T12:00:00.123456+00:00"


def full_character(number: int) -> dict[str, Any]:
    """Make a character with 200 history entries and a full gallery, about 80 KB."""
    urls = [f"http://localhost:8001/uploads/{number:06}-{n:04}.png" for n in range(200)]
    entry = {"operation_type": "enhance", "status": "completed", "created_at": TIME}
    return {
        "id": f"character-{number}",
        "created_at": TIME,
        "facefusion_output_gallery": {"enhanced_faces": urls, "custom_outputs": urls},
        "facefusion_processing_history": [
            {"id": url, "input_image_url": url} | entry for url in urls
        ],
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, acquire(Mongod(), Path(folder)) as lease:
        database = connect(lease.url, "benchmark")
        for number in range(int((sys.argv[1:] or ["1000"])[0])):
            database["characters"].insert_one(full_character(number))
        began = time.perf_counter()
        go_up(database, 5)
        migrated = time.perf_counter()
        audit(database, datetime.now(UTC), None)
        print(f"migration 5 {migrated - began:.1f} s, audit {time.perf_counter() - migrated:.1f} s")
