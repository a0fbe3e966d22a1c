"""The flow `for-characters`: one pipeline for all characters of a project, or for some."""

from collections.abc import Callable
from functools import partial
from typing import Literal

from prefect import flow

from flows.age_progression import age_progression
from flows.edit_expression import edit_expression
from flows.enhance_faces import enhance_faces
from flows.face_chain import face_chain
from flows.parameters import (
    WORKERS,
    CharacterIds,
    NamedParameters,
    OnlyFirst,
    OptionalLongestSide,
    OptionalPresetName,
    OptionalSettings,
    OptionalText,
    Priority,
    ReviewHours,
    StopAfter,
    unless_typed,
)
from storycanvas.faces.recipes.age_progression import age_pipeline
from storycanvas.faces.recipes.enhancing import enhancing_pipeline
from storycanvas.faces.recipes.expression import expression_pipeline
from storycanvas.faces.recipes.pipeline import Pipeline
from storycanvas.faces.reports.characters import CharactersReport
from tasks.faces.chains import pipeline_of_chain
from tasks.faces.characters import CharacterRules, run_for_characters
from tasks.faces.context import open_run_context
from tasks.faces.run import SHARED, RunOptions
from tasks.log_lines import failing_in_a_sentence
from tasks.parameters import own_parameters

Name = Literal["age-progression", "enhance-faces", "edit-expression", "face-chain"]
_FLOWS = {each.name: each for each in (age_progression, enhance_faces, edit_expression, face_chain)}
_PIPELINES: dict[str, Callable[..., Pipeline]] = {
    "age-progression": age_pipeline,
    "enhance-faces": enhancing_pipeline,
    "edit-expression": expression_pipeline,
}


@flow(
    name="for-characters",
    flow_run_name=unless_typed("for-characters · {project_id} · {characters} · {pipeline}"),
    task_runner=WORKERS,
    validate_parameters=False,
)
@failing_in_a_sentence
def for_characters(
    project_id: OptionalText = None,
    characters: CharacterIds = (),
    pipeline: Name = "age-progression",
    parameters: NamedParameters = None,
    only_first: OnlyFirst = None,
    stop_after_failures: StopAfter = None,
    preset: OptionalPresetName = None,
    settings: OptionalSettings = None,
    longest_side: OptionalLongestSide = None,
    force: bool = False,
    priority: Priority = 0,
    dry_run: bool = False,
    review: bool = False,
    review_hours: ReviewHours = 48,
) -> CharactersReport:
    """Run one pipeline for several characters, each as if it were run alone.

    Args:
        project_id: Id of the project whose characters it is run for.
        characters: Ids or names of up to 500 characters, in place of a project.
        pipeline: Name of the flow whose pipeline it is.
        parameters: One line a parameter of that flow, as in ages: [25, 45].
        only_first: Number of characters to begin with; the next run without it does the others.
        stop_after_failures: Failed characters after which nothing more is begun.
        preset: Name or id of a saved preset; left empty, none is used.
        settings: Values for all steps that have them.
        longest_side: Pixels to which a larger picture is reduced first, 256 to 8192.
        force: Makes pictures again that exist already.
        priority: Larger goes first where runs wait for a GPU host, -100 to 100.
        dry_run: Only shows the plan, what of it is done already, and what the rest would take.
        review: Suspends the run until a person has said on its page (Resume) what the gallery gets.
        review_hours: Hours after which an unanswered run fails and the gallery gets nothing.
    """
    given = own_parameters(_FLOWS[pipeline], parameters or {}, SHARED)
    options = RunOptions(
        None, preset, settings, longest_side, force, priority, dry_run, review, review_hours
    )
    rules = CharacterRules(project_id, characters, only_first, stop_after_failures)
    with open_run_context(pipeline, dry_run=dry_run) as context:
        make = _PIPELINES.get(pipeline) or partial(pipeline_of_chain, context)
        return run_for_characters(context, options, make(**given), rules)
