"""What FaceFusion says on standard error, its progress included."""

import logging
import threading
from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO

_SHOWN_LINES = 20
_MAX_LINE_LENGTH = 240


def redact_paths(log: Sequence[str], folders: Iterable[Path]) -> tuple[str, ...]:
    """Shorten a log for the caller.

    Args:
        log: Oldest line first.
        folders: Whose paths are left out.

    Returns:
        The last 20 lines, at most 240 characters each, with `…` in place of each folder.
    """
    places = tuple(folders)
    return tuple(without_folders(line, places)[:_MAX_LINE_LENGTH] for line in log[-_SHOWN_LINES:])


def without_folders(text: str, folders: Iterable[Path]) -> str:
    """Put `…` in place of each folder in a text.

    Args:
        text: What is told to the caller.
        folders: Whose paths are left out; the root of a disk is no secret.
    """
    places = (str(folder) for folder in folders if folder != folder.parent)
    for folder in sorted(places, key=len, reverse=True):  # the inner one first
        text = text.replace(folder, "…")
    return text


_log = logging.getLogger("facefusion")

MARK = "\x1e"
"""The line with which `worker.py` says that it has answered."""

_KEPT_LINES = 200
_BEHIND_SECONDS = 5.0


class Said:
    """Hands every line to the host's log at once, and keeps the last ones of an operation."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._marks = threading.Semaphore(0)

    def begin(self) -> None:
        """Forget what was said before."""
        self._lines.clear()

    def lines(self) -> tuple[str, ...]:
        """Give what was said since the beginning, at most the last 200 lines."""
        return tuple(self._lines)

    def catch_up(self) -> None:
        """Wait until the lines that came before an answer are here, too."""
        self._marks.acquire(timeout=_BEHIND_SECONDS)

    def follow(self, stream: IO[str]) -> threading.Thread:
        """Read a process's standard error until it ends, in a thread.

        Args:
            stream: In text mode with universal newlines, so that each step of a progress bar,
                which ends with a carriage return, is a line.

        Returns:
            The thread; join it to have everything.
        """
        self._marks = marks = threading.Semaphore(0)  # an older process's marks count no more
        thread = threading.Thread(target=self._read, args=(stream, marks), daemon=True)
        thread.start()
        return thread

    def _read(self, stream: IO[str], marks: threading.Semaphore) -> None:
        with stream:
            for text in stream:
                self._take(text.strip(" \r\n"), marks)
        marks.release()  # nobody has to wait for a mark that cannot come any more

    def _take(self, line: str, marks: threading.Semaphore) -> None:
        if line == MARK:
            marks.release()
        elif line:
            self._lines.append(line)
            _log.info("%s", line)
