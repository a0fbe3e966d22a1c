"""What takes wall-clock time begins early."""

import pytest

from tests.support.guard.callers import kill_holder


@pytest.fixture(scope="session")
def killed_holder(prefect_url: str) -> str:
    """A limit whose only slot is held by a process that was killed; its lease lasts 60 s."""
    return kill_holder(prefect_url, "gpu:killed-holder")


@pytest.fixture(scope="session", autouse=True)
def _kill_early(request: pytest.FixtureRequest) -> None:
    """Let the lease of the killed holder run out while other tests have their turn."""
    if any(item.get_closest_marker("last") for item in request.session.items):
        request.getfixturevalue("killed_holder")
