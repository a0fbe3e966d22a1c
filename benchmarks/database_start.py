"""How long a start of the stack takes to see that a named database is complete.

    python -m benchmarks.database_start [rounds]     (11 if not given)

That is what `make up` and `storycanvas register --database` do with it: connect, compare every
collection, validator and index, and close. The exit code is 1 when a round takes 3 s or more, or
finds something to do.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

from db.connection import connect
from db.setup.apply import initialise
from deployments.story_database import complete_database
from storycanvas.services.mongod import Mongod
from storycanvas.services.shared import acquire

MOST_SECONDS = 3.0


def main(rounds: int = 11) -> int:
    """Measure, print a line, and return the exit code."""
    with (
        tempfile.TemporaryDirectory() as state_dir,
        acquire(Mongod(standalone=True), Path(state_dir)) as lease,
    ):
        database = connect(lease.url, "complete")
        initialise(database)
        collections = len(database.list_collection_names())
        took, told = [], []
        for _ in range(rounds):
            began = time.perf_counter()
            told += complete_database(lease.url, "complete")
            took.append(time.perf_counter() - began)
    print(
        f"{collections} collections, nothing missing: {statistics.median(took):.3f} s, "
        f"at most {max(took):.3f} s ({len(told)} lines told)"
    )
    return int(bool(told) or max(took) >= MOST_SECONDS)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
