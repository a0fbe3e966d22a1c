"""How far one operation has come, for all who wait for it; belongs to the event loop."""

import asyncio
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from storycanvas.faces.contract import OperationPhase, OperationState, Phases
from storycanvas.host.engines.cancelling import Cancellation

_RUNNING = {"engine", "measuring", "encoding"}


class Progress:
    """The phases of an operation and their seconds.

    Attributes:
        phase: The current one; None at its end.
        revision: Grows with each change.
        begun: Set when the engine begins, or at the end if it never did.
        created_at: When it was made, UTC.
        ended_at: When it ended, UTC.
    """

    def __init__(self, created_at: datetime | None = None) -> None:
        self.phase: OperationPhase | None = "queued"
        self.revision = 1
        self.begun = asyncio.Event()
        self.created_at = created_at or datetime.now(UTC)
        self.ended_at: datetime | None = None
        self._end: OperationState | None = None
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._entered = time.perf_counter()
        self._changed = asyncio.Event()

    @property
    def state(self) -> OperationState:
        """The state that follows from the phase, or the end."""
        if self._end is not None:
            return self._end
        return "running" if self.phase in _RUNNING else "waiting"

    @property
    def phases(self) -> Phases:
        """How long its parts took up to now."""
        seconds = dict(self._seconds)
        if self.phase is not None:
            running = time.perf_counter() - self._entered
            seconds[self.phase] = seconds.get(self.phase, 0.0) + running
        return Phases(
            queue=seconds.get("queued", 0.0) + seconds.get("ready", 0.0),
            decode=seconds.get("decoding", 0.0),
            engine=seconds.get("engine", 0.0),
            measure=seconds.get("measuring", 0.0),
            encode=seconds.get("encoding", 0.0),
        )

    def enter(self, phase: OperationPhase) -> None:
        """Begin a phase."""
        self._leave()
        self.phase = phase
        if phase in _RUNNING:
            self.begun.set()
        self._tell()

    def enter_measuring(self) -> None:
        """Begin that phase, unless the operation has ended meanwhile: the engine's call is late."""
        if self.phase == "engine":
            self.enter("measuring")

    def end(self, state: OperationState) -> None:
        """Come to the end."""
        self._leave()
        self.phase, self._end, self.ended_at = None, state, datetime.now(UTC)
        self.begun.set()
        self._tell()

    async def changed(self, after: int, seconds: float) -> None:
        """Wait until the revision is another one, at most for a time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.revision == after and self._end is None:
                    await self._changed.wait()

    def _leave(self) -> None:
        now = time.perf_counter()
        if self.phase is not None:
            self._seconds[self.phase] += now - self._entered
        self._entered = now

    def _tell(self) -> None:
        self.revision += 1
        waited_for, self._changed = self._changed, asyncio.Event()
        waited_for.set()


@dataclass(eq=False)
class RunControl:
    """What one run of an operation is watched and ended by.

    Attributes:
        promised: Whether the host took it before it was started again.
        taken: Whether it is taken with 202; from then on it waits for room on the disk.
        measures: Whether its result is measured, by an engine that can.
        progress: How far it has come.
        cancellation: Ends the engine's call.
        ticket: Its place in the queue; None before it has one.
        admitted: Set once it has its ticket, or has ended without.
    """

    promised: bool = False
    taken: bool = False
    measures: bool = False
    progress: Progress = field(default_factory=Progress)
    cancellation: Cancellation = field(default_factory=Cancellation)
    ticket: int | None = None
    admitted: asyncio.Event = field(default_factory=asyncio.Event)
