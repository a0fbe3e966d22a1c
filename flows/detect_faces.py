"""The flow `detect-faces`: all faces of pictures, numbered as they are counted."""

from prefect import flow

from flows.parameters import (
    WORKERS,
    OptionalCharacterId,
    OptionalLongestSide,
    OptionalPresetName,
    OptionalSettings,
    Pictures,
    Priority,
    unless_typed,
)
from storycanvas.faces.plan import Plan
from storycanvas.faces.recipes.finding import PICTURE
from storycanvas.faces.recipes.finding import detect_faces as plan_detection
from storycanvas.faces.recipes.pipeline import Pipeline, RecipeInput
from storycanvas.faces.recipes.steps import numbered
from storycanvas.faces.reports.steps import FaceRunReport
from tasks.faces.reporting.findings import faces_found
from tasks.faces.run import RunOptions, run_pipeline
from tasks.log_lines import failing_in_a_sentence


@flow(
    name="detect-faces",
    flow_run_name=unless_typed("detect-faces · {character_id} · {pictures}"),
    task_runner=WORKERS,
    validate_parameters=False,
)
@failing_in_a_sentence
def detect_faces(
    character_id: OptionalCharacterId = None,
    pictures: Pictures = (),
    preset: OptionalPresetName = None,
    settings: OptionalSettings = None,
    longest_side: OptionalLongestSide = None,
    force: bool = False,
    priority: Priority = 0,
    dry_run: bool = False,
) -> FaceRunReport:
    """Show all faces of some pictures, numbered in the order in which they are counted.

    Args:
        character_id: Id or name of the character whose first reference image is taken without
            pictures.
        pictures: Addresses or paths of up to 200 pictures; left empty, it is the character's first
            reference image.
        preset: Name or id of a saved preset; left empty, none is used.
        settings: Values for all steps that have them.
        longest_side: Pixels to which a larger picture is reduced first, 256 to 8192.
        force: Does again what was done already.
        priority: Larger goes first where runs wait for a GPU host, -100 to 100.
        dry_run: Only shows the plan, what of it is done already, and what the rest would take.
    """

    def plan(found: RecipeInput) -> Plan:
        alone = len(found.pictures) == 1
        return plan_detection(found.pictures, required=alone, preferences=found.preferences)

    options = RunOptions(character_id, preset, settings, longest_side, force, priority, dry_run)
    pipeline = Pipeline(numbered(PICTURE, [*pictures] or [None]), plan)
    return run_pipeline(options, pipeline, adding=faces_found)
