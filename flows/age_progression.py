"""The flow `age-progression`: a character at several ages, from one picture.

Started by an artist in the Prefect UI, or from Python:

    from flows.age_progression import age_progression
    report = age_progression("character-id", ages=[25, 45, 65])
"""

from prefect import flow

from flows.parameters import (
    WORKERS,
    Ages,
    CharacterId,
    Enhancer,
    OptionalPresetName,
    OptionalReference,
    Priority,
    unless_typed,
)
from storycanvas.faces.operations import Age
from storycanvas.faces.recipes.age_progression import BASE, plan_base_age, refuse_child_ages
from storycanvas.faces.recipes.age_progression import age_progression as plan_ages
from storycanvas.faces.recipes.steps import Choice
from storycanvas.faces.report import FaceRunReport
from tasks.faces.context import open_run_context
from tasks.faces.inputs import first_reference_image, load_character, load_preferences, make_request
from tasks.faces.inspection import inspect
from tasks.faces.plan import run_plan
from tasks.faces.report import finish_run, progress_artifact
from tasks.log_lines import failing_in_a_sentence

DEFAULT_AGES = [12, 16, 25, 45, 65]


@flow(
    name="age-progression",
    flow_run_name=unless_typed("ages {ages} of {character_id}"),
    task_runner=WORKERS,
    validate_parameters=False,
)
@failing_in_a_sentence
def age_progression(
    character_id: CharacterId,
    ages: Ages = DEFAULT_AGES,
    base_image: OptionalReference = None,
    base_age: Age | None = None,
    enhance: Enhancer = Choice.AS_PREFERRED,
    preset: OptionalPresetName = None,
    allow_child_ages: bool = False,
    force: bool = False,
    priority: Priority = 0,
) -> FaceRunReport:
    """Show a character at several ages, from one picture.

    Args:
        character_id: Id of the character whose gallery receives the pictures.
        ages: Ages to show in years, 10 to 100, or from 0 with allow_child_ages on.
        base_image: Address or path of the picture to start from; left empty, it is the character's
            first reference image.
        base_age: Age in years that the person has in this picture; left empty, it is estimated from
            the face.
        enhance: Model that restores each picture after ageing; as preferred takes what the preset
            or the character prefers, and none leaves the pictures as they are.
        preset: Name or id of a saved preset; left empty, none is used.
        allow_child_ages: Allows ages below 10.
        force: Makes pictures again that exist already.
        priority: The run with the larger number goes first where runs wait for a GPU host, -100 to
            100.

    Returns:
        What was done, reused or failed, step by step.
    """
    refuse_child_ages(ages, allow_child_ages=allow_child_ages)
    with open_run_context() as context:
        character = load_character(context, character_id)
        preferences = load_preferences(context, character, preset)
        base = base_image or first_reference_image(character)
        request = make_request(context, character_id, force=force, priority=priority)
        inspection = inspect(context, request, {BASE: base}, preferences, source=BASE)
        estimate = inspection.estimated_ages[BASE]
        planned_from = plan_base_age(base_age, estimate)
        plan = plan_ages(
            base,
            planned_from,
            ages,
            enhance=enhance,
            preferences=preferences,
            allow_child_ages=allow_child_ages,
        )
        result = run_plan(context, request, plan, progress_artifact(context, character_id))
        return finish_run(
            context,
            request,
            inspection,
            result,
            preferences,
            base_age=planned_from,
            estimated_age=estimate,
        )
