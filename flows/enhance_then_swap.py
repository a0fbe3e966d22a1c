"""The flow `enhance-then-swap`: a character's face, restored, in another picture.

Started by an artist in the Prefect UI, or from Python:

    from flows.enhance_then_swap import enhance_then_swap
    report = enhance_then_swap("character-id", "https://example.org/scene.jpg")
"""

from prefect import flow

from flows.parameters import (
    WORKERS,
    CharacterId,
    Enhancer,
    OptionalPresetName,
    OptionalReference,
    Priority,
    Reference,
    Swapper,
    unless_typed,
)
from storycanvas.faces.recipes.enhance_then_swap import SOURCE, TARGET
from storycanvas.faces.recipes.enhance_then_swap import enhance_then_swap as plan_swap
from storycanvas.faces.recipes.steps import Choice
from storycanvas.faces.report import FaceRunReport
from tasks.faces.context import open_run_context
from tasks.faces.inputs import first_reference_image, load_character, load_preferences, make_request
from tasks.faces.inspection import inspect
from tasks.faces.plan import run_plan
from tasks.faces.report import finish_run, progress_artifact
from tasks.log_lines import failing_in_a_sentence


@flow(
    name="enhance-then-swap",
    flow_run_name=unless_typed("{character_id} into a picture"),
    task_runner=WORKERS,
    validate_parameters=False,
)
@failing_in_a_sentence
def enhance_then_swap(
    character_id: CharacterId,
    target_image: Reference,
    source_face: OptionalReference = None,
    enhance_source: Enhancer = Choice.AS_PREFERRED,
    enhance_result: Enhancer = Choice.AS_PREFERRED,
    face_swapper_model: Swapper = Choice.AS_PREFERRED,
    preset: OptionalPresetName = None,
    force: bool = False,
    priority: Priority = 0,
) -> FaceRunReport:
    """Put a character's face into a picture, restored before and after.

    Args:
        character_id: Id of the character whose gallery receives the picture.
        target_image: Address or path of the picture that receives the face.
        source_face: Address or path of the picture with the face; left empty, it is the character's
            first reference image.
        enhance_source: Model that restores the face first; as preferred takes what the preset or
            the character prefers, and none leaves it as it is.
        enhance_result: Model that restores the face in the result; as preferred takes what the
            preset or the character prefers, and none leaves it as it is.
        face_swapper_model: Model that swaps the faces; as preferred takes what the preset or the
            character prefers.
        preset: Name or id of a saved preset; left empty, none is used.
        force: Makes pictures again that exist already.
        priority: The run with the larger number goes first where runs wait for a GPU host, -100 to
            100.

    Returns:
        What was done, reused or failed, step by step.
    """
    with open_run_context() as context:
        character = load_character(context, character_id)
        preferences = load_preferences(context, character, preset)
        source = source_face or first_reference_image(character)
        request = make_request(context, character_id, force=force, priority=priority)
        pictures = {SOURCE: source, TARGET: target_image}
        inspection = inspect(context, request, pictures, preferences, source=SOURCE)
        plan = plan_swap(
            source,
            target_image,
            enhance_source=enhance_source,
            enhance_result=enhance_result,
            face_swapper_model=face_swapper_model,
            preferences=preferences,
        )
        result = run_plan(context, request, plan, progress_artifact(context, character_id))
        return finish_run(context, request, inspection, result, preferences)
