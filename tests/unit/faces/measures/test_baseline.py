"""A character's bounds come from its own reference images."""

from itertools import combinations

import pytest

from storycanvas.faces.measures.baseline import (
    character_baseline,
    median_distances,
    nearest_distances,
)
from storycanvas.faces.measures.measure import LikenessScale


def apart(distance: float, names: str) -> dict[tuple[str, str], float]:
    return dict.fromkeys(combinations(names, 2), distance)


@pytest.mark.parametrize("distances", [{}, apart(0.3, "ab"), apart(0.8, "abcd")])
def test_fewer_than_three_pictures_that_are_alike_make_no_baseline(
    distances: dict[tuple[str, str], float],
) -> None:
    assert character_baseline(distances, "dlib") is None


@pytest.mark.parametrize(
    ("scale", "distance", "bound"),
    [
        ("dlib", 0.05, 0.45),
        ("dlib", 0.50, 0.55),
        ("dlib", 0.59, 0.649),
        ("facefusion", 0.02, 0.225),
        ("facefusion", 0.25, 0.275),
    ],
)
def test_the_bound_is_a_little_wider_than_the_references_but_never_far_from_the_usual_one(
    scale: LikenessScale, distance: float, bound: float
) -> None:
    found = character_baseline(apart(distance, "abc"), scale)

    assert found is not None
    assert (found.scale, found.typical) == (scale, distance)
    assert found.same_below == pytest.approx(bound)


def test_a_wide_group_of_pictures_ends_at_the_widest_bound() -> None:
    wide = apart(0.5, "abc") | {("c", "d"): 0.5, ("a", "d"): 0.9, ("b", "d"): 0.9}

    found = character_baseline(wide, "dlib")

    assert found is not None
    assert found.same_below == pytest.approx(0.66)


def test_pictures_of_another_person_are_left_out_and_widen_nothing() -> None:
    alike = character_baseline(apart(0.4, "abc"), "dlib")
    strangers = dict.fromkeys([(a, b) for a in "abc" for b in "xy"], 0.8) | {("x", "y"): 0.1}

    mixed = character_baseline(apart(0.4, "abc") | strangers, "dlib")

    assert alike is not None
    assert mixed is not None
    assert mixed.left_out == ("x", "y")
    assert mixed.references == alike.references == ("a", "b", "c")
    assert mixed.same_below == alike.same_below


def test_one_large_distance_among_many_sets_no_bound() -> None:
    many = apart(0.41, "abcdefgh") | {("a", "h"): 0.7}

    found = character_baseline(many, "dlib")

    assert found is not None
    assert found.same_below == pytest.approx(0.451)


def test_a_pair_that_was_not_measured_may_be_missing() -> None:
    found = character_baseline({("a", "b"): 0.4, ("b", "c"): 0.42}, "dlib")

    assert found is not None
    assert found.references == ("a", "b", "c")


def test_the_nearest_and_the_median_distance_are_of_each_picture_to_the_others() -> None:
    distances = {("a", "b"): 0.2, ("a", "c"): 0.6, ("b", "c"): 0.5}

    assert nearest_distances(distances) == {"a": 0.2, "b": 0.2, "c": 0.5}
    assert median_distances(distances) == {
        "a": pytest.approx(0.4),
        "b": pytest.approx(0.35),
        "c": pytest.approx(0.55),
    }
