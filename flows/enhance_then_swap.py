"""The flow `enhance-then-swap`: a character's face, restored, in another picture."""

from prefect import flow

from flows.parameters import (
    WORKERS,
    CharacterId,
    Enhancer,
    OptionalLongestSide,
    OptionalPresetName,
    OptionalReference,
    OptionalSettings,
    Priority,
    Reference,
    ReviewHours,
    Swapper,
    unless_typed,
)
from storycanvas.faces.plan import Plan
from storycanvas.faces.recipes.enhance_then_swap import SOURCE, TARGET
from storycanvas.faces.recipes.enhance_then_swap import enhance_then_swap as plan_swap
from storycanvas.faces.recipes.pipeline import Pipeline, RecipeInput
from storycanvas.faces.recipes.steps import Choice
from storycanvas.faces.reports.steps import FaceRunReport
from tasks.faces.run import RunOptions, run_pipeline
from tasks.log_lines import failing_in_a_sentence


@flow(
    name="enhance-then-swap",
    flow_run_name=unless_typed("enhance-then-swap · {character_id} · {target_image}"),
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
    settings: OptionalSettings = None,
    longest_side: OptionalLongestSide = None,
    force: bool = False,
    priority: Priority = 0,
    dry_run: bool = False,
    review: bool = False,
    review_hours: ReviewHours = 48,
) -> FaceRunReport:
    """Put a character's face into a picture, restored before and after.

    Args:
        character_id: Id or name of the character whose gallery receives the picture.
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
        settings: Values for all steps that have them.
        longest_side: Pixels to which a larger picture is reduced first, 256 to 8192.
        force: Makes pictures again that exist already.
        priority: Larger goes first where runs wait for a GPU host, -100 to 100.
        dry_run: Only shows the plan, what of it is done already, and what the rest would take.
        review: Suspends the run until a person has said on its page (Resume) what the gallery gets.
        review_hours: Hours after which an unanswered run fails and the gallery gets nothing.
    """

    def plan(found: RecipeInput) -> Plan:
        return plan_swap(
            found.pictures[SOURCE],
            found.pictures[TARGET],
            enhance_source=enhance_source,
            enhance_result=enhance_result,
            face_swapper_model=face_swapper_model,
            preferences=found.preferences,
        )

    options = RunOptions(
        character_id, preset, settings, longest_side, force, priority, dry_run, review, review_hours
    )
    pictures = {SOURCE: source_face, TARGET: target_image}
    return run_pipeline(options, Pipeline(pictures, plan, source=SOURCE, givers={SOURCE}))
