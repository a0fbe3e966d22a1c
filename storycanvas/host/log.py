"""The host's log: lines without control characters, and a repeated problem once a minute."""

import logging
import math
import re
import sys
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TextIO

from storycanvas.host.tokens import CALLER
from storycanvas.net.wording import counted

FORMAT = "%(asctime)s %(levelname)s %(name)s:%(caller)s %(message)s"
REPEAT_SECONDS = 60.0
REPEATS = "repeats"
"""Attribute of a record below WARNING that is held back like a problem if it repeats."""
_MAX_KEPT = 500
FILE_BYTES = 10 * 2**20
OLDER_FILES = 5
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f]")
"""What colours a terminal, and what else is no text; line ends and tabs stay."""


def start_logging(file: Path | None = None) -> None:
    """Log to standard error, or from now on to a file.

    The addresses that httpx would write out in full are left out.
    """
    handler = OnceAMinute(sys.stderr) if file is None else LogFile(file)
    handler.setFormatter(PlainFormatter(FORMAT))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=file is not None)
    logging.getLogger("httpx").setLevel(logging.WARNING)


class PlainFormatter(logging.Formatter):
    """Leaves out colours and other control characters, which programs put into their messages."""

    def format(self, record: logging.LogRecord) -> str:
        """Format a record as plain text, with the name of the caller's token."""
        if not hasattr(record, "caller"):
            caller = CALLER.get().name
            record.caller = f" [{caller}]" if caller else ""
        return _CONTROL.sub("", super().format(record))


_SHORT = {"args": (), "exc_info": None, "exc_text": None, "stack_info": None}


@dataclass
class _Told:
    since: float
    record: logging.LogRecord
    held_back: int = 0


class OnceAMinute(logging.StreamHandler[TextIO]):
    """Writes the same problem once a minute, and then how often it was held back.

    Two records are the same if their logger, text and kind of exception are. Without this, a
    program that calls without end fills the disk.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(stream)
        self._begin(clock)

    def _begin(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._told: OrderedDict[tuple[str, ...], _Told] = OrderedDict()

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, or count it."""
        now = self._clock()
        self._tell_held_back(now - REPEAT_SECONDS)
        if record.levelno >= logging.WARNING or getattr(record, REPEATS, False):
            kind = type(record.exc_info[1]).__name__ if record.exc_info else ""
            key = (record.name, record.getMessage(), kind, CALLER.get().name)
            if key in self._told:
                self._told[key].held_back += 1
                return
            self._told[key] = _Told(now, record)
        super().emit(record)

    def close(self) -> None:
        """Tell what was held back; logging calls this at the end of the program."""
        self.acquire()
        try:
            self._tell_held_back(math.inf)
        finally:
            self.release()
        super().close()

    def _tell_held_back(self, until: float) -> None:
        while self._told:
            key, oldest = next(iter(self._told.items()))
            if oldest.since > until and len(self._told) <= _MAX_KEPT:
                return
            del self._told[key]
            if oldest.held_back:
                count = counted(oldest.held_back, "more line")
                text = f"{oldest.record.getMessage()} ({count} like this within a minute)"
                record = oldest.record
                summary = logging.makeLogRecord(record.__dict__ | _SHORT | {"msg": text})
                super().emit(summary)


class LogFile(OnceAMinute, RotatingFileHandler):
    """The same in a file, which is renamed `.1` at 10 MiB; five older ones are kept.

    Windows renames no file that is open elsewhere, so a program beside the host cannot do it.
    """

    def __init__(self, file: Path) -> None:
        RotatingFileHandler.__init__(
            self, file, maxBytes=FILE_BYTES, backupCount=OLDER_FILES, encoding="utf-8"
        )
        self._begin(time.monotonic)
