"""Let a signal end this process by way of its `finally` clauses, once."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def exit_on_signal() -> Iterator[None]:
    """Turn signals that would end this process into `SystemExit`, as long as the context is open.

    Only the first one counts: a second Ctrl-C must not interrupt the ending of what was started.
    Outside the main thread, where Python takes no signals, nothing changes.

    Yields:
        Nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, _end) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, frame: FrameType | None) -> None:
    del frame
    for other in SIGNALS:
        signal.signal(other, signal.SIG_IGN)
    sys.exit(128 + number)
