"""What a caller is told of an operation while a host works on it, and how the caller ends it."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from storycanvas.faces.errors import FaceError, OperationCancelled

_log = logging.getLogger(__name__)


def _ignore() -> None:
    """Do nothing."""


class OperationWatch:
    """One operation as its caller sees it. Thread-safe.

    Args:
        engine_ended: Called once, when the host's engine is free of the operation, although its
            result may not be there yet. Not called by a host that answers only at the end.
    """

    def __init__(self, engine_ended: Callable[[], None] = _ignore) -> None:
        self._engine_ended = engine_ended
        self._lock = threading.Lock()
        self._is_cancelled = False
        self._is_past_engine = False
        self._cancel: Callable[[], object] | None = None

    @property
    def is_cancelled(self) -> bool:
        """Whether `cancel` was called in time."""
        return self._is_cancelled

    def cancel(self) -> None:
        """Have the host give the operation up; a result that the engine has ended is kept.

        The call that waits for the operation raises `OperationCancelled`. A host that cannot be
        reached, or that answers only at the end, goes on with it.
        """
        with self._lock:
            if self._is_past_engine:
                return
            self._is_cancelled = True
            cancel = self._cancel
        if cancel is not None:
            _try(cancel)

    def check(self) -> None:
        """Raise `OperationCancelled` if it is cancelled."""
        if self._is_cancelled:
            raise OperationCancelled("The operation was cancelled; it can be sent again.")

    def past_engine(self) -> None:
        """Note that the engine is free of it."""
        with self._lock:
            first, self._is_past_engine = not self._is_past_engine, True
        if first:
            self._engine_ended()

    @contextmanager
    def cancelled_by(self, cancel: Callable[[], object]) -> Iterator[None]:
        """Cancel by this as long as the block runs; at once if it was cancelled before."""
        with self._lock:
            self._cancel = cancel
            at_once = self._is_cancelled
        if at_once:
            _try(cancel)
        try:
            yield
        finally:
            with self._lock:
                self._cancel = None


def _try(cancel: Callable[[], object]) -> None:
    try:
        cancel()
    except FaceError as error:
        _log.warning("An operation could not be cancelled, so its host goes on with it: %s", error)
