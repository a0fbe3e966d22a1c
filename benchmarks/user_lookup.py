"""The app's look-ups of a user after `init-db`, beside a database with the app's indexes alone.

    python -m benchmarks.user_lookup [users]

The third database has neither: it shows what a look-up without an index costs.
"""

import sys
import tempfile
from pathlib import Path

from db.connection import connect
from db.setup.apply import initialise
from storycanvas.services.mongod import Mongod
from storycanvas.services.shared import acquire
from tests.support.db.app_queries import add_users, create_app_indexes, lookup_ratio

USERS = 200_000


def main(users: int = USERS) -> None:
    """Measure and print a line for each field."""
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
            without = lookup_ratio(bare, none, field, users, rounds=1)
            print(
                f"{users} users, by {field}: {ratio:.2f} times as long as with the app's indexes "
                f"alone; without an index {without:.0f} times."
            )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
