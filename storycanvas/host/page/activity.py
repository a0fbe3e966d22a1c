"""What the operator's page shows of operations: of other callers neither pictures nor ids."""

from datetime import datetime

from storycanvas.faces.contract import Answer, OperationPhase, OperationState, OperationStatus
from storycanvas.host.operations.runs import OperationRuns


class SeenOperation(Answer):
    """One operation, under way or at its end.

    Attributes:
        operation: Its path.
        state: As in the contract.
        phase: The current one; None at its end.
        place: Its place in the queue while it waits.
        outcome: `succeeded`, `cancelled`, or the code of an error; None before its end.
        seconds: Up to now or its end, waiting included.
        engine_seconds: Of these, the engine's.
        ended_at: UTC.
        id: Only of the caller's own operations, as are the next two.
        message: Why it failed.
        output_path: Its picture.
    """

    operation: str
    state: OperationState
    phase: OperationPhase | None
    place: int | None
    outcome: str | None
    seconds: float
    engine_seconds: float
    ended_at: datetime | None
    id: str | None = None
    message: str | None = None
    output_path: str | None = None


class Activity(Answer):
    """What runs and waits, by its turn, and what ended last, the newest first."""

    open: tuple[SeenOperation, ...]
    ended: tuple[SeenOperation, ...]


def activity(runs: OperationRuns, owner: str) -> Activity:
    """Describe the operations of a host, those of `owner` in full."""
    return Activity(
        open=tuple(_seen(status, own=its == owner) for its, status in runs.open_ones()),
        ended=tuple(_seen(status, own=its == owner) for its, status in runs.recent),
    )


def _seen(status: OperationStatus, *, own: bool) -> SeenOperation:
    outcome = None
    if status.has_ended:
        failed = status.state == "failed" and status.error is not None
        outcome = status.error.code if failed and status.error else status.state
    phases = (status.result and status.result.phases) or status.phases
    shown = SeenOperation(
        operation=status.operation,
        state=status.state,
        phase=status.phase,
        place=status.place,
        outcome=outcome,
        seconds=sum(phases.model_dump().values()),
        engine_seconds=phases.engine,
        ended_at=status.ended_at,
    )
    if not own:
        return shown
    return shown.model_copy(
        update={
            "id": status.id,
            "message": status.error and status.error.message,
            "output_path": status.result and status.result.output_path,
        }
    )
