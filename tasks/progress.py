"""How far a migration is, in the log and on its page in the Prefect UI."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.logging import get_run_logger

from db.migrate.work import Progress

EVERY_SECONDS = 2.0


@contextmanager
def migration_progress(key: str) -> Iterator[Progress]:
    """Show how far a migration is, every two seconds and at the end of each collection.

    Args:
        key: Of the artifact.

    Yields:
        What the migration tells its progress to.
    """
    artifact = cast("UUID", create_progress_artifact(0.0, key=key, description="Nothing done yet."))
    log = get_run_logger()
    shown = time.monotonic()

    def show(collection: str, seen: int, total: int) -> None:
        nonlocal shown
        now = time.monotonic()
        if now < shown + EVERY_SECONDS and seen < total:
            return
        shown = now
        text = f"{collection}: {seen} of {total} documents"
        log.info("%s.", text)
        update_progress_artifact(artifact, progress=100.0 * seen / max(total, 1), description=text)

    yield show
    update_progress_artifact(artifact, progress=100.0, description="Finished.")
