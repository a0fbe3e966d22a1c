"""A folder of files that stays below a bound: the least recently used go first."""

import contextlib
import errno
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from storycanvas.host.storage.disk import remove_parts
from storycanvas.host.storage.use_order import UseOrder

_log = logging.getLogger(__name__)

_DAY_NS = 24 * 3600 * 10**9


class PictureFolder:
    """Puts pictures in place and removes them; usable from several threads.

    The time of a file is that of its last use, so the order outlives the program. A picture that
    is held or expected stays, even if the bound is exceeded meanwhile.

    Args:
        folder: Belongs to this object alone; made if it is missing.
        max_bytes: Bound on the size of all pictures together.
        is_picture: Recognises the pictures in the folder by name.
    """

    def __init__(self, folder: Path, max_bytes: int, is_picture: Callable[[str], bool]) -> None:
        self.path = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._max_bytes = max_bytes
        self._order = UseOrder(max_bytes)
        self._lock = threading.Lock()
        self._exceeded = False
        self._latest = 0
        self._read(is_picture)

    def place(self, part: Path, name: str, expected_seconds: float = 0.0) -> None:
        """Give a written file its name, after making room for it.

        Args:
            part: A closed file of the folder.
            name: The same name always means the same content.
            expected_seconds: As for `expect`.
        """
        size = part.stat().st_size
        target = self.path / name
        with self._lock:
            if not target.exists() or target.stat().st_size != size:
                self._order.forget(name)
                self._make_room(size)
                part.replace(target)
            self._touch(name)
            self._order.want(name)
            if expected_seconds:
                self._order.expect(name, time.monotonic() + expected_seconds)

    def expect(self, name: str, seconds: float) -> None:
        """Use a picture, and keep it that long for the caller that is about to fetch it."""
        with self._lock:
            self._touch(name)
            self._order.expect(name, time.monotonic() + seconds)

    def expect_no_more(self, name: str) -> None:
        """Let a picture be removed in its turn."""
        with self._lock:
            self._order.expect(name, 0.0)
            self._make_room()

    def remove(self, name: str) -> None:
        """Remove a picture now, or as soon as it is neither held nor expected.

        One that is placed again meanwhile stays. Which are to go is not known after a restart.

        Raises:
            OSError: The disk does not let it go.
        """
        with self._lock:
            if self._order.want_no_more(name, time.monotonic()):
                self._unlink(name)

    @contextlib.contextmanager
    def held(self, names: Sequence[str]) -> Iterator[None]:
        """Keep pictures from being removed while they are used.

        Raises:
            FileNotFoundError: A picture is not there; `filename` names it.
        """
        with self._lock:
            for name in names:
                self._touch(name)
            for name in names:
                self._order.hold(name)
        try:
            yield
        finally:
            with self._lock:
                for name in names:
                    self._order.release(name)
                self._make_room()

    def tidy(self) -> None:
        """Remove half-written files and what exceeds the bound, before the first request."""
        parts = remove_parts(self.path)
        with self._lock:
            self._make_room()
            count, size = len(self._order), self._order.bytes
        _log.info("%d pictures, %d bytes; %d unfinished files removed", count, size, parts)

    def remove_older(self, seconds: float) -> int:
        """Remove pictures unused for that many seconds, and return how many."""
        oldest = time.time_ns() - int(seconds * 1e9)
        with self._lock:
            return sum(map(self._remove, self._order.unused_since(oldest, time.monotonic())))

    def _touch(self, name: str) -> None:
        # Strictly increasing, so that the next start reads the same order from the files' times.
        self._latest = max(time.time_ns(), self._latest + 1)
        path = self.path / name
        try:
            # A disk that is read-only still gives its pictures; their order then counts up to the
            # end of the program only.
            with contextlib.suppress(OSError):
                os.utime(path, ns=(self._latest, self._latest))
            self._order.used(name, path.stat().st_size, self._latest)
        except FileNotFoundError as error:
            self._order.forget(name)
            raise FileNotFoundError(errno.ENOENT, "no such picture", name) from error

    def _make_room(self, size: int = 0) -> None:
        stuck: set[str] = set()
        while names := self._order.surplus(size, time.monotonic(), stuck):
            stuck.update(name for name in names if not self._remove(name))
        exceeded = self._order.bytes + size > self._max_bytes
        if exceeded and not self._exceeded:
            _log.warning(
                "all pictures are in use: %d bytes stay for now, more than the %d of --keep-gib",
                self._order.bytes + size, self._max_bytes,
            )  # fmt: skip
        self._exceeded = exceeded

    def _remove(self, name: str) -> bool:
        try:
            self._unlink(name)
        except OSError:
            _log.exception("the picture %s could not be removed", name)
            return False
        return True

    def _unlink(self, name: str) -> None:
        (self.path / name).unlink(missing_ok=True)
        self._order.forget(name)

    def _read(self, is_picture: Callable[[str], bool]) -> None:
        """Count what is there; a time in the far future counts as that of tomorrow."""
        with os.scandir(self.path) as entries:
            found = [
                (status.st_mtime_ns, entry.name, status.st_size)
                for entry in entries
                if is_picture(entry.name)
                for status in (entry.stat(),)
            ]
        tomorrow = time.time_ns() + _DAY_NS
        for used_at, name, size in sorted(found):
            self._latest = min(used_at, tomorrow)
            self._order.used(name, size, self._latest)
