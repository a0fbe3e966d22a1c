"""Which ages lie on the way: docs/pictures.md, "Ageing: what gives good pictures"."""

from itertools import pairwise

import pytest

from storycanvas.faces.recipes.age_progression import INTERMEDIATE_FROM, age_path

PATHS = [
    # base, ages, made from
    (25, [12, 16, 25, 45], {25: 25, 16: 25, 12: 25, 45: 25}),
    (25, [64], {64: 25}),
    (25, [65], {45: 25, 65: 45}),
    (25, [45, 65], {45: 25, 65: 45}),
    (25, [65, 70], {45: 25, 65: 45, 70: 45}),
    (25, [45, 65, 85], {45: 25, 65: 45, 85: 65}),
    (80, [12], {46: 80, 12: 46}),
    (5, [95], {35: 5, 65: 35, 95: 65}),
    (30, [30, 30], {30: 30}),
]


@pytest.mark.parametrize(("base", "ages", "parents"), PATHS)
def test_large_jumps_go_through_shared_intermediate_ages(
    base: int, ages: list[int], parents: dict[int, int]
) -> None:
    assert age_path(base, ages) == parents


@pytest.mark.parametrize("base", range(0, 101, 7))
def test_no_step_is_a_jump_of_forty_years_or_more(base: int) -> None:
    parents = age_path(base, range(101))

    assert max(abs(age - start) for age, start in parents.items()) < INTERMEDIATE_FROM


@pytest.mark.parametrize("base", [0, 33, 100])
def test_an_age_comes_after_the_age_it_is_made_from(base: int) -> None:
    parents = age_path(base, range(101))
    order = [base, *parents]

    assert all(order.index(start) <= order.index(age) for age, start in parents.items())


def test_ages_on_one_side_move_away_from_the_base() -> None:
    older = [age for age in age_path(20, [30, 50, 70, 90]) if age > 20]

    assert all(a < b for a, b in pairwise(older))
