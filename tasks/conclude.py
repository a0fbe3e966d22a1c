"""The end of every face flow: record failures, publish, and return the report or raise it."""

from faces.preferences import Preferences, unused_preset
from faces.report import FaceRunReport
from tasks.errors import StepsFailed
from tasks.host_choice import engine_of
from tasks.inspect import Inspection
from tasks.outcomes import PlanResult
from tasks.publish import publish
from tasks.retrying import patient
from tasks.road import Road
from tasks.run_plan import record_failures
from tasks.run_step import Order
from tasks.sheet import sheet_entries, store_sheet


def conclude(
    road: Road,
    order: Order,
    seen: Inspection,
    result: PlanResult,
    preferences: Preferences,
    *,
    base_age: int | None = None,
    estimated_age: float | None = None,
) -> FaceRunReport:
    """Make the report of a run, show it in the UI and return it.

    Args:
        road: What the run worked with.
        order: For whom.
        seen: What was seen in the pictures before.
        result: What became of the plan.
        preferences: Settings that the plan was made with.
        base_age: Years from which the jumps were planned.
        estimated_age: The engine's estimate for the base picture, in years.

    Raises:
        StepsFailed: Some steps did not get done; it carries the report.
    """
    if result.errors:
        patient(record_failures, road.environment)(road, order, result)
    entries = sheet_entries(road, seen, result)
    sheet = store_sheet(road, entries)
    report = FaceRunReport(
        flow=road.flow_name,
        character_id=order.character_id,
        engine=f"{order.status.engine} {order.status.engine_version}",
        host=road.farm.names,
        base_age=base_age,
        estimated_age=estimated_age,
        warnings=(
            *seen.warnings,
            *unused_preset(result.plan, preferences),
            *road.farm.remarks(engine_of(order.status)),
        ),
        steps=result.steps,
        contact_sheet=sheet.url,
        contact_sheet_path=sheet.path,
    )
    publish(road, report, entries)
    if report.unfinished:
        raise StepsFailed(report)
    return report
