"""Which names of runs a person typed."""

import coolname
import pytest

from flows.parameters import is_drawn


def test_names_that_prefects_server_draws_are_replaced() -> None:
    drawn = ["-".join(coolname.generate(2)) for _ in range(500)]

    assert [name for name in drawn if not is_drawn(name)] == []


@pytest.mark.parametrize("name", ["Tasty-a8Kd3f", "Refined-x", "origami-hawk"])
def test_a_name_that_the_run_form_proposes_is_replaced(name: str) -> None:
    assert is_drawn(name)


@pytest.mark.parametrize(
    "name",
    ["for the cover", "test-run", "cover", "Tasty-picture of the cover", "night-2", "Mira-old"],
)
def test_a_name_that_a_person_typed_is_kept(name: str) -> None:
    assert not is_drawn(name)
