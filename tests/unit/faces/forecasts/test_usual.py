"""What operations usually take: which are of one kind, and from when a step counts as slow."""

import pytest

from storycanvas.faces.forecasts.usual import (
    FEWEST,
    NEWEST,
    SizeClass,
    WorkKind,
    is_slow,
    slow_sentence,
    usual_seconds,
)
from storycanvas.faces.operations import (
    AgeAdjustOperation,
    DetectOperation,
    EnhancementModel,
    EnhanceOperation,
    SwapOperation,
)
from storycanvas.faces.reports.steps import FaceRunReport, Outcome, StepReport

SIZE = (800, 1024)


def enhance(model: EnhancementModel = EnhancementModel.CODEFORMER) -> EnhanceOperation:
    return EnhanceOperation(enhancement_model=model)


@pytest.mark.parametrize(
    ("size", "above", "upto"),
    [
        ((512, 300), 0, 512),
        ((300, 513), 512, 1024),
        ((1024, 1024), 512, 1024),
        ((4096, 10), 2048, 4096),
        ((4097, 10), 4096, None),
    ],
)
def test_a_size_class_is_told_by_the_longest_side(
    size: tuple[int, int], above: int, upto: int | None
) -> None:
    assert SizeClass.of(size) == SizeClass(above, upto)


def test_a_kind_has_the_model_and_the_size_class() -> None:
    kind = WorkKind.of(enhance(), "facefusion", SIZE)

    assert kind == WorkKind.of(enhance(), "facefusion", (1000, 1000))
    assert kind is not None
    assert dict(kind.models) == {"enhancement_model": "codeformer", "face_swapper_model": None}
    assert kind != WorkKind.of(enhance(EnhancementModel.GFPGAN_1_4), "facefusion", SIZE)
    assert kind != WorkKind.of(enhance(), "preview", SIZE)
    assert kind != WorkKind.of(enhance(), "facefusion", (2000, 1000))
    assert WorkKind.of(SwapOperation(), "facefusion", SIZE) != kind


def test_other_parameters_make_no_other_kind() -> None:
    young, old = (AgeAdjustOperation(target_age=age) for age in (12, 80))

    assert WorkKind.of(young, "facefusion", SIZE) == WorkKind.of(old, "facefusion", SIZE)


def test_a_search_for_faces_is_of_one_kind_whatever_the_size() -> None:
    kinds = {WorkKind.of(DetectOperation(), "facefusion", size) for size in (None, SIZE, (9, 9))}

    assert len(kinds) == 1
    assert None not in kinds


def test_the_kind_of_a_picture_of_unknown_size_is_not_known() -> None:
    assert WorkKind.of(enhance(), "facefusion", None) is None


def test_the_usual_time_is_the_median_of_the_newest_50_and_of_10_at_least() -> None:
    assert usual_seconds([4.0] * (FEWEST - 1)) is None
    assert usual_seconds([*[4.0] * (FEWEST - 1), 100.0]) == 4.0
    assert usual_seconds([*[4.0] * NEWEST, *[100.0] * 500]) == 4.0


@pytest.mark.parametrize(
    ("seconds", "usual", "slow"),
    [(12.0, 4.0, True), (8.0, 4.0, False), (8.1, 4.0, True), (0.9, 0.1, False), (1.2, 0.1, True)],
)
def test_a_step_is_slow_beyond_two_medians_and_a_second(
    seconds: float, usual: float, slow: bool
) -> None:
    assert is_slow(seconds, usual) is slow


@pytest.mark.parametrize(
    ("seconds", "usual", "sentence"),
    [(12.04, 4.0, "age 25: 12 s, usually 4."), (7.25, 2.04, "age 25: 7.2 s, usually 2.")],
)
def test_the_sentence_has_no_decimal_that_does_not_matter(
    seconds: float, usual: float, sentence: str
) -> None:
    assert slow_sentence("age 25", seconds, usual) == sentence


@pytest.mark.parametrize(
    ("outcome", "usual", "notes"),
    [
        ("done", 4.0, ("age 25: 12 s, usually 4.",)),
        ("done", 7.0, ()),
        ("done", None, ()),
        ("reused", 4.0, ()),
    ],
)
def test_a_report_notes_steps_that_were_slow_now(
    outcome: Outcome, usual: float | None, notes: tuple[str, ...]
) -> None:
    step = StepReport(
        step="age 25",
        operation_type="age_adjust",
        outcome=outcome,
        engine_seconds=12.0,
        usual_seconds=usual,
    )
    report = FaceRunReport(
        flow="age-progression", character_id=None, engine="x", host="y", steps=(step,)
    )

    assert report.slow_notes() == notes
