"""Two rounds of chaos; `make chaos` runs twenty."""

from collections.abc import Callable
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from tests.support.guard.processes import OwnPrefect
from tests.system.chaos.rounds import Chaos


@pytest.mark.alone
@pytest.mark.timeout(600)
def test_kills_a_restart_and_a_switched_off_limit_break_no_claim_of_the_guard(
    tmp_path: Path, with_prefect_database: Callable[[Path], Path]
) -> None:
    with (
        OwnPrefect(with_prefect_database(tmp_path / "prefect")) as prefect,
        temporary_settings({PREFECT_API_URL: prefect.url}),
    ):
        assert Chaos(prefect, tmp_path, seed=8).run(2, calls=10, kills=2) == []
