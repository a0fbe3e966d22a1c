"""In every face flow a value comes from the form, else the preset, else the character."""

from collections.abc import Callable
from typing import Any

import pytest

from db.schema.documents.characters import PreferredSettings
from storycanvas.faces.batch import read_items
from storycanvas.faces.chain import shipped_chains
from storycanvas.faces.operations import FaceSwapperModel
from storycanvas.faces.plan import Plan
from storycanvas.faces.preferences import Preferences
from storycanvas.faces.recipes.age_path import Intermediates
from storycanvas.faces.recipes.age_progression import age_pipeline
from storycanvas.faces.recipes.batch import batch_plan
from storycanvas.faces.recipes.chain import chain_pipeline
from storycanvas.faces.recipes.enhance_then_swap import enhance_then_swap
from storycanvas.faces.recipes.enhancing import compare_enhancers, enhancing_pipeline
from storycanvas.faces.recipes.expression import expression_pipeline
from storycanvas.faces.recipes.finding import detect_faces, mask_face
from storycanvas.faces.recipes.pipeline import Pipeline, RecipeInput
from storycanvas.faces.recipes.steps import Choice
from storycanvas.faces.settings import FaceSettings

Recipe = Callable[[Preferences], Plan]
DEFAULTS = PreferredSettings().model_dump()
"""What the app stores of a character at every save."""


def planned(pipeline: Pipeline) -> Recipe:
    pictures = {name: reference or "own.png" for name, reference in pipeline.pictures.items()}
    ages = dict.fromkeys(pictures, 40.0)
    return lambda preferences: pipeline.recipe(RecipeInput(pictures, preferences, ages))


AGES = age_pipeline(
    ages=[45],
    base_image=None,
    base_age=None,
    enhance=Choice.AS_PREFERRED,
    enhance_base=Choice.NONE,
    intermediates=Intermediates.AUTO,
    largest_jump=None,
    allow_child_ages=False,
)
CHAIN = chain_pipeline(
    shipped_chains()["enhance-then-swap"], {"target": "b"}, None, allow_child_ages=False
)
EXPRESSION = expression_pipeline(picture=None, sweep=None, face_editor_mouth_smile=40)
ITEMS = read_items([{"type": "age_adjust", "target_age": 60}])

FLOWS: dict[str, tuple[Recipe, str]] = {
    "age-progression": (planned(AGES), "age_adjust"),
    "batch-process": (
        lambda found: batch_plan(ITEMS, reference_image="a", preferences=found).plan,
        "age_adjust",
    ),
    "compare-enhancers": (lambda found: compare_enhancers("a", preferences=found), "enhance"),
    "detect-faces": (lambda found: detect_faces({"a": "a"}, preferences=found), "detect"),
    "edit-expression": (planned(EXPRESSION), "edit"),
    "enhance-faces": (
        planned(enhancing_pipeline(pictures=(), enhance=Choice.AS_PREFERRED)),
        "enhance",
    ),
    "enhance-then-swap": (
        lambda found: enhance_then_swap("a", "b", preferences=found),
        "swap",
    ),
    "face-chain": (planned(CHAIN), "swap"),
    "mask-face": (lambda found: mask_face("a", preferences=found), "mask"),
}
SETTING, DEFAULT = "face_selector_order", "left-right"
PRESET = {"preset": {SETTING: "top-bottom"}}
CHARACTER = {"character": {**DEFAULTS, SETTING: "small-large"}}
FORM = {"named": FaceSettings.model_validate({SETTING: "best-worst"}).named()}


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize(
    ("given", "value", "source"),
    [
        ({}, DEFAULT, None),
        ({"character": DEFAULTS}, DEFAULT, None),
        ({"preset": {SETTING: DEFAULT}, **CHARACTER}, "small-large", "character"),
        (CHARACTER, "small-large", "character"),
        ({**CHARACTER, **PRESET}, "top-bottom", "preset"),
        ({**CHARACTER, **PRESET, **FORM}, "best-worst", "explicit"),
        ({"named": FORM["named"]}, "best-worst", "explicit"),
    ],
)
def test_the_strongest_source_gives_the_value_and_is_named(
    flow: str, given: dict[str, Any], value: str, source: str | None
) -> None:
    recipe, kind = FLOWS[flow]
    preset = {"preset_operation": kind} if "preset" in given else {}

    steps = recipe(Preferences(**given, **preset)).steps

    (step, *_) = [each for each in steps if each.operation.operation_type == kind]
    assert (getattr(step.operation, SETTING), step.sources.get(SETTING)) == (value, source)


@pytest.mark.parametrize("flow", FLOWS)
def test_a_preset_is_for_its_own_operation_only(flow: str) -> None:
    recipe, kind = FLOWS[flow]
    other = "swap" if kind != "swap" else "edit"

    steps = recipe(Preferences(preset={SETTING: "top-bottom"}, preset_operation=other)).steps

    untouched = [each for each in steps if each.operation.operation_type != other]
    assert {getattr(each.operation, SETTING) for each in untouched} == {DEFAULT}


@pytest.mark.parametrize("flow", FLOWS)
def test_the_face_that_is_chosen_in_the_form_reaches_every_flow(flow: str) -> None:
    recipe, kind = FLOWS[flow]
    settings = FaceSettings(face_position=2)

    plan = settings.apply(recipe(Preferences(named=settings.named())))

    (step, *_) = [each for each in plan.steps if each.operation.operation_type == kind]
    assert (step.operation.face_position, step.sources["face_position"]) == (2, "explicit")


def test_a_model_that_is_chosen_in_a_field_is_stronger_than_all_sources() -> None:
    plan = enhance_then_swap(
        "a",
        "b",
        face_swapper_model=FaceSwapperModel.SIMSWAP_256,
        preferences=Preferences(character={"face_swapper_model": "inswapper_256"}),
    )

    swap = plan.steps[1]
    assert swap.sources["face_swapper_model"] == "explicit"
