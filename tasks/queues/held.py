"""A claim that this process holds: renewed in time, asked before each step, lost for good."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from db.connection import Document
from db.errors import DatabaseError
from db.queues.claims import Claim, ClaimRepository
from tasks.retries import RunStopped, Stopping

log = logging.getLogger(__name__)

FRESH_SECONDS = 0.5
"""For how long an answer of the database counts: a step that begins just after may still run."""
NOT_HELD = "The job was cancelled, or another worker has it; nothing more of it is begun here."


class HeldClaim:
    """A claim, whose loss ends the steps that are done for it. Thread-safe.

    Args:
        claims: Where it was claimed.
        claim: The claim.
        run: Whether the whole run is being stopped.

    Attributes:
        stopping: Ends the job's steps, when the run is stopped or the claim is lost.
        is_lost: Whether it is known to be lost.
    """

    def __init__(self, claims: ClaimRepository, claim: Claim, run: Stopping) -> None:
        self.claim = claim
        self.stopping: Stopping = _ClaimStopping(run, self)
        self.is_lost = False
        self._claims = claims
        self._lock = threading.Lock()
        self._asked_at = time.monotonic()

    def still_holds(self) -> bool:
        """Ask the database, unless it was asked just now; while it is away the claim counts."""
        with self._lock:
            if not self.is_lost and time.monotonic() > self._asked_at + FRESH_SECONDS:
                try:
                    self.is_lost = not self._claims.holds(self.claim)
                    self._asked_at = time.monotonic()
                except DatabaseError as error:
                    log.warning("Whether the job is still claimed is not known: %s", error)
            return not self.is_lost

    def renew(self) -> None:
        """Hold it for another lease."""
        if not self.is_lost:
            self._note(self._claims.renew(self.claim))

    def write(self, values: Document, computed: Document | None = None) -> None:
        """Write fields of the document, unless the claim is lost."""
        if not self.is_lost:
            self._note(self._claims.write(self.claim, values, computed))

    def advance(self, progress: float, values: Document) -> None:
        """Write progress, which never falls, and fields; a database that is away misses it.

        The steps go on then, and the end of the document tells all of it.
        """
        try:
            self.write(values, {"progress": {"$max": ["$progress", progress]}})
        except DatabaseError as error:
            log.warning("The progress of a job is not written: %s", error)

    def _note(self, held: bool) -> None:
        self.is_lost = self.is_lost or not held


class _ClaimStopping(Stopping):
    """Stops the steps of one job; what a host has done already is fetched and kept."""

    def __init__(self, run: Stopping, held: HeldClaim) -> None:
        super().__init__()
        self._run = run
        self._held = held

    @property
    def begun(self) -> bool:
        return self._run.begun or self._held.is_lost

    def check(self, seconds: float = 0.0, reason: str = "") -> None:
        if self._run.begun:
            self._run.check(seconds, *([reason] if reason else []))
        elif not seconds and not self._held.still_holds():
            raise RunStopped(NOT_HELD)

    def begin(self) -> None:
        self._run.begin()

    @contextmanager
    def working(self) -> Iterator[None]:
        with self._run.working():
            yield

    def deadline(self, seconds: float) -> float:
        return self._run.deadline(seconds)

    def wait(self, seconds: float) -> None:
        self._run.wait(seconds)
