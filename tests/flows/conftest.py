"""Every test of a flow has a Prefect server, and one that takes many requests to Civitai."""

from collections.abc import Iterator

import pytest

from blocks import limits


@pytest.fixture(scope="session", autouse=True)
def _prefect(prefect: None) -> Iterator[None]:  # noqa: ARG001 - it must run
    """Use the session's server; its limit of requests to Civitai frees a slot each 10 ms."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "CIVITAI_PERIOD_SECONDS", 0.01)
        yield
