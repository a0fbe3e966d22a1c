"""The app's look-ups of a user after `init-db`, beside a database with the app's indexes alone.

    python -m benchmarks.user_lookup [users]     (200,000 if not given)

The third database has neither: it shows what a look-up without an index costs. The
exit code is 1 when a look-up takes more than 1.5 times as long.
"""

import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

from db.connection import connect
from db.setup.apply import initialise
from storycanvas.services.mongod import Mongod
from storycanvas.services.shared import acquire
from tests.support.db.app_queries import create_app_indexes
from tests.support.db.database_state import Data

USERS = 200_000
MOST = 1.5
"""Times the bare database's time that a look-up may take."""


def main(users: int = USERS) -> int:
    """Measure, print a line for each field, and return the exit code."""
    slowest = 0.0
    with (
        tempfile.TemporaryDirectory() as state_dir,
        acquire(Mongod(standalone=True), Path(state_dir)) as lease,
    ):
        bare, ours, none = (connect(lease.url, name) for name in ("bare", "ours", "none"))
        create_app_indexes(bare, "users")
        initialise(ours)
        for database in (bare, ours, none):
            add_users(database, users)
        for field in ("email", "username"):
            ratio = lookup_ratio(bare, ours, field, users)
            slowest = max(slowest, ratio)
            without = lookup_ratio(bare, none, field, users, rounds=1)
            print(
                f"{users} users, by {field}: {ratio:.2f} times as long as with the app's indexes "
                f"alone; without an index {without:.0f} times."
            )
    return int(slowest > MOST)


def add_users(database: Data, count: int) -> None:
    """Add users as the app registers them."""
    for first in range(0, count, 10_000):
        database["users"].insert_many(
            {"id": str(n), "username": f"user{n}", "email": f"{n}@example.org", "api_keys": {}}
            for n in range(first, min(first + 10_000, count))
        )


def lookup_ratio(bare: Data, other: Data, field: str, count: int, rounds: int = 11) -> float:
    """Compare how long the app's look-ups of a user take, each round side by side."""
    made = random.Random(0)  # noqa: S311
    written = "{}@example.org" if field == "email" else "user{}"
    ratios = []
    for _ in range(rounds):
        values = [written.format(number) for number in made.choices(range(count), k=100)]
        alone = _lookup_seconds(bare, field, values)
        ratios.append(_lookup_seconds(other, field, values) / alone)
    return statistics.median(ratios)


def _lookup_seconds(database: Data, field: str, values: list[str]) -> float:
    began = time.perf_counter()
    for value in values:
        if database["users"].find_one({field: value}) is None:
            raise LookupError(f"There is no user of {field} {value}.")
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
