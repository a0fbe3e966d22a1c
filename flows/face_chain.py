"""The flow `face-chain`: several operations, one after another, as a chain says."""

from prefect import flow

from flows.parameters import (
    WORKERS,
    NamedReferences,
    NamedValues,
    OptionalChain,
    OptionalCharacterId,
    OptionalLongestSide,
    OptionalPresetName,
    OptionalSettings,
    Priority,
    ReviewHours,
    naming_age_bands,
    unless_typed,
)
from storycanvas.faces.reports.steps import FaceRunReport
from tasks.faces.chains import pipeline_of_chain
from tasks.faces.context import open_run_context
from tasks.faces.run import RunOptions, prepare, run_prepared
from tasks.log_lines import failing_in_a_sentence


@flow(
    name="face-chain",
    flow_run_name=unless_typed("face-chain · {character_id} · {chain}"),
    task_runner=WORKERS,
    validate_parameters=False,
)
@failing_in_a_sentence
@naming_age_bands
def face_chain(
    character_id: OptionalCharacterId = None,
    chain: OptionalPresetName = None,
    steps: OptionalChain = None,
    pictures: NamedReferences = None,
    values: NamedValues = None,
    preset: OptionalPresetName = None,
    settings: OptionalSettings = None,
    longest_side: OptionalLongestSide = None,
    allow_child_ages: bool = False,
    force: bool = False,
    priority: Priority = 0,
    dry_run: bool = False,
    review: bool = False,
    review_hours: ReviewHours = 48,
) -> FaceRunReport:
    """Carry out a chain of operations.

    Args:
        character_id: Id or name of the character whose gallery receives the pictures; left empty,
            none does.
        chain: Name or id of the chain, such as enhance-and-age.
        steps: A chain written out as YAML, in place of a name.
        pictures: One line a picture, its name in the chain and its address as in target: scene.png.
        values: One line a value of the chain, as in target_age: 60 ({age_bands}).
        preset: Name or id of a saved preset; left empty, none is used.
        settings: Values for all steps that have them.
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
    with open_run_context(dry_run=dry_run) as context:
        pipeline = pipeline_of_chain(
            context,
            chain=chain,
            steps=steps,
            pictures=pictures,
            values=values,
            allow_child_ages=allow_child_ages,
        )
        return run_prepared(context, prepare(context, options, pipeline))
