"""Engines of tests: a bare base, one that waits for the test and fails on demand, a real one."""

import queue
import threading
from collections.abc import Sequence

from storycanvas.faces.contract import DetectedFace
from storycanvas.faces.operations import OPERATIONS, AgeAdjustOperation, FaceOperation
from storycanvas.faces.pictures.reading import Picture
from storycanvas.host.engines.engine import EngineHealth, EngineResult, Readiness
from storycanvas.host.engines.preview import PreviewEngine

FACE = DetectedFace(x=1, y=2, width=3, height=4, score=0.9, estimated_age=31.0)


class BareEngine:
    mode = "in-process"
    readiness: Readiness = "ok"
    health = EngineHealth()

    def able(self) -> tuple[str, ...]:
        return tuple(operation.path for operation in OPERATIONS)

    def models(self) -> tuple[str, ...]:
        return ()

    def load(self) -> None:
        return

    def unload(self) -> None:
        return

    def close(self) -> None:
        return


class GatedEngine(BareEngine):
    name = "gated"
    version = "7"

    def __init__(
        self, *, gated: bool = False, fails_at: dict[int, Exception] | None = None
    ) -> None:
        self.calls: list[FaceOperation] = []
        self.pictures: list[Picture] = []
        self.began: queue.Queue[FaceOperation] = queue.Queue()
        self.most_at_once = 0
        self._fails_at = fails_at or {}
        self._running = 0
        self._lock = threading.Lock()
        self._gate = threading.Semaphore(0 if gated else 1_000_000)

    def let_through(self, calls: int = 1) -> None:
        self._gate.release(calls)

    def run(self, operation: FaceOperation, pictures: Sequence[Picture]) -> EngineResult:
        self._enter(operation, pictures)
        try:
            assert self._gate.acquire(timeout=60)
            self._fail_on_demand(operation)
            picture = pictures[0] if operation.makes_picture else None
            return EngineResult(picture, (FACE,), 31.0)
        finally:
            with self._lock:
                self._running -= 1

    def _enter(self, operation: FaceOperation, pictures: Sequence[Picture]) -> None:
        with self._lock:
            self.calls.append(operation)
            self.pictures.extend(pictures)
            self._running += 1
            self.most_at_once = max(self.most_at_once, self._running)
        self.began.put(operation)

    def _fail_on_demand(self, operation: FaceOperation) -> None:
        if isinstance(operation, AgeAdjustOperation) and operation.target_age in self._fails_at:
            raise self._fails_at[operation.target_age]


class OpenPreview(PreviewEngine):
    """The preview engine in a host that is controlled by the test."""

    def let_through(self, calls: int = 1) -> None:
        """Hold nothing back."""
