"""What FaceFusion writes to standard error, its progress included."""

import logging
import threading
from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO

_SHOWN_LINES = 20
_MAX_LINE_LENGTH = 240


def redact_paths(log: Sequence[str], folders: Iterable[Path]) -> tuple[str, ...]:
    """Return the last 20 lines, at most 240 characters each, with `…` for each folder."""
    places = tuple(folders)
    return tuple(without_folders(line, places)[:_MAX_LINE_LENGTH] for line in log[-_SHOWN_LINES:])


def without_folders(text: str, folders: Iterable[Path]) -> str:
    """Replace the path of each folder by `…`; the root of a disk is not a secret and stays."""
    places = (str(folder) for folder in folders if folder != folder.parent)
    for folder in sorted(places, key=len, reverse=True):  # the inner one first
        text = text.replace(folder, "…")
    return text


_log = logging.getLogger("facefusion")

MARK = "\x1e"
"""The line that `worker.py` writes to standard error before each answer."""

_KEPT_LINES = 200
_MARK_SECONDS = 5.0


class LogCapture:
    """Hands every line to the host's log at once, and keeps the last 200 of an operation."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._marks = threading.Semaphore(0)

    def begin(self) -> None:
        """Drop the lines of the operation before."""
        self._lines.clear()

    def lines(self) -> tuple[str, ...]:
        """Return the operation's lines, at most the last 200, oldest first."""
        return tuple(self._lines)

    def wait_for_mark(self) -> None:
        """Wait for the log lines before an answer: two pipes keep no common order."""
        self._marks.acquire(timeout=_MARK_SECONDS)

    def follow(self, stream: IO[str]) -> threading.Thread:
        """Read a process's standard error until it ends, in a thread that the caller may join.

        Args:
            stream: In text mode with universal newlines, so that each step of a progress bar,
                which ends with a carriage return, is a line.
        """
        self._marks = marks = threading.Semaphore(0)  # marks of an older process do not count
        thread = threading.Thread(target=self._read, args=(stream, marks), daemon=True)
        thread.start()
        return thread

    def _read(self, stream: IO[str], marks: threading.Semaphore) -> None:
        with stream:
            for text in stream:
                self._take(text.strip(" \r\n"), marks)
        marks.release()  # a waiter must not wait for a mark that cannot come any more

    def _take(self, line: str, marks: threading.Semaphore) -> None:
        if line == MARK:
            marks.release()
        elif line:
            self._lines.append(line)
            _log.info("%s", line)
