"""What takes wall-clock time begins early."""

from pathlib import Path

import pytest
from filelock import FileLock

from tests.support.guard.processes import kill_holder


@pytest.fixture(scope="session")
def killed_holder(prefect_url: str, shared_dir: Path) -> str:
    """A limit whose only slot is held by a process that was killed; its lease lasts 60 s.

    The first process of a test run kills it: a second holder would wait for the lease to run out.
    """
    limit = "gpu:killed-holder"
    killed = shared_dir / "killed_holder"
    with FileLock(shared_dir / "killed_holder.lock"):
        if not killed.exists():
            kill_holder(prefect_url, limit)
            killed.touch()
    return limit


@pytest.fixture(scope="session", autouse=True)
def _kill_early(request: pytest.FixtureRequest) -> None:
    """Let the lease of the killed holder run out while other tests have their turn."""
    if any(item.get_closest_marker("last") for item in request.session.items):
        request.getfixturevalue("killed_holder")
