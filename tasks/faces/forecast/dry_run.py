"""The end of a dry run: the plan as a table, with what is done, and what the rest would take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from prefect.states import Completed

from storycanvas.faces.forecasts.dry_run import (
    bounded_rows,
    expectation,
    may_be_added,
    maybe_row,
    open_row,
    plan_rows,
)
from storycanvas.faces.preferences import Preferences, unused_preset
from storycanvas.faces.recipes.refining import may_be_refined
from storycanvas.faces.reports.batch import BatchReport, dry_batch_report
from storycanvas.faces.reports.characters import CharactersReport
from storycanvas.faces.reports.steps import FaceRunReport, StepReport
from tasks.artifacts import DRY_RUN_NOTE, ReportArtifact, publish_report
from tasks.faces.context import RunContext
from tasks.faces.forecast.ahead import ahead_sentence
from tasks.faces.inspection import Inspection
from tasks.faces.plan import PlanResult
from tasks.faces.refining import read_ages
from tasks.faces.reporting.report import artifact_key, plain_report
from tasks.faces.step import RunRequest


@dataclass(frozen=True)
class Forecast:
    """What is known of a plan before it is run.

    Attributes:
        request: For whom.
        inspection: What is known of its pictures.
        result: What the ledger has of it.
        preferences: Settings of every source.
        depends_on: What further steps depend on that only a host can tell; empty for nothing.
        comparisons: The looks at reference images by which its pictures would be checked.
        refines: Whether ages that are read too far from the asked ones are made once more.
    """

    request: RunRequest
    inspection: Inspection
    result: PlanResult
    preferences: Preferences
    depends_on: str = ""
    comparisons: tuple[StepReport, ...] = ()
    refines: bool = False

    def report(self, context: RunContext) -> FaceRunReport:
        """Make the report, whose steps begin with looks at the pictures that are not done yet."""
        plan, preferences = self.result.plan, self.preferences
        said = (*preferences.unknown_settings(), *unused_preset(plan, preferences))
        plain = plain_report(context, self.request, self.inspection, self.result, said)
        again = (may_be_added(len(self._again)),) if self._again else ()
        further = (f"Further steps depend on {self.depends_on}.",) if self.depends_on else ()
        looks = [look for look in self.inspection.looks if look.outcome == "planned"]
        return plain.model_copy(
            update={
                "steps": (*looks, *plain.steps, *self.comparisons),
                "notes": (*self.inspection.notes, *plan.notes, *plain.notes, *again, *further),
            }
        )

    def rows(self, steps: Sequence[StepReport]) -> list[dict[str, Any]]:
        """Make the rows of the table."""
        further = [open_row(self.depends_on)] if self.depends_on else []
        return [*plan_rows(self.result.plan, steps), *self._again, *further]

    @cached_property
    def _again(self) -> list[dict[str, Any]]:
        """Make the rows of the steps that are made once more where an age is off."""
        names = may_be_refined(self.result.plan, read_ages(self.result)) if self.refines else []
        usual = {step.step: step.usual_seconds for step in self.result.steps}
        return [maybe_row(name, usual.get(name)) for name in names]


def finish_dry_run(context: RunContext, forecast: Forecast) -> FaceRunReport:
    """End a flow with what it would do.

    Returns:
        The report, within the state that the flow returns.
    """
    report = forecast.report(context)
    message = _publish(context, forecast.request, report, forecast.rows(report.steps))
    return cast("FaceRunReport", Completed(message=message, data=report))


def finish_dry_batch(context: RunContext, forecast: Forecast, items: int) -> BatchReport:
    """End a batch of so many items with what it would do, as `finish_dry_run` does."""
    report = dry_batch_report(forecast.report(context), items)
    message = _publish(context, forecast.request, report, forecast.rows(report.steps))
    return cast("BatchReport", Completed(message=message, data=report))


def finish_dry_characters(
    context: RunContext, report: CharactersReport, forecasts: Mapping[str, Forecast]
) -> CharactersReport:
    """End a run for several characters with what it would do, as `finish_dry_run` does."""
    rows = [
        {"character": character_id, **row}
        for character_id, forecast in forecasts.items()
        for row in forecast.rows(report.reports[character_id].steps)
    ]
    refused = [each for each in report.results if each.character_id not in forecasts]
    rows += [{"character": each.character_id, "reason": each.error or ""} for each in refused]
    steps = [step for each in report.reports.values() for step in each.steps]
    request = next((forecast.request for forecast in forecasts.values()), None)
    summary = f"{report.summary()} {outlook(context, request, steps)} {report.reasons()}"
    message = _show(context, context.run_id, summary, rows, report.pipeline)
    return cast("CharactersReport", Completed(message=message, data=report))


def _publish(
    context: RunContext, request: RunRequest, report: FaceRunReport, rows: list[dict[str, Any]]
) -> str:
    ahead = outlook(context, request, report.steps)
    reasons = " ".join((*report.warnings, *report.notes, *report.reasons()))
    summary = f"{report.summary()} {ahead} {reasons}"
    return _show(context, request.subject, summary, rows, context.flow_name)


def outlook(context: RunContext, request: RunRequest | None, steps: Sequence[StepReport]) -> str:
    """Write what steps would take, what waits before them, and what of a host is not known."""
    if request is None:
        return ""
    ahead = ahead_sentence(context, request.status.engine, request.priority)
    return " ".join(filter(None, [expectation(steps), ahead, context.without_host]))


def _show(
    context: RunContext, subject: str, summary: str, rows: list[dict[str, Any]], flow: str
) -> str:
    summary = " ".join(summary.split())
    table = ReportArtifact(artifact_key(flow, subject, "plan"), bounded_rows(rows))
    publish_report(f"{context.run_name}: {summary}", table, dry_run=True)
    return f"{summary} {DRY_RUN_NOTE}"
