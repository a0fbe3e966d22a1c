"""The flow `enhance-faces`: the faces of pictures, restored."""

from prefect import flow

from flows.parameters import (
    WORKERS,
    Enhancer,
    OptionalCharacterId,
    OptionalLongestSide,
    OptionalPresetName,
    OptionalSettings,
    Pictures,
    Priority,
    ReviewHours,
    unless_typed,
)
from storycanvas.faces.recipes.enhancing import enhancing_pipeline
from storycanvas.faces.recipes.steps import Choice
from storycanvas.faces.reports.steps import FaceRunReport
from tasks.faces.run import RunOptions, run_pipeline
from tasks.log_lines import failing_in_a_sentence


@flow(
    name="enhance-faces",
    flow_run_name=unless_typed("enhance-faces · {character_id} · {pictures}"),
    task_runner=WORKERS,
    validate_parameters=False,
)
@failing_in_a_sentence
def enhance_faces(
    character_id: OptionalCharacterId = None,
    pictures: Pictures = (),
    enhance: Enhancer = Choice.AS_PREFERRED,
    preset: OptionalPresetName = None,
    settings: OptionalSettings = None,
    longest_side: OptionalLongestSide = None,
    force: bool = False,
    priority: Priority = 0,
    dry_run: bool = False,
    review: bool = False,
    review_hours: ReviewHours = 48,
) -> FaceRunReport:
    """Restore the face in each of some pictures.

    Args:
        character_id: Id or name of the character whose gallery receives the pictures; left empty,
            none does.
        pictures: Addresses or paths of up to 200 pictures; left empty, it is the character's first
            reference image.
        enhance: Model that restores; as preferred takes what the preset or the character prefers.
        preset: Name or id of a saved preset; left empty, none is used.
        settings: Values for all steps that have them.
        longest_side: Pixels to which a larger picture is reduced first, 256 to 8192.
        force: Makes pictures again that exist already.
        priority: Larger goes first where runs wait for a GPU host, -100 to 100.
        dry_run: Only shows the plan, what of it is done already, and what the rest would take.
        review: Suspends the run until a person has said on its page (Resume) what the gallery gets.
        review_hours: Hours after which an unanswered run fails and the gallery gets nothing.
    """
    options = RunOptions(
        character_id, preset, settings, longest_side, force, priority, dry_run, review, review_hours
    )
    return run_pipeline(options, enhancing_pipeline(pictures=pictures, enhance=enhance))
