"""How far a migration is, in the log and on its page in the Prefect UI."""

import time
from typing import cast
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.logging import get_run_logger

from db.migrate.work import Progress

EVERY_SECONDS = 2.0


def migration_progress(key: str) -> Progress:
    """Make what a migration tells its progress to.

    Args:
        key: Of the artifact.

    Returns:
        A function that shows the collection being worked at, every two seconds and at its end.
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

    return show
