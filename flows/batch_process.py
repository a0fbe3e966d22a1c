"""The flow `batch-process`: many single operations, independent of each other."""

from prefect import flow

from flows.parameters import (
    WORKERS,
    GalleryOfBatch,
    MostPictures,
    OnlyFirst,
    Operations,
    OptionalCharacterId,
    OptionalFolder,
    OptionalLongestSide,
    OptionalPresetName,
    OptionalSettings,
    Priority,
    ReviewHours,
    StopAfter,
    unless_typed,
)
from storycanvas.faces.batch import read_items
from storycanvas.faces.recipes.batch import BY_OPERATION
from storycanvas.faces.reports.batch import BatchReport
from tasks.faces.batch import BatchRules, list_pictures, run_batch
from tasks.faces.context import open_run_context
from tasks.faces.run import RunOptions
from tasks.log_lines import failing_in_a_sentence


@flow(
    name="batch-process",
    flow_run_name=unless_typed("batch-process · {character_id} · {folder} · {pictures}"),
    task_runner=WORKERS,
    validate_parameters=False,
)
@failing_in_a_sentence
def batch_process(
    operations: Operations,
    character_id: OptionalCharacterId = None,
    pictures: MostPictures = (),
    folder: OptionalFolder = None,
    gallery: GalleryOfBatch = BY_OPERATION,
    first_alone: bool = True,
    only_first: OnlyFirst = None,
    stop_after_failures: StopAfter = None,
    preset: OptionalPresetName = None,
    settings: OptionalSettings = None,
    longest_side: OptionalLongestSide = None,
    allow_child_ages: bool = False,
    force: bool = False,
    priority: Priority = 0,
    dry_run: bool = False,
    review: bool = False,
    review_hours: ReviewHours = 48,
) -> BatchReport:
    """Carry out many operations, each for itself.

    Args:
        operations: One operation a line, as in - {type: enhance, image_url: face.png}.
        character_id: Id or name of the character whose gallery receives the pictures; left empty,
            none does.
        pictures: Addresses or paths of pictures, each of which every operation is done on.
        folder: A folder of this machine or of the image store, whose pictures are taken as well.
        gallery: List of the gallery for all results; by operation takes that of each operation.
        first_alone: Does the first item before all others, and no other if a host fails it.
        only_first: Number of items to begin with; the next run without it takes them over.
        stop_after_failures: Failed items after which nothing more is begun.
        preset: Name or id of a saved preset; left empty, none is used.
        settings: Values for all items that have them.
        longest_side: Pixels to which a larger picture is reduced first, 256 to 8192.
        allow_child_ages: Allows ages below 10.
        force: Makes pictures again that exist already.
        priority: Larger goes first where runs wait for a GPU host, -100 to 100.
        dry_run: Only shows the plan, what of it is done already, and what the rest would take.
        review: Suspends the run until a person has said on its page (Resume) what the gallery gets.
        review_hours: Hours after which an unanswered run fails and the gallery gets nothing.
    """
    options = RunOptions(
        character_id, preset, settings, longest_side, force, priority, dry_run, review, review_hours
    )
    rules = BatchRules(gallery, first_alone, stop_after_failures, only_first, allow_child_ages)
    with open_run_context(dry_run=dry_run) as context:
        given = [*pictures, *(list_pictures(context, folder) if folder else [])]
        return run_batch(context, options, read_items(operations, given), rules)
