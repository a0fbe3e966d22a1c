"""Recipes plan what docs/pipelines/ describes for ageing, restoring and swapping."""

from itertools import pairwise
from typing import Any

import pytest

from db.schema.documents.characters import PreferredSettings
from storycanvas.faces.errors import BaseAgeUnknown, ChildAgeRefused
from storycanvas.faces.operations import (
    AgeAdjustOperation,
    EnhancementModel,
    EnhanceOperation,
    FaceSwapperModel,
    SwapOperation,
)
from storycanvas.faces.plan import Gallery, Plan, Step
from storycanvas.faces.preferences import Preferences
from storycanvas.faces.recipes.age_path import (
    INTERMEDIATE_FROM,
    Intermediates,
    JumpRule,
    age_path,
)
from storycanvas.faces.recipes.age_progression import age_progression, plan_base_age
from storycanvas.faces.recipes.enhance_then_swap import enhance_then_swap
from storycanvas.faces.recipes.finding import detect_faces
from storycanvas.faces.recipes.steps import Choice, EnhancerChoice, SwapperChoice


def named(plan: Plan) -> dict[str, Step]:
    return {step.name: step for step in plan.steps}


def blend(step: Step) -> float:
    assert isinstance(step.operation, AgeAdjustOperation)
    return step.operation.age_adjustment_blend


def test_every_wanted_age_is_enhanced_after_ageing_and_shown() -> None:
    steps = named(age_progression("base.png", 30, [16, 45]))

    assert list(steps) == ["age 16", "enhance age 16", "age 45", "enhance age 45"]
    assert steps["enhance age 45"].inputs == ("age 45",)
    assert [s.age for s in steps.values() if s.gallery is Gallery.AGE_VARIANTS] == [16, 45]


def test_without_enhancement_the_aged_picture_itself_is_shown() -> None:
    steps = named(age_progression("base.png", 30, [45], enhance=None))

    assert list(steps) == ["age 45"]
    assert steps["age 45"].gallery is Gallery.AGE_VARIANTS


def test_an_intermediate_age_is_neither_enhanced_nor_shown() -> None:
    steps = named(age_progression("base.png", 25, [65]))

    assert list(steps) == ["age 45", "age 65", "enhance age 65"]
    assert steps["age 45"].gallery is None
    assert steps["age 65"].inputs == ("age 45",)


@pytest.mark.parametrize(
    ("intermediates", "largest_jump", "age", "parents"),
    [
        ("auto", None, 69, {69: 30}),
        ("auto", None, 70, {50: 30, 70: 50}),
        ("auto", 20, 65, {65: 30}),
        ("auto", 20, 75, {45: 30, 60: 45, 75: 60}),
        ("always", None, 55, {55: 30}),
        ("always", None, 56, {43: 30, 56: 43}),
        ("always", 10, 60, {40: 30, 50: 40, 60: 50}),
        ("never", None, 90, {90: 30}),
        ("never", 10, 90, {90: 30}),
    ],
)
def test_which_jumps_are_cut_and_into_which_parts(
    intermediates: str, largest_jump: int | None, age: int, parents: dict[int, int]
) -> None:
    rule = JumpRule.of(Intermediates(intermediates), largest_jump)

    assert age_path(30, [age], rule) == parents


@pytest.mark.parametrize("part", range(10, 40))
@pytest.mark.parametrize("base", [0, 33, 50, 100])
def test_no_part_of_a_cut_jump_is_larger_than_named(base: int, part: int) -> None:
    rule = JumpRule.of(Intermediates.ALWAYS, part)

    assert all(abs(a - b) <= part for a, b in age_path(base, range(0, 101, 7), rule).items())


@pytest.mark.parametrize(
    ("age", "intermediates", "warned"),
    [
        (69, "never", False),
        (70, "auto", False),
        (70, "never", True),
        (89, "auto", False),
        (90, "auto", True),
        (90, "never", True),
    ],
)
def test_a_jump_that_seldom_keeps_the_likeness_is_a_warning(
    age: int, intermediates: str, warned: bool
) -> None:
    rule = JumpRule.of(Intermediates(intermediates), None)
    plan = age_progression("base.png", 30, [age], rule=rule)

    assert bool(plan.warnings) is warned


def test_intermediate_ages_are_named() -> None:
    plan = age_progression("base.png", 10, [35, 90])

    assert plan.notes == ("Age 90 is made through the intermediate ages 35, 63.",)


def test_the_base_is_restored_first_where_a_person_asks_for_it() -> None:
    plan = age_progression("base.png", 30, [45], enhance_base=EnhancementModel.CODEFORMER)

    assert [step.inputs for step in plan.steps] == [("base",), ("enhance base",), ("age 45",)]
    assert plan.steps[0].gallery is Gallery.ENHANCED_FACES


def test_a_jump_that_is_not_cut_is_blended_the_softer_the_larger_it_is() -> None:
    rule = JumpRule.of(Intermediates.NEVER, None)
    steps = named(age_progression("base.png", 30, [69, 70, 89, 90], rule=rule, enhance=None))

    assert [blend(step) for step in steps.values()] == [0.7, 0.6, 0.6, 0.5]


@pytest.mark.parametrize(("age", "expected"), [(59, 1.0), (60, 0.7), (69, 0.7), (70, 1.0)])
def test_a_single_jump_of_thirty_years_is_blended_softly(age: int, expected: float) -> None:
    steps = named(age_progression("base.png", 30, [age]))

    assert blend(steps[f"age {age}"]) == expected


def test_a_preferred_blend_is_stronger_than_the_recipe() -> None:
    mine = Preferences(character={"age_adjustment_blend": 0.5})
    step = named(age_progression("base.png", 30, [65], preferences=mine))["age 65"]

    assert blend(step) == 0.5
    assert step.sources == {"age_adjustment_blend": "character"}


STORED_DEFAULTS = Preferences(character=PreferredSettings().model_dump())


def test_a_large_jump_stays_soft_beside_settings_that_the_app_saved_without_a_choice() -> None:
    step = named(age_progression("base.png", 30, [65], preferences=STORED_DEFAULTS))["age 65"]

    assert blend(step) == 0.7
    assert step.sources == {"age_adjustment_blend": "recipe"}


RESTORING = [
    # form, preset, character -> model, source
    (Choice.AS_PREFERRED, None, PreferredSettings().model_dump(), "codeformer", "recipe"),
    (
        Choice.AS_PREFERRED,
        "gpen_bfr_512",
        {"enhancement_model": "gfpgan_1.4"},
        "gpen_bfr_512",
        "preset",
    ),
    (Choice.AS_PREFERRED, None, {"enhancement_model": "gfpgan_1.3"}, "gfpgan_1.3", "character"),
    (EnhancementModel.CODEFORMER, "gpen_bfr_512", {}, "codeformer", "explicit"),
    (EnhancementModel.GFPGAN_1_4, "gpen_bfr_512", {}, "gfpgan_1.4", None),
]


@pytest.mark.parametrize(("form", "preset", "character", "model", "source"), RESTORING)
def test_the_result_of_a_swap_is_restored_as_form_preset_character_or_recipe_say(
    form: EnhancerChoice,
    preset: str | None,
    character: dict[str, Any],
    model: str,
    source: str | None,
) -> None:
    stored = {"enhancement_model": preset}
    preferences = Preferences(stored, "enhance", character)

    plan = enhance_then_swap("a", "b", enhance_result=form, preferences=preferences)

    step = named(plan)["enhance result"]
    assert isinstance(step.operation, EnhanceOperation)
    assert step.operation.enhancement_model == model
    assert step.sources == ({"enhancement_model": source} if source else {})


@pytest.mark.parametrize(
    ("form", "model"),
    [
        (Choice.AS_PREFERRED, "simswap_256"),
        (FaceSwapperModel.INSWAPPER_128, "inswapper_128"),
        (FaceSwapperModel.UNIFACE_256, "uniface_256"),
    ],
)
def test_a_swapper_that_the_form_names_is_stronger_than_a_preset(
    form: SwapperChoice, model: str
) -> None:
    preset = Preferences({"face_swapper_model": "simswap_256"}, "swap")

    plan = enhance_then_swap("a", "b", face_swapper_model=form, preferences=preset)

    operation = named(plan)["swap"].operation
    assert isinstance(operation, SwapOperation)
    assert operation.face_swapper_model == model


@pytest.mark.parametrize("age", [0, 9])
def test_child_ages_are_refused(age: int) -> None:
    with pytest.raises(ChildAgeRefused, match=f"Age {age} is below 10.*allow_child_ages"):
        age_progression("base.png", 30, [45, age])


def test_child_ages_can_be_allowed() -> None:
    assert "age 5" in named(age_progression("base.png", 30, [5], allow_child_ages=True))


@pytest.mark.parametrize(("known", "estimate", "expected"), [(25, 40.0, 25), (None, 33.6, 34)])
def test_a_known_base_age_is_stronger_than_the_estimate(
    known: int | None, estimate: float, expected: int
) -> None:
    assert plan_base_age(known, estimate) == expected


def test_an_unknown_base_age_is_asked_for() -> None:
    with pytest.raises(BaseAgeUnknown, match="base_age"):
        plan_base_age(None, None)


def test_the_face_is_enhanced_then_swapped_then_enhanced() -> None:
    steps = named(enhance_then_swap("face.png", "scene.png"))

    assert list(steps) == ["enhance source", "swap", "enhance result"]
    assert steps["swap"].inputs == ("enhance source", "target")
    assert steps["enhance result"].gallery is Gallery.SWAPPED_FACES
    assert steps["swap"].gallery is None


@pytest.mark.parametrize(
    ("before", "after", "names"),
    [
        (None, None, ["swap"]),
        (Choice.NONE, Choice.NONE, ["swap"]),
        (EnhancementModel.GFPGAN_1_4, None, ["enhance source", "swap"]),
        (None, EnhancementModel.CODEFORMER, ["swap", "enhance result"]),
    ],
)
def test_each_enhancement_is_optional(
    before: EnhancerChoice, after: EnhancerChoice, names: list[str]
) -> None:
    plan = enhance_then_swap("a", "b", enhance_source=before, enhance_result=after)

    assert [step.name for step in plan.steps] == names


def test_a_swap_that_is_not_enhanced_is_shown_itself() -> None:
    plan = enhance_then_swap("a", "b", enhance_result=None)

    assert plan.steps[-1].gallery is Gallery.SWAPPED_FACES


def test_a_named_swapper_counts_as_explicit() -> None:
    plan = enhance_then_swap("a", "b", face_swapper_model=FaceSwapperModel.SIMSWAP_256)

    assert named(plan)["swap"].sources == {"face_swapper_model": "explicit"}


def test_an_inspection_looks_at_each_picture_once() -> None:
    plan = detect_faces({"base": "a.png", "target": "b.png"})

    assert [(step.name, step.inputs) for step in plan.steps] == [
        ("detect base", ("base",)),
        ("detect target", ("target",)),
    ]


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
