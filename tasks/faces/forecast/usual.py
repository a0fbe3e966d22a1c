"""What operations usually take, looked up in the ledger once a kind."""

from datetime import UTC, datetime

from pymongo.database import Database

from db.connection import Document
from db.errors import DatabaseError
from db.ledger import OperationLedger
from storycanvas.faces.forecasts.usual import SLOW_SECONDS, Size, WorkKind, usual_seconds
from storycanvas.faces.operations import FaceOperation
from storycanvas.faces.reports.steps import StepReport
from storycanvas.gpu.prefect_client import run_log
from tasks.faces.plan import PlanResult
from tasks.faces.step import StepOutput


class UsualSeconds:
    """The medians of an engine's kinds of operations.

    Args:
        database: The ledger's.
        engine: Name of the engine.
        before: Operations that ended later do not count, UTC; None for now.
    """

    def __init__(
        self, database: Database[Document], engine: str, before: datetime | None = None
    ) -> None:
        self._ledger = OperationLedger(database)
        self._engine = engine
        self._before = before or datetime.now(UTC)
        self._known: dict[WorkKind, float | None] = {}

    def of(self, operation: FaceOperation, size: Size | None) -> float | None:
        """Find what an operation usually takes; `size` is that of the picture that it changes."""
        kind = WorkKind.of(operation, self._engine, size)
        if kind is None:
            return None
        if kind not in self._known:
            self._known[kind] = usual_seconds(self._newest(kind))
        return self._known[kind]

    def of_any(self) -> float | None:
        """Find what an operation of any kind that makes a picture usually takes."""
        which = {"engine": self._engine, "output": {"$ne": None}}
        return usual_seconds(self._ledger.newest_seconds(which, None, self._before))

    def _newest(self, kind: WorkKind) -> list[float]:
        models = {f"parameters.{field}": value for field, value in kind.models}
        which = {"operation_type": kind.operation_type, "engine": kind.engine, **models}
        sides = (kind.size.above, kind.size.upto) if kind.size else None
        return self._ledger.newest_seconds(which, sides, self._before)


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
