"""Running one pipeline for several characters: one run, one plan for each, one guard."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, cast

from prefect.logging import get_run_logger
from prefect.states import Completed

from db.character_search.names import ids_of
from db.characters import CharacterRepository
from storycanvas.faces.errors import BadField
from storycanvas.faces.plan import Plan
from storycanvas.faces.recipes.pipeline import Pipeline
from storycanvas.faces.reports.batch import PARTLY_DONE
from storycanvas.faces.reports.characters import (
    CharacterResult,
    CharactersReport,
    character_result,
    characters_report,
)
from storycanvas.faces.reports.steps import FaceRunReport
from tasks.artifacts import ReportArtifact, subject_key
from tasks.faces.context import RunContext
from tasks.faces.failures import FailureLimit
from tasks.faces.forecast.dry_run import finish_dry_characters
from tasks.faces.plan import PlanResult, end_interrupted, record_failures
from tasks.faces.refining import run_and_refine
from tasks.faces.reporting.report import Extras, artifact_key, progress_artifact, report_run
from tasks.faces.reviewing import WAITS, review
from tasks.faces.run import PreparedRun, RunOptions, forecasts, prepare_all
from tasks.faces.step import RunRequest
from tasks.waiting import first_task

MAX_CHARACTERS = 500
NAME = "for-characters"


class NoCharacterDone(Exception):
    """A pipeline was run for several characters, and is done for none.

    Attributes:
        report: What became of each.
    """

    retryable: ClassVar[bool] = False

    def __init__(self, report: CharactersReport) -> None:
        super().__init__(f"{report.summary()} {report.reasons()}")
        self.report = report


@dataclass(frozen=True)
class CharacterRules:
    """For whom a pipeline is run, and when nothing more is begun.

    Attributes:
        project_id: All characters of this project.
        characters: Or those of these ids or names.
        only_first: How many of them; the others wait for a later run. None for all.
        stop_after_failures: Failed characters after which nothing more is begun.
    """

    project_id: str | None = None
    characters: Sequence[str] = ()
    only_first: int | None = None
    stop_after_failures: int | None = None


@first_task("list characters")
def list_characters(context: RunContext, rules: CharacterRules) -> list[str]:
    """List the ids of the characters that a run is for, each once.

    Raises:
        BadField: Neither a project nor characters are named, or both.
        UnknownCharacter: The project has none.
    """
    if bool(rules.project_id) == bool(rules.characters):
        raise BadField("Name a project_id or characters; one of the two.")
    if rules.project_id:
        found = CharacterRepository(context.database).of_project(rules.project_id, MAX_CHARACTERS)
    else:
        found = _ids_of(context, rules.characters)
    return [*dict.fromkeys(found)]


def _ids_of(context: RunContext, given: Sequence[str]) -> list[str]:
    """Put ids in the place of names; what is neither stays, and is refused for itself alone."""
    ids = ids_of(context.database, given)
    for name, character_id in ids.items():
        if name != character_id:
            get_run_logger().info("The name %r is that of the character %r.", name, character_id)
    return [ids.get(each, each) for each in given]


def run_for_characters(
    context: RunContext, options: RunOptions, pipeline: Pipeline, rules: CharacterRules
) -> CharactersReport:
    """Run a pipeline for several characters, as a whole flow.

    Returns:
        The report, within the state that the flow returns: Completed, with the name `Partly done`
        if it is not done for some of them.

    Raises:
        NoCharacterDone: It is done for none; it carries the report.
    """
    ids = list_characters(context, rules)
    begun = ids[: rules.only_first]
    wanted = [replace(options, character_id=character_id) for character_id in begun]
    prepared = dict(zip(begun, prepare_all(context, wanted, pipeline), strict=True))
    ready, refused = _parted(prepared)
    waiting = len(ids) - len(begun)
    if context.dry_run:
        return _tell_plans(context, ready, refused, waiting)
    failures = FailureLimit(rules.stop_after_failures)
    for character_id in refused:
        failures.add(character_id)
    planned = [
        (replace(run.request, failures=failures), _optional(run.plan)) for run in ready.values()
    ]
    progress = progress_artifact(context, context.run_id)
    results = run_and_refine(context, planned, progress, refines=pipeline.refines)
    if any(result.interrupt for result in results):
        for run, result in zip(ready.values(), results, strict=True):
            record_failures(context, run.request, result)
        end_interrupted(*results)
    results = _reviewed(context, ready, results)
    reports = dict(_reports(context, ready, results))
    ordered = _results(begun, refused, reports)
    return _finish(context, characters_report(context.flow_name, ordered, reports, waiting), rules)


def _reviewed(
    context: RunContext, ready: dict[str, PreparedRun], results: Sequence[PlanResult]
) -> list[PlanResult]:
    """Have a person decide on the pictures of all characters, in one form."""
    names = Counter(run.request.character_name for run in ready.values())

    def label(request: RunRequest) -> str:
        name = request.character_name
        return name if names[name] == 1 and name else str(request.character_id)

    def show() -> str | None:
        pages = [r.contact_sheet_page for _, r in _reports(context, ready, results, (WAITS,))]
        return next(iter(pages), None)

    requests = [run.request for run in ready.values()]
    return review(context, [*zip(requests, results, strict=True)], show, label)


def _tell_plans(
    context: RunContext,
    ready: dict[str, PreparedRun],
    refused: dict[str, Exception],
    waiting: int,
) -> CharactersReport:
    """Tell in a dry run what would be done for each character."""
    optional = [replace(run, plan=_optional(run.plan)) for run in ready.values()]
    known = dict(zip(ready, forecasts(context, optional), strict=True))
    reports = {name: forecast.report(context) for name, forecast in known.items()}
    results = _results([*ready, *refused], refused, reports)
    report = characters_report(context.flow_name, results, reports, waiting)
    return finish_dry_characters(context, report, known)


def _results(
    begun: Sequence[str], refused: dict[str, Exception], reports: dict[str, FaceRunReport]
) -> tuple[CharacterResult, ...]:
    told = {character_id: _refused(character_id, error) for character_id, error in refused.items()}
    told |= {name: character_result(name, report) for name, report in reports.items()}
    return tuple(told[character_id] for character_id in begun)


def _parted(
    prepared: dict[str, PreparedRun | Exception],
) -> tuple[dict[str, PreparedRun], dict[str, Exception]]:
    ready = {name: run for name, run in prepared.items() if isinstance(run, PreparedRun)}
    refused = {name: error for name, error in prepared.items() if isinstance(error, Exception)}
    return ready, refused


def _optional(plan: Plan) -> Plan:
    """Let a picture that cannot be had stop the steps of its own character only."""
    pictures = [picture.model_copy(update={"required": False}) for picture in plan.pictures]
    return plan.model_copy(update={"pictures": tuple(pictures)})


def _reports(
    context: RunContext,
    ready: dict[str, PreparedRun],
    results: Sequence[PlanResult],
    notes: tuple[str, ...] = (),
) -> Iterator[tuple[str, FaceRunReport]]:
    """Report each character as if the pipeline had been run for it alone."""
    extras = Extras(notes=notes)
    for (character_id, run), result in zip(ready.items(), results, strict=True):
        report = report_run(context, run.request, run.inspection, result, run.preferences, extras)
        yield character_id, report


def _refused(character_id: str, error: Exception) -> CharacterResult:
    return CharacterResult(character_id=character_id, outcome="failed", error=str(error))


def _finish(
    context: RunContext, report: CharactersReport, rules: CharacterRules
) -> CharactersReport:
    key = artifact_key(NAME, subject_key(rules.project_id or context.run_id), "characters")
    rows = [result.model_dump() for result in report.results]
    ReportArtifact(key, rows).publish(f"{context.run_name}: {report.summary()}")
    if not report.completed_characters and report.failed_characters:
        raise NoCharacterDone(report)
    name, message = "Completed", report.summary()
    if report.failed_characters:
        name, message = PARTLY_DONE, f"{message} {report.reasons()}"
    return cast("CharactersReport", Completed(name=name, message=message, data=report))
