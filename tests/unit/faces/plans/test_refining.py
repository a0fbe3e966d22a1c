"""An age that is read too far from the wanted one is made once more."""

import pytest

from storycanvas.faces.operations import AgeAdjustOperation
from storycanvas.faces.plan import Gallery, Plan, Step
from storycanvas.faces.recipes.age_progression import age_progression
from storycanvas.faces.recipes.refining import given_age, may_be_refined, needed_for, refined


def added(plan: Plan, read_ages: dict[str, float]) -> dict[str, Step]:
    known = {step.name for step in plan.steps}
    return {step.name: step for step in refined(plan, read_ages).steps if step.name not in known}


def target(step: Step) -> int:
    assert isinstance(step.operation, AgeAdjustOperation)
    return step.operation.target_age


def test_the_target_is_off_by_what_the_reading_was_off() -> None:
    plan = age_progression("base.png", 30, [45], enhance=None)

    steps = added(plan, {"age 45": 38.0})

    assert {name: target(step) for name, step in steps.items()} == {"age 45 as 52": 52}
    again = steps["age 45 as 52"]
    assert (again.inputs, again.age, again.gallery) == (("base",), 45, Gallery.AGE_VARIANTS)
    assert again.label == "age 45, as 52"


def test_what_was_enhanced_is_enhanced_again() -> None:
    plan = age_progression("base.png", 25, [65])

    steps = added(plan, {"enhance age 65": 44.4})

    assert list(steps) == ["age 65 as 86", "enhance age 65 as 86"]
    assert steps["age 65 as 86"].inputs == ("age 45",)
    assert steps["age 65 as 86"].gallery is None
    assert steps["enhance age 65 as 86"].inputs == ("age 65 as 86",)
    assert steps["enhance age 65 as 86"].age == 65


def test_what_may_be_made_again_is_named_until_its_age_is_read_near_enough() -> None:
    plan = age_progression("base.png", 25, [10, 65])
    both = ["age 65", "enhance age 65"]

    assert may_be_refined(plan, {}) == ["age 10", "enhance age 10", *both]
    # Models are given no age below ten, so that one of ten cannot be corrected.
    assert may_be_refined(plan, {"enhance age 10": 30.0, "enhance age 65": 44.4}) == both
    assert may_be_refined(plan, {"enhance age 10": 12.0, "enhance age 65": 64.0}) == []


@pytest.mark.parametrize(
    ("wanted", "read", "given"),
    [
        (45, 40.0, []),
        (45, 39.9, [50]),
        (45, 50.0, []),
        (45, 50.1, [40]),
        (16, 27.5, [10]),
        (10, 27.5, []),
        (90, 60.0, [100]),
        (100, 60.0, []),
    ],
)  # fmt: skip
def test_only_what_is_more_than_five_years_off_is_made_again_within_what_models_are_given(
    wanted: int, read: float, given: list[int]
) -> None:
    plan = age_progression("base.png", 70 if wanted > 45 else 30, [wanted], enhance=None)

    assert [target(step) for step in added(plan, {f"age {wanted}": read}).values()] == given


def test_a_child_that_is_allowed_is_given_no_other_age_than_its_own_at_least() -> None:
    plan = age_progression("base.png", 30, [8], enhance=None, allow_child_ages=True)

    assert added(plan, {"age 8": 27.0}) == {}
    assert "models are given ages" in refined(plan, {"age 8": 27.0}).notes[-1]


def test_an_age_that_was_not_measured_is_noted() -> None:
    plan = age_progression("base.png", 30, [45], enhance=None)

    assert added(plan, {}) == {}
    assert refined(plan, {}).notes == ("Age 45 was not refined: its picture was not measured.",)


def test_the_plan_is_the_same_where_every_age_is_near_enough() -> None:
    plan = age_progression("base.png", 30, [45, 40])

    assert refined(plan, {"enhance age 45": 44.0, "enhance age 40": 41.0}) is plan


def test_the_given_age_of_a_picture_is_told_where_it_is_not_the_wanted_one() -> None:
    plan = refined(age_progression("base.png", 25, [65]), {"enhance age 65": 44.4})

    given = {step.name: given_age(plan, step) for step in plan.steps}

    assert given == {
        "age 45": None,
        "age 65": None,
        "enhance age 65": None,
        "age 65 as 86": None,  # it is no picture of the gallery: its name tells
        "enhance age 65 as 86": 86,
    }


def test_what_is_done_again_needs_the_steps_and_pictures_before_it_only() -> None:
    plan = refined(age_progression("base.png", 25, [16, 65], enhance=None), {"age 65": 44.4})

    part = needed_for(plan, {"age 65 as 86"})

    assert [step.name for step in part.steps] == ["age 45", "age 65 as 86"]
    assert [picture.name for picture in part.pictures] == ["base"]
