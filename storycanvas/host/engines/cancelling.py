"""How a running operation is given up: the engine offers what ends it, the host calls that."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from storycanvas.faces.errors import OperationCancelled


class Cancellation:
    """Whether one call of an engine is cancelled, and what ends it. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cancelled = False
        self._ends: list[Callable[[], None]] = []

    @property
    def is_cancelled(self) -> bool:
        """Whether it was cancelled."""
        return self._cancelled

    def cancel(self) -> bool:
        """End the call by what the engine has offered; a second time does nothing.

        Returns:
            Whether something was ended, so that the call returns now.
        """
        with self._lock:
            ends = [] if self._cancelled else list(self._ends)
            self._cancelled = True
            # Under the lock: an engine that leaves `ended_by` knows that its process is its own.
            for end in ends:
                end()
            return bool(ends)

    def check(self) -> None:
        """Raise `OperationCancelled` if it was cancelled; engines call it between two pieces."""
        if self._cancelled:
            raise cancelled()

    @contextmanager
    def ended_by(self, end: Callable[[], None]) -> Iterator[None]:
        """Let a cancellation call `end`, from another thread, as long as the block runs.

        Raises:
            OperationCancelled: It was cancelled before, so the block does not begin.
        """
        with self._lock:
            self.check()
            self._ends.append(end)
        try:
            yield
        finally:
            with self._lock:
                self._ends.remove(end)

    @contextmanager
    def active(self) -> Iterator[None]:
        """Make it the one that `current_cancellation` gives in this thread."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)


_current: ContextVar[Cancellation] = ContextVar("cancellation")


def current_cancellation() -> Cancellation:
    """Return that of the operation on which this thread works; one of its own outside of a host."""
    return _current.get(None) or Cancellation()


def cancelled() -> OperationCancelled:
    """Describe the end of a cancelled operation."""
    return OperationCancelled("The operation was cancelled before it was done; send it again.")
