"""Whether the result of an operation is measured, and when that began: the host asks for it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar


def _ignore() -> None:
    """Do nothing."""


class Measuring:
    """The measuring of one operation, as its host and its engine see it.

    Args:
        wanted: Whether the result is measured, by an engine that can.
        began: Called once, in the engine's thread, when the measuring begins.

    Attributes:
        began_at: When the operation itself had ended, by `time.perf_counter`; None before, and
            where nothing is measured.
    """

    def __init__(self, *, wanted: bool = False, began: Callable[[], object] = _ignore) -> None:
        self.wanted = wanted
        self.began_at: float | None = None
        self._began = began

    def begin(self) -> None:
        """Note that the operation itself has ended; engines call it before they measure."""
        if self.began_at is None:
            self.began_at = time.perf_counter()
            self._began()

    @contextmanager
    def active(self) -> Iterator[None]:
        """Make it the one that `current_measuring` gives in this thread."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)


_current: ContextVar[Measuring] = ContextVar("measuring")


def current_measuring() -> Measuring:
    """Return that of the operation on which this thread works; outside of a host none is wanted."""
    return _current.get(None) or Measuring()
