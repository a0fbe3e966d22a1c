"""The state of a run that is at work: how far it is, or that it waits for a GPU host.

A thread of its own looks each second, and changes the state at most every 15 s, where the words are
others. It has ended before the run goes on, since a change that came after the run's end would have
it running again.
"""

import contextvars
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import httpx

from db.errors import DatabaseError
from storycanvas.faces.forecasts.progress import Pace, StateWords, waiting_words
from storycanvas.gpu.prefect_client import no_client_retries, run_log
from tasks.faces.context import RunContext
from tasks.faces.forecast.ahead import read_ahead
from tasks.wait_reasons import forget_words, show_words

LOOK_SECONDS = 1.0
WAITED_SECONDS = 3.0
"""Waits that are shorter are not worth a state."""
CHANGE_SECONDS = 15.0
"""Shortest pause between two changes, and from a run's begin to the first that is no wait."""


@contextmanager
def shown_state(context: RunContext, pace: Pace) -> Iterator[None]:
    """Show in the state of a run how far it is, while its steps are waited for.

    A job's state is its document's; a run outside of Prefect's has none.
    """
    if context.origin != context.run_id or context.run_id == "none":
        yield
        return
    shown = _ShownState(context, pace)
    thread = threading.Thread(
        target=contextvars.copy_context().run, args=(shown.run,), name="shown state", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        shown.ends.set()
        thread.join()
        forget_words(shown.run_id)


class _ShownState:
    def __init__(self, context: RunContext, pace: Pace) -> None:
        self.ends = threading.Event()
        self.run_id = UUID(context.run_id)
        self._context = context
        self._pace = pace
        self._last = StateWords()

    def run(self) -> None:
        with no_client_retries():
            while not self.ends.wait(LOOK_SECONDS) and not self._context.stopping.begun:
                try:
                    self._look()
                except (httpx.HTTPError, DatabaseError) as error:
                    # The run itself goes on; the next look may find the server again.
                    run_log(__name__).debug("What the run waits for is not known: %s", error)

    def _look(self) -> None:
        waits = self._waits()
        since_change = time.monotonic() - self._context.state_changed_at
        is_first_wait = waits is not None and not self._context.state_was_shown
        if since_change < CHANGE_SECONDS and not is_first_wait:
            return
        words = self._pace.words() if waits is None else self._waiting_words(*waits)
        if words != self._last and not self.ends.is_set():
            self._last = words
            self._context.state_was_shown = True
            self._context.state_changed_at = time.monotonic()
            show_words(self.run_id, words)

    def _waits(self) -> tuple[int, float] | None:
        """Find with which priority the run waits, and since when; None where it is at work."""
        waiting = self._context.hosts.waiting()
        if not waiting:
            return None
        first = min(waiting, key=lambda request: request.rank)
        since = min(request.since for request in waiting)
        return (first.priority, since) if time.time() - since >= WAITED_SECONDS else None

    def _waiting_words(self, priority: int, since: float) -> StateWords:
        ahead = read_ahead(self._context, priority, since, self._pace.usual_of_any())
        return waiting_words(ahead.runs, ahead.seconds)
