"""Bodies of answers, read within bounds of length and of time."""

import time
from collections.abc import Iterable, Iterator


class BodyTooLong(Exception):
    """A body has more bytes than are read."""


class BodyTooSlow(Exception):
    """A body did not end in time."""


class ByteCount:
    """Counts the bytes of a body against its bounds; async readers call `add` for each piece.

    Args:
        max_bytes: Most bytes; None is no bound.
        max_seconds: Longest time from now to the last piece; None is no bound. A server that
            sends a byte now and then would satisfy every read timeout without end.
    """

    def __init__(self, max_bytes: int | None, max_seconds: float | None = None) -> None:
        self._max_bytes = max_bytes
        self._end = None if max_seconds is None else time.monotonic() + max_seconds
        self._size = 0

    def add(self, piece: bytes) -> bytes:
        """Count a piece and return it.

        Raises:
            BodyTooLong: The bytes so far exceed the bound.
            BodyTooSlow: The time is over.
        """
        self._size += len(piece)
        if self._max_bytes is not None and self._size > self._max_bytes:
            raise BodyTooLong
        if self._end is not None and time.monotonic() > self._end:
            raise BodyTooSlow
        return piece


def bounded(
    pieces: Iterable[bytes], max_bytes: int | None, max_seconds: float | None = None
) -> Iterator[bytes]:
    """Yield the pieces of a body as long as they are within `ByteCount`'s bounds.

    Raises:
        BodyTooLong: The bytes so far exceed the bound.
        BodyTooSlow: The time is over.
    """
    count = ByteCount(max_bytes, max_seconds)
    return (count.add(piece) for piece in pieces)
