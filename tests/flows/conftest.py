"""Every test of a flow has a Prefect server."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def _prefect(prefect: None) -> None:
    """Use the session's server."""
