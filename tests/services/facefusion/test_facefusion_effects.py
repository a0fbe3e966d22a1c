"""Each operation has the effect that the stand-in models promise for its parameters."""

import pytest

from storycanvas.faces.operations import (
    AgeAdjustOperation,
    EditOperation,
    EnhancementModel,
    EnhanceOperation,
    FaceSelectorMode,
    SwapOperation,
)
from tests.support.facefusion.driven_host import DrivenHost
from tests.support.facefusion.made_pictures import (
    BLUE,
    GREY,
    LEFT,
    RED,
    RIGHT,
    around,
    brighter,
    changed_box,
    halves,
    opened,
    plain,
)
from tests.support.facefusion.synthetic_changers import ENHANCERS

STEPS = {model: ENHANCERS.get(model, (512, 0.55))[1] for model in EnhancementModel}
"""Of brightness, in the models' range of -1 to 1; codeformer's is its weight's."""
ESTIMATE = 34
PER_YEAR = 0.5 * 255 / 100
FACE_AREA = (50, 40, 206, 196)


def is_inside(box: tuple[int, int, int, int] | None, outer: tuple[int, int, int, int]) -> bool:
    if box is None:
        return False
    left, top, right, bottom = box
    return left >= outer[0] and top >= outer[1] and right <= outer[2] and bottom <= outer[3]


def test_enhancing_brightens_the_face_and_nothing_else(driven_host: DrivenHost) -> None:
    done = driven_host.done(EnhanceOperation(), plain())
    assert brighter(plain(), done.picture) == pytest.approx(0.30 * 127.5, abs=2)
    assert is_inside(changed_box(plain(), done.picture), FACE_AREA)


@pytest.mark.parametrize("model", EnhancementModel)
def test_each_enhancer_brightens_in_its_own_way(
    resident_host: DrivenHost, model: EnhancementModel
) -> None:
    done = resident_host.done(EnhanceOperation(enhancement_model=model), plain())
    assert brighter(plain(), done.picture) == pytest.approx(STEPS[model] * 127.5, abs=2)
    assert done.answer.models[0] == model


@pytest.mark.parametrize("blend", [0.0, 0.25, 0.5, 0.75])
def test_a_blend_takes_its_part_of_the_enhancement(resident_host: DrivenHost, blend: float) -> None:
    done = resident_host.done(EnhanceOperation(face_enhancer_blend=blend), plain())
    assert brighter(plain(), done.picture) == pytest.approx(blend * 0.30 * 127.5, abs=2)


@pytest.mark.parametrize("age", [10, 90])
def test_ageing_goes_as_far_as_the_target_is_from_the_estimate(
    resident_host: DrivenHost, age: int
) -> None:
    done = resident_host.done(AgeAdjustOperation(target_age=age), plain())
    assert brighter(plain(), done.picture) == pytest.approx((age - ESTIMATE) * PER_YEAR, abs=2)
    assert done.answer.estimated_age == ESTIMATE
    assert done.answer.used["age_modifier_direction"] == age - ESTIMATE
    assert is_inside(changed_box(plain(), done.picture), FACE_AREA)


def test_a_higher_target_age_gives_an_older_face(resident_host: DrivenHost) -> None:
    aged = [
        resident_host.done(AgeAdjustOperation(target_age=age), plain())
        for age in (10, 30, 50, 70, 90)
    ]
    changes = [brighter(plain(), done.picture) for done in aged]
    assert changes == sorted(changes)
    assert len(set(changes)) == len(changes)
    assert changes[1] < 0 < changes[2]


def test_faces_of_different_ages_all_reach_the_target(driven_host: DrivenHost) -> None:
    pair = halves((60, 60, 60), (180, 180, 180))
    operation = AgeAdjustOperation(target_age=40, face_selector_mode=FaceSelectorMode.MANY)
    done = driven_host.done(operation, pair)
    assert brighter(pair, done.picture, LEFT) == pytest.approx((40 - 14) * PER_YEAR, abs=2)
    assert brighter(pair, done.picture, RIGHT) == pytest.approx((40 - 54) * PER_YEAR, abs=2)


@pytest.mark.parametrize("blend", [0.0, 0.5, 1.0])
def test_an_age_blend_takes_its_part_of_the_years(resident_host: DrivenHost, blend: float) -> None:
    operation = AgeAdjustOperation(target_age=90, age_adjustment_blend=blend)
    done = resident_host.done(operation, plain())
    expected = blend * (90 - ESTIMATE) * PER_YEAR
    assert brighter(plain(), done.picture) == pytest.approx(expected, abs=2)


def test_no_age_blend_leaves_every_pixel(resident_host: DrivenHost) -> None:
    operation = AgeAdjustOperation(target_age=90, age_adjustment_blend=0.0)
    assert changed_box(plain(), resident_host.done(operation, plain()).picture) is None


def test_swapping_takes_the_colour_of_the_source(driven_host: DrivenHost) -> None:
    done = driven_host.done(SwapOperation(), plain(RED), plain())
    red, green, blue = around(done.picture)
    assert red > GREY[0] + 40
    assert max(green, blue) < GREY[0] - 40
    assert is_inside(changed_box(plain(), done.picture), FACE_AREA)


def test_another_source_gives_another_swap(resident_host: DrivenHost) -> None:
    red, green, blue = around(resident_host.done(SwapOperation(), plain(BLUE), plain()).picture)
    assert blue > GREY[0] + 40
    assert max(red, green) < GREY[0] - 40


@pytest.mark.parametrize(
    ("value", "band"), [(100, 0), (-100, 2)], ids=["red for more", "blue for less"]
)
def test_editing_tints_by_the_sign(driven_host: DrivenHost, value: int, band: int) -> None:
    done = driven_host.done(EditOperation(face_editor_eye_open_ratio=value), plain())
    middle = around(done.picture)
    assert middle[band] > GREY[band] + 20
    assert middle[:band] + middle[band + 1 :] == (GREY[0], GREY[0])


@pytest.mark.parametrize("field", ["face_editor_eye_open_ratio", "face_editor_lip_open_ratio"])
def test_editing_tints_in_proportion(resident_host: DrivenHost, field: str) -> None:
    reds = [
        around(resident_host.done(EditOperation.model_validate({field: value}), plain()).picture)[0]
        - GREY[0]
        for value in (25, 50, 100)
    ]
    assert reds[1] == pytest.approx(2 * reds[0], abs=2)
    assert reds[2] == pytest.approx(4 * reds[0], abs=4)


def test_a_picture_is_worked_on_as_it_was_sent(resident_host: DrivenHost) -> None:
    once = resident_host.done(EnhanceOperation(), plain())
    twice = resident_host.done(EnhanceOperation(), once.png)
    assert brighter(once.png, twice.picture) == pytest.approx(0.30 * 127.5, abs=2)
    assert opened(twice.png).size == opened(plain()).size
