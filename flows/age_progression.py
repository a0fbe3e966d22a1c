"""The flow `age-progression`: a character at several ages, from one picture."""

from prefect import flow

from flows.parameters import (
    WORKERS,
    Ages,
    CharacterId,
    Enhancer,
    LargestJump,
    OptionalLongestSide,
    OptionalPresetName,
    OptionalReference,
    OptionalSettings,
    Priority,
    ReviewHours,
    naming_age_bands,
    unless_typed,
)
from storycanvas.faces.operations import Age
from storycanvas.faces.recipes.age_path import Intermediates
from storycanvas.faces.recipes.age_progression import age_pipeline
from storycanvas.faces.recipes.steps import Choice
from storycanvas.faces.reports.steps import FaceRunReport
from tasks.faces.run import RunOptions, run_pipeline
from tasks.log_lines import failing_in_a_sentence

DEFAULT_AGES = [12, 16, 25, 45, 65]


@flow(
    name="age-progression",
    flow_run_name=unless_typed("age-progression · {character_id} · {ages}"),
    task_runner=WORKERS,
    validate_parameters=False,
)
@failing_in_a_sentence
@naming_age_bands
def age_progression(
    character_id: CharacterId,
    ages: Ages = DEFAULT_AGES,
    base_image: OptionalReference = None,
    base_age: Age | None = None,
    enhance: Enhancer = Choice.AS_PREFERRED,
    enhance_base: Enhancer = Choice.NONE,
    intermediates: Intermediates = Intermediates.AUTO,
    largest_jump: LargestJump = None,
    preset: OptionalPresetName = None,
    settings: OptionalSettings = None,
    longest_side: OptionalLongestSide = None,
    allow_child_ages: bool = False,
    refine: bool = False,
    force: bool = False,
    priority: Priority = 0,
    dry_run: bool = False,
    review: bool = False,
    review_hours: ReviewHours = 48,
) -> FaceRunReport:
    """Show a character at several ages, from one picture.

    Args:
        character_id: Id or name of the character whose gallery receives the pictures.
        ages: Ages to show in years, 10 to 100, or from 0 with allow_child_ages on ({age_bands}).
        base_image: Address or path of the picture to start from; left empty, it is the character's
            first reference image.
        base_age: Age in years in this picture; left empty, it is estimated from the face.
        enhance: Model that restores each picture after ageing; as preferred takes what the preset
            or the character prefers, and none leaves them as they are.
        enhance_base: Model that restores the picture before it is aged; none leaves it as it is.
        intermediates: Which jumps go through ages between them: of 40 years on, all large, or none.
        largest_jump: Years of the largest part of a jump that is cut, 10 to 39.
        preset: Name or id of a saved preset; left empty, none is used.
        settings: Values for all steps that have them.
        longest_side: Pixels to which a larger picture is reduced first, 256 to 8192.
        allow_child_ages: Allows ages below 10.
        refine: Makes a picture once more whose face looks more than 5 years off the wanted age.
        force: Makes pictures again that exist already.
        priority: Larger goes first where runs wait for a GPU host, -100 to 100.
        dry_run: Only shows the plan, what of it is done already, and what the rest would take.
        review: Suspends the run until a person has said on its page (Resume) what the gallery gets.
        review_hours: Hours after which an unanswered run fails and the gallery gets nothing.
    """
    options = RunOptions(
        character_id, preset, settings, longest_side, force, priority, dry_run, review, review_hours
    )
    pipeline = age_pipeline(
        ages=ages,
        base_image=base_image,
        base_age=base_age,
        enhance=enhance,
        enhance_base=enhance_base,
        intermediates=intermediates,
        largest_jump=largest_jump,
        allow_child_ages=allow_child_ages,
        refine=refine,
    )
    return run_pipeline(options, pipeline)
