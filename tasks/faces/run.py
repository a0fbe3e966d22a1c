"""The road of every face flow: look at the pictures, plan, run, record, report."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import repeat
from typing import ParamSpec, TypeVar

from db.schema.documents.characters import Character
from storycanvas.faces.contract import HostStatus
from storycanvas.faces.errors import BaseAgeUnknown
from storycanvas.faces.forecasts.dry_run import AGE, FACES, steps_at_any_age
from storycanvas.faces.likeness.chosen_plan import with_chosen_faces, worked_on
from storycanvas.faces.plan import Plan
from storycanvas.faces.preferences import Preferences
from storycanvas.faces.recipes.finding import detect_faces
from storycanvas.faces.recipes.pipeline import Pipeline, RecipeInput
from storycanvas.faces.reports.steps import FaceRunReport
from storycanvas.faces.results.checks import LEAST_GAIN, Bounds
from storycanvas.faces.settings import FaceSettings
from storycanvas.faces.sheets.layout import sheet_views
from tasks.characters.naming import taken_name
from tasks.faces.context import RunContext, open_run_context
from tasks.faces.forecast.comparisons import comparisons_to_do
from tasks.faces.forecast.dry_run import Forecast, finish_dry_run
from tasks.faces.forecast.lookup import run_or_look_up
from tasks.faces.inputs import (
    engine_status,
    first_reference_image,
    load_character,
    load_preferences,
)
from tasks.faces.inspection import Inspection, inspect_all
from tasks.faces.measuring.steps import MeasureRules
from tasks.faces.plan import PlanResult
from tasks.faces.refining import refuse_unmeasured, run_and_refine
from tasks.faces.reporting.report import (
    NO_EXTRAS,
    Extras,
    finish_run,
    progress_artifact,
    report_run,
)
from tasks.faces.reviewing import WAITS, refuse_review, review
from tasks.faces.step import RunRequest
from tasks.likeness.face_of import (
    NOT_CHOSEN,
    FacesChosen,
    FacesWanted,
    choose_faces,
    faces_wanted,
    person_of,
)
from tasks.log_lines import is_foreseen


@dataclass(frozen=True)
class RunOptions:
    """What every face flow takes beside its own parameters.

    Attributes:
        character_id: Whose history and gallery receive the pictures, by id or, if a person asks, by
            name; None leaves both alone.
        preset: Id or name of a preset.
        settings: What a person named in the form; None for nothing.
        longest_side: Pixels to which larger pictures are reduced first, 256 to 8192.
        force: Whether pictures are made again that exist already.
        priority: Larger goes first where runs wait for a GPU host, -100 to 100.
        dry_run: Whether the run only tells what it would do; its context is opened with it.
        review: Whether a person decides what the gallery receives.
        review_hours: How long that is waited for.
    """

    character_id: str | None = None
    preset: str | None = None
    settings: FaceSettings | None = None
    longest_side: int | None = None
    force: bool = False
    priority: int = 0
    dry_run: bool = False
    review: bool = False
    review_hours: int = 48

    def for_character(self, character: Character | None) -> "RunOptions":
        """Name the character that was found by its id."""
        return self if character is None else replace(self, character_id=character.id)


SHARED = frozenset(field.name for field in fields(RunOptions))
"""Parameters that every face flow has."""

Adding = Callable[[RunContext, PlanResult], Extras]
"""Makes what a flow adds to the report of its run, once its steps have ended."""


def nothing(*_: object) -> Extras:
    """Add nothing."""
    return NO_EXTRAS


@dataclass(frozen=True)
class PreparedRun:
    """A plan that is ready to be run, with what its report needs.

    In a dry run, `depends_on` is what further steps depend on that only a host can tell.
    """

    request: RunRequest
    plan: Plan
    preferences: Preferences
    inspection: Inspection
    refines: bool = False
    depends_on: str = ""


def run_pipeline(
    options: RunOptions, pipeline: Pipeline, adding: Adding = nothing
) -> FaceRunReport:
    """Run a pipeline as a whole flow.

    Args:
        options: For whom and how.
        pipeline: What is done.
        adding: Makes what the flow adds to the report.

    Returns:
        The report, within the state that the flow returns.

    Raises:
        FaceError: Something is refused before the first operation; nothing has been recorded.
        StepsFailed: Some steps did not get done; it carries the report.
    """
    with open_run_context(dry_run=options.dry_run) as context:
        return run_prepared(context, prepare(context, options, pipeline), adding)


def run_prepared(context: RunContext, run: PreparedRun, adding: Adding = nothing) -> FaceRunReport:
    """Run a plan that is ready, record it and report it; in a dry run, tell what it would do."""
    if context.dry_run:
        (forecast,) = forecasts(context, [run])
        return finish_dry_run(context, forecast)
    progress = progress_artifact(context, run.request.subject)
    planned = [(run.request, run.plan)]
    (made,) = run_and_refine(context, planned, progress, refines=run.refines)

    def report(result: PlanResult, *notes: str) -> FaceRunReport:
        extras = adding(context, result)
        extras = replace(extras, notes=(*extras.notes, *notes))
        return report_run(context, run.request, run.inspection, result, run.preferences, extras)

    def show() -> str | None:
        return report(made, WAITS).contact_sheet_page

    (result,) = review(context, [(run.request, made)], show)
    return finish_run(result, report(result))


def forecasts(context: RunContext, runs: Sequence[PreparedRun]) -> list[Forecast]:
    """Look plans up that a dry run would run."""
    results = run_or_look_up(context, [(run.request, run.plan) for run in runs])
    return [
        Forecast(
            run.request,
            run.inspection,
            result,
            run.preferences,
            run.depends_on,
            comparisons_to_do(context, run.request, run.plan),
            run.refines,
        )
        for run, result in zip(runs, results, strict=True)
    ]


def prepare(context: RunContext, options: RunOptions, pipeline: Pipeline) -> PreparedRun:
    """Do all that comes before the first operation of a pipeline."""
    (run,) = prepare_all(context, [options], pipeline)
    if isinstance(run, BaseException):
        raise run
    return run


def prepare_all(
    context: RunContext, wanted: Sequence[RunOptions], pipeline: Pipeline
) -> list[PreparedRun | Exception]:
    """Do all that comes before the first operation of a pipeline, for several characters at once.

    Returns:
        A run, or why there is none, for each of them.
    """
    for options in wanted:
        refuse_unreviewable(context, options)
    status = engine_status(context)
    asked = [_foreseen(_ask, context, options, pipeline, status) for options in wanted]
    asked = _with_chosen_faces(context, asked, pipeline)
    looking = [each for each in asked if isinstance(each, _Asked)]
    found: Iterator[Inspection | Exception] = repeat(Inspection())
    if pipeline.looks:
        looks = [(each.request, each.looks(pipeline)) for each in looking]
        found = iter(inspect_all(context, looks, source=pipeline.source))
    return [
        each if isinstance(each, Exception) else _foreseen(_plan, each, pipeline, next(found))
        for each in asked
    ]


T = TypeVar("T")
P = ParamSpec("P")


def _foreseen(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | Exception:
    """Return the error of a call that this project foresees."""
    try:
        return function(*args, **kwargs)
    except Exception as error:
        if not is_foreseen(error):
            raise
        return error


@dataclass(frozen=True)
class _Asked:
    """What is known before the pictures are looked at."""

    options: RunOptions
    settings: FaceSettings
    references: Mapping[str, str]
    preferences: Preferences
    request: RunRequest
    person: str | None = None
    chosen: FacesChosen = NOT_CHOSEN
    notes: tuple[str, ...] = ()

    def looks(self, pipeline: Pipeline) -> Plan:
        plan = self._read(self.settings.apply(self._detection(), pipeline.givers), pipeline)
        return self._with_faces(plan, pipeline.givers)

    def plan(self, pipeline: Pipeline, found: Inspection) -> Plan:
        given = RecipeInput(self.references, self.preferences, found.estimated_ages, found.seen)
        plan = self._read(self.settings.apply(pipeline.recipe(given)), pipeline)
        return self._with_faces(plan, None)

    def wanted(self, pipeline: Pipeline) -> FacesWanted:
        """Plan the search for the person in the pictures that are worked on."""
        plan, givers = self._detection(), pipeline.givers or None
        if not pipeline.looks:  # which pictures only give their face stands in the plan alone
            plan = pipeline.recipe(RecipeInput(self.references, self.preferences, {}))
            givers = None
        pictures = worked_on(self._read(plan, pipeline), givers)
        return faces_wanted(
            self.request, self.settings, self.preferences, self.person or "", pictures
        )

    def _detection(self) -> Plan:
        return detect_faces(self.references, required=False, preferences=self.preferences)

    def _read(self, plan: Plan, pipeline: Pipeline) -> Plan:
        return plan.written_by(pipeline.named_by).reduced_to(self.options.longest_side)

    def _with_faces(self, plan: Plan, givers: Collection[str] | None) -> Plan:
        if self.person is None:
            return plan
        return with_chosen_faces(plan, self.chosen.boxes, givers)


def _with_chosen_faces(
    context: RunContext, asked: "Sequence[_Asked | Exception]", pipeline: Pipeline
) -> "list[_Asked | Exception]":
    """Choose faces by likeness where the settings ask for it."""
    found = [*asked]
    wanted: dict[int, FacesWanted] = {}
    for at, each in enumerate(asked):
        if isinstance(each, _Asked) and each.person is not None:
            plan = _foreseen(each.wanted, pipeline)
            if isinstance(plan, Exception):
                found[at] = plan
            else:
                wanted[at] = plan
    chosen = choose_faces(context, [*wanted.values()]) if wanted else []
    for at, faces in zip(wanted, chosen, strict=True):
        complete = _foreseen(faces.require_all)
        each = found[at]
        if isinstance(each, _Asked):
            found[at] = (
                complete if isinstance(complete, Exception) else replace(each, chosen=complete)
            )
    return found


def _ask(
    context: RunContext, options: RunOptions, pipeline: Pipeline, status: HostStatus
) -> _Asked:
    character = load_character(context, options.character_id, pipeline.named_by)
    notes = taken_name(options.character_id, character)
    options = options.for_character(character)
    settings = options.settings or FaceSettings()
    refuse_unmeasured(pipeline, settings)
    preferences = load_preferences(context, character, options.preset, settings)
    references = {
        name: reference or first_reference_image(character)
        for name, reference in pipeline.pictures.items()
    }
    person = person_of(settings, character)
    request = run_request(context, options, status, character)
    return _Asked(options, settings, references, preferences, request, person, notes=notes)


def refuse_unreviewable(context: RunContext, options: RunOptions) -> None:
    """Refuse a review that is impossible, with `BadField`."""
    if options.review and not context.dry_run:
        refuse_review(has_character=options.character_id is not None)


def run_request(
    context: RunContext,
    options: RunOptions,
    status: HostStatus,
    character: Character | None = None,
) -> RunRequest:
    """Make the request of a run."""
    return RunRequest(
        context.origin,
        options.character_id,
        status,
        options.force,
        label=context.label,
        priority=options.priority,
        stopping=context.stopping,
        record=not context.dry_run,
        measuring=measure_rules(options.settings),
        character_name=character.name if character else "",
        review_hours=options.review_hours if options.review else None,
    )


def measure_rules(settings: FaceSettings | None) -> MeasureRules:
    """Read from a run's settings whether and how its pictures are measured."""
    chosen = settings or FaceSettings()
    gain = LEAST_GAIN if chosen.least_swap_gain is None else chosen.least_swap_gain
    bounds = Bounds(same_below=chosen.same_person_below, least_gain=gain)
    return MeasureRules(on=chosen.measure, fails=chosen.checks == "fail", bounds=bounds)


def _plan(asked: _Asked, pipeline: Pipeline, found: Inspection | Exception) -> PreparedRun:
    if isinstance(found, Exception):
        raise found
    if asked.chosen.looks or found.looks:
        return _plan_unseen(asked, pipeline, found)
    plan = asked.plan(pipeline, found)
    found = replace(found, notes=(*asked.notes, *found.notes, *asked.chosen.notes))
    request = asked.request
    if pipeline.looks:  # else the faces to be shown are known at the end only
        request = replace(request, views=sheet_views(plan, found.faces))
    return PreparedRun(request, plan, asked.preferences, found, pipeline.refines)


def _plan_unseen(asked: _Asked, pipeline: Pipeline, found: Inspection) -> PreparedRun:
    """Plan, in a dry run, what does not depend on what a host has still to see."""
    depends_on, looks = FACES, (*asked.chosen.looks, *found.looks)
    plan = Plan(pictures=(), steps=())
    if not (asked.chosen.looks or pipeline.every_face):
        plan, depends_on = _plan_without_age(asked, pipeline, found)
    inspection = replace(found, notes=(*asked.notes, *found.notes), looks=looks)
    return PreparedRun(
        asked.request, plan, asked.preferences, inspection, pipeline.refines, depends_on
    )


def _plan_without_age(asked: _Asked, pipeline: Pipeline, found: Inspection) -> tuple[Plan, str]:
    def of_age(age: float | None) -> Plan:
        ages: dict[str, float | None] = dict.fromkeys(pipeline.pictures, age)
        return asked.plan(pipeline, replace(found, estimated_ages=ages))

    try:
        return of_age(None), ""
    except BaseAgeUnknown:
        return steps_at_any_age(of_age), AGE
