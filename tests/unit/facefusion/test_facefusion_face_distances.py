"""Which faces are compared after a change, and which of their distances count."""

from typing import NamedTuple

import pytest

from storycanvas.host.engines.facefusion.drivers.face_distances import distances, largest, overlap

Edges = tuple[float, float, float, float]
LEFT: Edges = (0, 0, 100, 100)
MOVED: Edges = (10, 5, 110, 105)
RIGHT: Edges = (300, 0, 500, 200)


class Seen(NamedTuple):
    """A face whose looks are one number."""

    bounding_box: Edges
    looks: float


def unlike(face: Seen, other: Seen) -> float:
    return abs(face.looks - other.looks)


BEFORE = [Seen(LEFT, 0.1), Seen(RIGHT, 0.9)]


def compared(
    after: list[Seen], *chosen: Edges, source: Seen | None = None
) -> dict[str, float | None] | None:
    found = distances(BEFORE, after, chosen, source, unlike)
    return found and {name: None if it is None else round(it, 6) for name, it in found.items()}


def test_a_changed_face_is_compared_with_itself_before() -> None:
    after = [Seen(RIGHT, 0.9), Seen(MOVED, 0.3)]

    assert compared(after, LEFT) == {"before": None, "after": 0.2, "others": 0}


def test_a_swapped_face_is_compared_with_the_source_before_and_after() -> None:
    after = [Seen(LEFT, 0.5), Seen(RIGHT, 0.9)]
    found = compared(after, LEFT, source=Seen(RIGHT, 0.6))

    assert found == {"before": 0.5, "after": 0.1, "others": 0}


def test_a_face_that_was_not_chosen_and_changed_is_told() -> None:
    after = [Seen(LEFT, 0.1), Seen(RIGHT, 0.2)]

    assert compared(after, LEFT) == {"before": None, "after": 0, "others": 0.7}


def test_of_several_changed_faces_the_one_that_is_least_like_counts() -> None:
    after = [Seen(LEFT, 0.5), Seen(RIGHT, 0.8)]
    found = compared(after, LEFT, RIGHT, source=Seen(LEFT, 0.5))

    assert found == {"before": 0.4, "after": 0.3, "others": None}


@pytest.mark.parametrize(
    ("after", "chosen"),
    [([], (LEFT,)), ([Seen(RIGHT, 0.9)], (LEFT,)), (BEFORE, ()), ([Seen(LEFT, 0)], (LEFT, RIGHT))],
    ids=["no face", "another face", "none chosen", "one of two"],
)
def test_a_changed_face_that_is_not_found_again_has_no_distance(
    after: list[Seen], chosen: tuple[Edges, ...]
) -> None:
    assert compared(after, *chosen) is None


def test_another_face_that_is_gone_is_left_out() -> None:
    assert compared([Seen(LEFT, 0.1)], LEFT) == {"before": None, "after": 0, "others": None}


@pytest.mark.parametrize(
    ("box", "share"), [(LEFT, 1), (RIGHT, 0), (MOVED, 0.747), ((0, 0, 100, 200), 0.5)]
)
def test_two_boxes_overlap_by_a_share_of_both(box: Edges, share: float) -> None:
    assert overlap(Seen(LEFT, 0), Seen(box, 0)) == pytest.approx(share, abs=0.001)


def test_the_source_of_a_swap_is_its_largest_face() -> None:
    assert largest(BEFORE) == BEFORE[1]
    assert largest([]) is None
