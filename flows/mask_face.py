"""The flow `mask-face`: the part of a face that operations may change."""

from prefect import flow

from flows.parameters import (
    WORKERS,
    OptionalCharacterId,
    OptionalLongestSide,
    OptionalPresetName,
    OptionalReference,
    OptionalSettings,
    Priority,
    unless_typed,
)
from storycanvas.faces.plan import Plan
from storycanvas.faces.recipes.finding import PICTURE
from storycanvas.faces.recipes.finding import mask_face as plan_mask
from storycanvas.faces.recipes.pipeline import Pipeline, RecipeInput
from storycanvas.faces.reports.steps import FaceRunReport
from tasks.faces.reporting.findings import mask_on_face
from tasks.faces.run import RunOptions, run_pipeline
from tasks.log_lines import failing_in_a_sentence


@flow(
    name="mask-face",
    flow_run_name=unless_typed("mask-face · {character_id} · {picture}"),
    task_runner=WORKERS,
    validate_parameters=False,
)
@failing_in_a_sentence
def mask_face(
    character_id: OptionalCharacterId = None,
    picture: OptionalReference = None,
    preset: OptionalPresetName = None,
    settings: OptionalSettings = None,
    longest_side: OptionalLongestSide = None,
    force: bool = False,
    priority: Priority = 0,
    dry_run: bool = False,
) -> FaceRunReport:
    """Show which part of a face operations may change.

    Args:
        character_id: Id or name of the character whose history names the mask; left empty, none
            does.
        picture: Address or path of the picture; left empty, it is the character's first reference
            image.
        preset: Name or id of a saved preset; left empty, none is used.
        settings: Values for all steps that have them.
        longest_side: Pixels to which a larger picture is reduced first, 256 to 8192.
        force: Does again what was done already.
        priority: Larger goes first where runs wait for a GPU host, -100 to 100.
        dry_run: Only shows the plan, what of it is done already, and what the rest would take.
    """

    def plan(found: RecipeInput) -> Plan:
        return plan_mask(found.pictures[PICTURE], preferences=found.preferences)

    options = RunOptions(character_id, preset, settings, longest_side, force, priority, dry_run)
    return run_pipeline(options, Pipeline({PICTURE: picture}, plan), adding=mask_on_face)
