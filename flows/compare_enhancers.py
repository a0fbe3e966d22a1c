"""The flow `compare-enhancers`: one picture, restored by several models."""

from prefect import flow

from flows.parameters import (
    WORKERS,
    Blends,
    Enhancers,
    OptionalCharacterId,
    OptionalLongestSide,
    OptionalPresetName,
    OptionalReference,
    OptionalSettings,
    Priority,
    ReviewHours,
    unless_typed,
)
from storycanvas.faces.plan import Plan
from storycanvas.faces.recipes.enhancing import OWNERS_MODELS, PICTURE
from storycanvas.faces.recipes.enhancing import compare_enhancers as plan_comparison
from storycanvas.faces.recipes.pipeline import Pipeline, RecipeInput
from storycanvas.faces.reports.steps import FaceRunReport
from tasks.faces.reporting.comparison import comparison
from tasks.faces.run import RunOptions, run_pipeline
from tasks.log_lines import failing_in_a_sentence


@flow(
    name="compare-enhancers",
    flow_run_name=unless_typed("compare-enhancers · {character_id} · {picture}"),
    task_runner=WORKERS,
    validate_parameters=False,
)
@failing_in_a_sentence
def compare_enhancers(
    character_id: OptionalCharacterId = None,
    picture: OptionalReference = None,
    models: Enhancers = OWNERS_MODELS,
    blends: Blends = (1.0,),
    keep: bool = False,
    preset: OptionalPresetName = None,
    settings: OptionalSettings = None,
    longest_side: OptionalLongestSide = None,
    force: bool = False,
    priority: Priority = 0,
    dry_run: bool = False,
    review: bool = False,
    review_hours: ReviewHours = 48,
) -> FaceRunReport:
    """Show one picture restored by several models, side by side.

    Args:
        character_id: Id or name of the character whose gallery receives the pictures if keep is on.
        picture: Address or path of the picture; left empty, it is the character's first reference
            image.
        models: Models to compare, with the blends at most 36 pictures.
        blends: Shares of the restored face in the result, 0 to 1.
        keep: Puts the pictures into the gallery's custom outputs.
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
        return plan_comparison(
            found.pictures[PICTURE], models, blends, keep=keep, preferences=found.preferences
        )

    options = RunOptions(
        character_id, preset, settings, longest_side, force, priority, dry_run, review, review_hours
    )
    pipeline = Pipeline({PICTURE: picture}, plan, source=PICTURE)
    return run_pipeline(options, pipeline, adding=comparison)
