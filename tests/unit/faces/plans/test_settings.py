"""What a person names for one run is the strongest source, and says where it came from."""

from typing import Any

import pytest
from pydantic import ValidationError

from storycanvas.faces.errors import OutOfRange
from storycanvas.faces.operations import AgeAdjustOperation, EnhanceOperation, SwapOperation
from storycanvas.faces.plan import Plan
from storycanvas.faces.preferences import Preferences
from storycanvas.faces.recipes.age_progression import age_progression
from storycanvas.faces.recipes.enhance_then_swap import enhance_then_swap
from storycanvas.faces.recipes.finding import detect_faces
from storycanvas.faces.settings import FaceSettings

APP_DEFAULTS: dict[str, Any] = {
    "enhancement_model": "gfpgan_1.4",
    "face_enhancer_blend": 1.0,
    "face_swapper_model": "inswapper_128",
    "face_selector_mode": "one",
    "face_selector_order": "left-right",
    "face_detector_model": "yolo_face",
    "face_detector_size": "640x640",
    "face_mask_types": ["box"],
    "age_adjustment_blend": 1.0,
}
"""What the app stores with a character for which no person chose anything."""


def ages(preferences: Preferences, settings: FaceSettings) -> Plan:
    return settings.apply(age_progression("base.png", 30, [35, 65], preferences=preferences))


def swap(preferences: Preferences, settings: FaceSettings) -> Plan:
    return settings.apply(enhance_then_swap("face.png", "scene.png", preferences=preferences))


def preferences(
    named: FaceSettings, *, preset: dict[str, Any] | None = None, kind: str = "age_adjust"
) -> Preferences:
    return Preferences(preset or {}, kind if preset else None, APP_DEFAULTS, named.named())


@pytest.mark.parametrize(
    ("preset", "settings", "value", "source"),
    [
        (None, {}, 0.7, "recipe"),
        ({"age_adjustment_blend": 0.4}, {}, 0.4, "preset"),
        ({"age_adjustment_blend": 0.4}, {"age_adjustment_blend": 0.9}, 0.9, "explicit"),
        (None, {"age_adjustment_blend": 0.9}, 0.9, "explicit"),
    ],
)
def test_the_blend_of_a_large_jump_of_age(
    preset: dict[str, Any] | None, settings: dict[str, Any], value: float, source: str
) -> None:
    named = FaceSettings(**settings)
    plan = ages(preferences(named, preset=preset), named)
    step = next(step for step in plan.steps if step.name == "age 65")
    assert isinstance(step.operation, AgeAdjustOperation)
    assert step.operation.age_adjustment_blend == value
    assert step.sources["age_adjustment_blend"] == source


@pytest.mark.parametrize(
    ("character", "preset", "settings", "value", "source"),
    [
        ({}, None, {}, None, None),
        (APP_DEFAULTS, None, {}, None, None),
        ({}, {"face_swapper_pixel_boost": "256x256"}, {}, "256x256", "preset"),
        ({}, None, {"face_swapper_pixel_boost": "512x512"}, "512x512", "explicit"),
        ({}, None, {"face_swapper_pixel_boost": " "}, None, None),
    ],
)
def test_the_size_of_a_swapped_face(
    character: dict[str, Any],
    preset: dict[str, Any] | None,
    settings: dict[str, Any],
    value: str | None,
    source: str | None,
) -> None:
    named = FaceSettings(**settings)
    chosen = Preferences(preset or {}, "swap" if preset else None, character, named.named())
    step = next(step for step in swap(chosen, named).steps if step.name == "swap")
    assert isinstance(step.operation, SwapOperation)
    assert step.operation.face_swapper_pixel_boost == value
    assert step.sources.get("face_swapper_pixel_boost") == source


def test_a_form_that_was_left_as_it_is_chooses_nothing() -> None:
    assert FaceSettings(face_position=0, face_box=(), reference_image="\n").named() == {}  # type: ignore[arg-type]


def test_a_setting_is_for_every_step_that_has_it() -> None:
    named = FaceSettings(face_enhancer_blend=0.5)
    plan = swap(preferences(named), named)

    enhanced = [s.operation for s in plan.steps if isinstance(s.operation, EnhanceOperation)]
    assert [operation.face_enhancer_blend for operation in enhanced] == [0.5, 0.5]


def test_a_face_is_chosen_where_it_is_worked_on_and_not_where_it_is_taken_from() -> None:
    named = FaceSettings(face_position=2)
    looks = detect_faces(
        {"source": "face.png", "target": "scene.png"}, preferences=preferences(named)
    )
    plans = [swap(preferences(named), named), named.apply(looks, {"source"})]

    positions = [{s.name: s.operation.face_position for s in plan.steps} for plan in plans]
    assert positions == [
        {"enhance source": 0, "swap": 2, "enhance result": 2},
        {"detect source": 0, "detect target": 2},
    ]


def test_only_finished_pictures_have_another_format() -> None:
    named = FaceSettings(output_format="jpeg", output_quality=80)
    plan = ages(preferences(named), named)

    formats = {step.name: getattr(step.operation, "output_format", None) for step in plan.steps}
    assert formats == {
        "age 35": "png",
        "enhance age 35": "jpeg",
        "age 65": "png",
        "enhance age 65": "jpeg",
    }
    assert plan.steps[1].sources["output_quality"] == "explicit"


def test_a_quality_without_its_format_is_refused_by_name() -> None:
    named = FaceSettings(output_quality=80)
    with pytest.raises(OutOfRange, match="output_quality 80 is for jpeg and webp"):
        ages(preferences(named), named)


def test_the_reference_picture_comes_first_in_every_step_that_works_on_a_chosen_face() -> None:
    named = FaceSettings(reference_image="person.png")
    plan = swap(preferences(named), named)

    assert plan.pictures[-1].reference == "person.png"
    assert {step.name: step.inputs for step in plan.steps} == {
        "enhance source": ("source",),
        "swap": ("reference", "enhance source", "target"),
        "enhance result": ("reference", "swap"),
    }


def test_a_place_and_a_box_together_are_refused_in_a_sentence() -> None:
    named = FaceSettings(face_position=1, face_box=(0, 0, 9, 9))
    with pytest.raises(OutOfRange, match="face_position and face_box each choose a face"):
        ages(preferences(named), named)


@pytest.mark.parametrize("values", [{"face_position": 64}, {"face_blend": 1}, {"face_box": [1, 2]}])
def test_what_is_no_setting_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        FaceSettings(**values)


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"face_position": 1}, "face_position"),
        ({"face_box": (0, 0, 9, 9)}, "face_box"),
        ({"reference_image": "person.png"}, "reference_image"),
        ({"face_selector_mode": "many"}, "face_selector_mode"),
    ],
)
def test_face_of_and_another_way_to_choose_a_face_are_refused(
    other: dict[str, Any], named: str
) -> None:
    with pytest.raises(ValidationError, match=f"face_of .*{named}"):
        FaceSettings(face_of="character", **other)


def test_face_of_is_no_value_of_an_operation() -> None:
    settings = FaceSettings(face_of="person.png", reference_face_distance=0.4)

    assert settings.named() == {"reference_face_distance": 0.4}
    assert FaceSettings(face_of="\n").face_of is None  # type: ignore[arg-type]
