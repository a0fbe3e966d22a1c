"""A killed holder's slot comes back when its lease has run out, a minute after the kill."""

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from storycanvas.gpu.guard.dispatcher import Dispatcher
from storycanvas.gpu.guard.settings import DEFAULTS


@pytest.mark.last
@pytest.mark.timeout(180)
def test_the_slot_of_a_killed_holder_comes_back_with_its_lease(
    prefect_url: str, killed_holder: str
) -> None:
    with (
        temporary_settings({PREFECT_API_URL: prefect_url}),
        Dispatcher() as guard,
        guard.slot(killed_holder, "the next run", 2 * DEFAULTS.lease),
    ):
        pass
