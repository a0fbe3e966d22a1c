"""Steps that took far longer than usual, which a report notes."""

from pymongo.database import Database

from db.connection import Document
from db.errors import DatabaseError
from storycanvas.faces.forecasts.usual import SLOW_SECONDS, Size
from storycanvas.faces.reports.steps import StepReport
from storycanvas.gpu.prefect_client import run_log
from tasks.faces.forecast.usual import UsualSeconds
from tasks.faces.plan import PlanResult
from tasks.faces.step import StepOutput


def with_usual_seconds(
    database: Database[Document], engine: str, result: PlanResult
) -> tuple[StepReport, ...]:
    """Add to the steps of a run that took a while what such steps took before this run.

    Where the ledger does not answer any more, the report says nothing of it.
    """
    made = {name: output for name, output in result.outputs.items() if _took_a_while(output)}
    if not made:
        return result.steps
    first = min(output.record.created_at for output in made.values() if output.record)
    usual = UsualSeconds(database, engine, first)
    operations = {step.name: step.operation for step in result.plan.steps}
    try:
        known = {name: usual.of(operations[name], _size(output)) for name, output in made.items()}
    except DatabaseError as error:
        run_log(__name__).warning("What steps usually take is not known: %s", error)
        return result.steps
    return tuple(
        report.model_copy(update={"usual_seconds": known.get(report.step)})
        for report in result.steps
    )


def _took_a_while(output: StepOutput) -> bool:
    """Whether a step was done now, and may be worth a word."""
    seconds = output.record.processing_time_seconds if output.record else 0.0
    return output.outcome == "done" and seconds > SLOW_SECONDS


def _size(output: StepOutput) -> Size | None:
    made = output.record.output if output.record else None
    return (made.width, made.height) if made else None
