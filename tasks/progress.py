"""Progress of long work, in the run's log and on its page in the Prefect UI."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.logging import get_run_logger

EVERY_SECONDS = 2.0

Progress = Callable[[str, int, int], None]
"""Called with the part worked on, how much of it is done, and how much there is, 0 if unknown."""


@contextmanager
def shown_progress(key: str, unit: str = "documents") -> Iterator[Progress]:
    """Show the progress that the work reports, every two seconds and at the end of each part."""
    artifact = cast("UUID", create_progress_artifact(0.0, key=key, description="Nothing done yet."))
    log = get_run_logger()
    shown = time.monotonic()

    def show(part: str, done: int, total: int) -> None:
        nonlocal shown
        now = time.monotonic()
        if now < shown + EVERY_SECONDS and (done < total or not total):
            return
        shown = now
        text = f"{part}: {done} of {total} {unit}" if total else f"{part}: {done} {unit}"
        log.info("%s.", text)
        share = 100.0 * done / total if total else 0.0
        update_progress_artifact(artifact, progress=share, description=text)

    yield show
    update_progress_artifact(artifact, progress=100.0, description="Finished.")
