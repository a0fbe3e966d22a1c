"""Target ages become the runs and directions that FaceFusion needs for them."""

import pytest

from storycanvas.faces.operations import FaceSelectorMode
from storycanvas.host.engines.facefusion.translation.ages import (
    AGE_CLASSES,
    age_runs,
    class_of,
    direction,
    knows_years,
)
from storycanvas.host.engines.facefusion.translation.operation import FacesOfRun

MEANS = (0.5, 5.5, 14, 24, 34, 44, 54, 64, 84.5)
EACH = pytest.mark.parametrize("index", range(len(MEANS)))
MANY = pytest.mark.parametrize("mode", [FaceSelectorMode.MANY, FaceSelectorMode.ALL])


def test_the_means_are_those_that_fran_starts_from() -> None:
    assert tuple(each.mean for each in AGE_CLASSES) == MEANS


@EACH
def test_a_mean_belongs_to_its_own_class(index: int) -> None:
    assert class_of(MEANS[index]) is AGE_CLASSES[index]


@pytest.mark.parametrize(
    ("estimate", "start"), [(0, 0), (2, 0), (2.9, 0), (3, 3), (9, 3), (69, 60), (70, 70), (100, 70)]
)
def test_an_age_between_classes_belongs_to_the_younger(estimate: float, start: int) -> None:
    assert class_of(estimate).start == start


@pytest.mark.parametrize("estimate", [-0.1, 100.1, float("nan")])
def test_an_age_out_of_range_is_refused(estimate: float) -> None:
    with pytest.raises(ValueError, match="0 to 100"):
        class_of(estimate)


@pytest.mark.parametrize(
    ("target", "estimate", "years"),
    [
        (25, 24, 1),
        (24, 24, 0),
        (0, 84.5, -85),
        (100, 0.5, 100),
        (0, 0.5, -1),
        (1, 0.5, 1),
        (5, 5.5, -1),
        (6, 5.5, 1),
        (100, -50, 100),
        (0, 150, -100),
    ],
)
def test_a_direction_is_the_years_that_lack(target: int, estimate: float, years: int) -> None:
    assert direction(target, estimate) == years


@EACH
def test_a_run_s_filter_selects_one_class_as_facefusion_filters(index: int) -> None:
    (run,) = age_runs(FaceSelectorMode.MANY, [MEANS[index]])
    start, end = run.faces.ages

    filters = bool(start or end)
    hit = [each for each in AGE_CLASSES if {*range(each.start, each.end)} & {*range(start, end)}]

    assert filters
    assert hit == [AGE_CLASSES[index]]
    assert 0 <= start < end <= 100


@MANY
def test_many_faces_take_a_run_for_each_class(mode: FaceSelectorMode) -> None:
    runs = age_runs(mode, [34, 5.5, 34])

    assert [(run.estimate, run.faces) for run in runs] == [
        (5.5, FacesOfRun(ages=(3, 9))),
        (34, FacesOfRun(ages=(30, 39))),
    ]


def test_one_face_takes_one_run_without_a_filter() -> None:
    (run,) = age_runs(FaceSelectorMode.ONE, [24])

    assert (run.estimate, run.faces) == (24, FacesOfRun())


def test_a_reference_face_is_worked_on_alone() -> None:
    (run,) = age_runs(FaceSelectorMode.REFERENCE, [24, 64])

    assert (run.estimate, run.faces) == (24, FacesOfRun(reference_distance=0.05))


@pytest.mark.parametrize("mode", FaceSelectorMode)
def test_no_face_takes_no_run(mode: FaceSelectorMode) -> None:
    assert age_runs(mode, []) == ()


@pytest.mark.parametrize(
    ("version", "knows"),
    [("3.5.4", False), ("3.6.0", True), ("3.8.1", True), ("3.10.0", True), ("4.0.0", True)],
)
def test_years_are_known_from_3_6_on(version: str, knows: bool) -> None:
    assert knows_years(version) is knows


def test_a_word_is_not_a_version() -> None:
    with pytest.raises(ValueError, match="'next'"):
        knows_years("next")
