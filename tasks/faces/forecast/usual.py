"""What operations usually take, looked up in the ledger once a kind."""

from datetime import UTC, datetime

from pymongo.database import Database

from db.connection import Document
from db.ledger import OperationLedger
from storycanvas.faces.forecasts.usual import Size, WorkKind, usual_seconds
from storycanvas.faces.operations import FaceOperation


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
