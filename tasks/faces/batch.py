"""Running a batch: its items side by side, the first one alone where a host may be broken."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from prefect.client.schemas.objects import State
from prefect.states import Cancelled, Completed

from storycanvas.faces.batch import BatchItem
from storycanvas.faces.errors import BadField, FaceError
from storycanvas.faces.forecasts.dry_run import FACES
from storycanvas.faces.likeness.chosen_plan import source_of, with_chosen_faces, worked_on
from storycanvas.faces.plan import Plan, Step
from storycanvas.faces.preferences import Preferences
from storycanvas.faces.recipes.batch import BY_OPERATION, BatchGallery, BatchPlan, batch_plan
from storycanvas.faces.reports.batch import (
    PARTLY_DONE,
    BatchReport,
    ItemResult,
    batch_report,
    first_look_note,
    item_result,
    refused_step,
)
from storycanvas.faces.reports.steps import MAX_REASONS, STOPPED, FaceRunReport, StepReport
from storycanvas.faces.settings import FaceSettings
from storycanvas.faces.sources.folders import pictures_in
from storycanvas.faces.sources.trust import NamedBy, shown
from storycanvas.gpu.pool.selection import is_hosts_fault
from tasks.characters.naming import taken_name
from tasks.faces.context import RunContext
from tasks.faces.failures import FailureLimit
from tasks.faces.forecast.comparisons import comparisons_to_do
from tasks.faces.forecast.dry_run import Forecast, finish_dry_batch
from tasks.faces.forecast.lookup import run_or_look_up
from tasks.faces.inputs import engine_status, load_character, load_preferences
from tasks.faces.inspection import Inspection
from tasks.faces.plan import PlanResult, end_interrupted, no_progress, plan_result
from tasks.faces.reporting.report import Extras, StepsFailed, progress_artifact, report_run
from tasks.faces.reviewing import WAITS, review
from tasks.faces.run import RunOptions, refuse_unreviewable, run_request
from tasks.faces.step import RunRequest
from tasks.likeness.face_of import FacesChosen, choose_faces, faces_wanted, person_of
from tasks.waiting import first_task

Progress = Callable[[float], None]
"""Called with the share of what is done, 0 to 1."""


@dataclass(frozen=True)
class BatchRules:
    """How a batch is carried out.

    Attributes:
        gallery: Where results go.
        first_alone: Whether the first item is done before all others, which are not begun if a
            host failed it.
        stop_after_failures: Failed items after which nothing more is begun; None for any number.
        only_first: How many items are done, the others wait for a later run; None for all.
        allow_child_ages: Whether ages below 10 may be made.
        named_by: Who named the pictures.
    """

    gallery: BatchGallery = BY_OPERATION
    first_alone: bool = True
    stop_after_failures: int | None = None
    only_first: int | None = None
    allow_child_ages: bool = False
    named_by: NamedBy = NamedBy.PERSON


@first_task("list folder {folder}")
def list_pictures(context: RunContext, folder: str) -> list[str]:
    """List the pictures of a folder."""
    return pictures_in(folder, context.store)


def run_batch(
    context: RunContext, options: RunOptions, items: Sequence[BatchItem], rules: BatchRules
) -> BatchReport:
    """Run a batch as a whole flow.

    Returns:
        The report, within the state that the flow returns: Completed, with the name `Partly done`
        if some items are not done.

    Raises:
        BadField: No item can be done as it is written; nothing was begun.
        StepsFailed: No item was done; it carries the report.
    """
    batch = prepare_batch(context, options, items, rules)
    if context.dry_run:
        return _tell_plan(context, batch, len(items))
    made = batch.run(context)
    looks_first = first_look_note(len(items), rules.only_first)

    def show() -> str | None:
        return _report(context, batch, made, (*looks_first, WAITS))[0].contact_sheet_page

    (result,) = review(context, [(batch.request, made)], show)
    report, results = _report(context, batch, result, looks_first)
    return finish_batch(result, batch_report(report, results, len(items) - len(batch.items)))


def _report(
    context: RunContext, batch: "PreparedBatch", result: PlanResult, notes: tuple[str, ...]
) -> tuple[FaceRunReport, list[ItemResult]]:
    results = item_results(batch.items, result)
    extras = Extras(tables={"results": [each.model_dump() for each in results]}, notes=notes)
    found = Inspection(notes=batch.notes)
    report = report_run(context, batch.request, found, result, batch.preferences, extras)
    return report, results


def _tell_plan(context: RunContext, batch: "PreparedBatch", items: int) -> BatchReport:
    """Tell in a dry run what would be done."""
    if batch.looks:
        result, depends_on = PlanResult(batch.planned.plan, {}, (), {}), FACES
    else:
        result, depends_on = batch.run(context, no_progress), ""
    inspection = Inspection(notes=batch.notes, looks=tuple(batch.looks))
    compared = comparisons_to_do(context, batch.request, result.plan)
    forecast = Forecast(batch.request, inspection, result, batch.preferences, depends_on, compared)
    return finish_dry_batch(context, forecast, items)


@dataclass(frozen=True)
class PreparedBatch:
    """A batch that is ready to be run.

    Attributes:
        request: For whom it is run.
        items: Those that this run is to do.
        planned: What is done of them.
        rules: How it is carried out.
        preferences: Settings of every source.
        notes: What is told of how it was understood.
        looks: In a dry run, the steps that look for faces and are not done yet.
    """

    request: RunRequest
    items: Sequence[BatchItem]
    planned: BatchPlan
    rules: BatchRules
    preferences: Preferences
    notes: tuple[str, ...] = ()
    looks: Sequence[StepReport] = ()

    def run(self, context: RunContext, progress: Progress | None = None) -> PlanResult:
        """Run its items, and tell those that were refused among the others."""
        move = progress or progress_artifact(context, self.request.subject)
        result = _run(context, self.request, self.planned.plan, self.rules, move)
        return _with_refused(self.items, self.planned, result)


def prepare_batch(
    context: RunContext, options: RunOptions, items: Sequence[BatchItem], rules: BatchRules
) -> PreparedBatch:
    """Do all that comes before the first item.

    Raises:
        BadField: No item can be done as it is written.
    """
    refuse_unreviewable(context, options)
    begun = items[: rules.only_first]
    character = load_character(context, options.character_id, rules.named_by)
    notes = taken_name(options.character_id, character)
    options = options.for_character(character)
    settings = options.settings or FaceSettings()
    preferences = load_preferences(context, character, options.preset, settings)
    planned = batch_plan(
        begun,
        reference_image=next(iter(character.reference_images), None) if character else None,
        preferences=preferences,
        settings=settings,
        gallery=rules.gallery,
        allow_child_ages=rules.allow_child_ages,
        named_by=rules.named_by,
    )
    _refuse_empty(planned)
    request = replace(
        run_request(context, options, engine_status(context), character),
        failures=FailureLimit(rules.stop_after_failures),
    )
    reduced = replace(planned, plan=planned.plan.reduced_to(options.longest_side))
    person = person_of(settings, character)
    if person is not None:
        pictures = worked_on(reduced.plan, ())
        wanted = faces_wanted(request, settings, preferences, person, pictures)
        (chosen,) = choose_faces(context, [wanted])
        if chosen.looks:  # which operations follow is not known
            nothing = replace(reduced, plan=_with_steps(reduced.plan, ()))
            return PreparedBatch(request, begun, nothing, rules, preferences, notes, chosen.looks)
        reduced = _with_chosen_faces(reduced, chosen)
        _refuse_empty(reduced)
    return PreparedBatch(request, begun, reduced, rules, preferences, notes)


def _with_chosen_faces(planned: BatchPlan, chosen: FacesChosen) -> BatchPlan:
    """Have each item work on the chosen face; one whose picture has none is refused alone."""
    pictures = {picture.name: picture for picture in planned.plan.pictures}
    refused = dict(planned.refused)
    for step in planned.plan.steps:
        error = chosen.refused.get(source_of(pictures[step.inputs[-1]]))
        if error is not None:
            if not isinstance(error, FaceError) or is_hosts_fault(error):
                raise error
            refused[step.name] = error
    left = [step for step in planned.plan.steps if step.name not in refused]
    plan = _with_steps(planned.plan, left)
    return BatchPlan(with_chosen_faces(plan, chosen.boxes, ()), refused)


def _refuse_empty(planned: BatchPlan) -> None:
    if not planned.plan.steps:
        reasons = " ".join(
            f"{name}: {fault}" for name, fault in [*planned.refused.items()][:MAX_REASONS]
        )
        raise BadField(f"No item can be done as it is written. {reasons}")


def _run(
    context: RunContext, request: RunRequest, plan: Plan, rules: BatchRules, progress: Progress
) -> PlanResult:
    if not rules.first_alone or len(plan.steps) == 1:
        return run_or_look_up(context, [(request, plan)], progress)[0]
    first, rest = _part(plan, slice(0, 1)), _part(plan, slice(1, None))
    (begun,) = run_or_look_up(context, [(request, first)])
    fault = next(filter(is_hosts_fault, begun.errors.values()), None)
    if begun.interrupt or fault:
        reason = f"Not begun, because the first item failed: {fault}" if fault else STOPPED
        states: dict[str, State[Any]] = {
            step.name: Cancelled(message=reason) for step in rest.steps
        }
        left = replace(plan_result(rest, {}, states), interrupt=begun.interrupt)
        return begun.followed_by(replace(left, cancelled=begun.cancelled), plan)
    (others,) = run_or_look_up(context, [(request, rest)], progress)
    return begun.followed_by(others, plan)


def _part(plan: Plan, steps: slice) -> Plan:
    """Cut some steps out of a plan whose steps do not need each other."""
    return _with_steps(plan, plan.steps[steps])


def _with_steps(plan: Plan, steps: Sequence[Step]) -> Plan:
    read = {name for step in steps for name in step.inputs}
    pictures = tuple(picture for picture in plan.pictures if picture.name in read)
    return plan.model_copy(update={"pictures": pictures, "steps": tuple(steps)})


def _with_refused(items: Sequence[BatchItem], planned: BatchPlan, result: PlanResult) -> PlanResult:
    """Add the items that were refused to the steps of a result, in the order of the batch."""
    steps = {step.step: step for step in result.steps}
    for item in items:
        if item.name in planned.refused:
            steps[item.name] = refused_step(item, planned.refused[item.name])
    return replace(result, steps=tuple(steps[item.name] for item in items))


def item_results(items: Sequence[BatchItem], result: PlanResult) -> list[ItemResult]:
    """Tell what became of each item."""
    changed = {step.name: step.inputs[-1] for step in result.plan.steps}
    references = {picture.name: shown(picture.reference) for picture in result.plan.pictures}
    addresses = {name: output.url for name, output in result.outputs.items()}
    urls = {name: addresses.get(name) or reference for name, reference in references.items()}
    return [
        item_result(item, step, urls.get(changed.get(item.name, "")))
        for item, step in zip(items, result.steps, strict=True)
    ]


def finish_batch(result: PlanResult, report: BatchReport) -> BatchReport:
    """End a flow with the report of its batch.

    Raises:
        StepsFailed: No item was done.
    """
    end_interrupted(result)
    if not report.completed_operations:
        raise StepsFailed(report)
    if not report.failed_operations:
        message, name = report.with_link(report.counts()), "Completed"
    else:
        reasons = " ".join(report.reasons())
        message, name = report.with_link(f"{report.counts()} {reasons}"), PARTLY_DONE
    return cast("BatchReport", Completed(name=name, message=message, data=report))
