"""The text of a file, part by part: plain or gzip, with or without a byte order mark."""

import codecs
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from storycanvas.catalog.unpacking import PART_BYTES, unpacked

_PACKED_BYTES = 16 * 1024
_GZIP = b"\x1f\x8b"
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class TextParts:
    """Reads a file in parts of at most `PART_BYTES`, unpacked.

    Bytes that are no UTF-8 become half letters, which `storycanvas.catalog.storable` replaces: one
    broken letter costs no item.

    Args:
        path: The file.

    Attributes:
        cut: Why the file could not be read to its end, as a sentence; None if it could so far.

    Raises:
        OSError: It cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.cut: str | None = None
        self._file = path.open("rb")
        try:
            first = self._file.read(2)
            self._file.seek(0)
        except OSError:
            self._file.close()
            raise
        if first in _UTF_16:
            self.cut = "The file is UTF-16; save it as UTF-8."
        self._packed = first == _GZIP

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __iter__(self) -> Iterator[str]:
        """Read on; a damaged file ends early and `cut` says why."""
        if self.cut:
            return
        decoder = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape")
        for part in self._parts():
            if text := decoder.decode(part):
                yield text
        if text := decoder.decode(b"", final=True):
            yield text

    def _parts(self) -> Iterator[bytes]:
        if not self._packed:
            yield from _read(self._file, PART_BYTES)
            return
        try:
            yield from unpacked(_read(self._file, _PACKED_BYTES))
        except EOFError:
            self.cut = "The gzip file is cut off; all before that was read."
        except zlib.error:
            self.cut = "The gzip file is damaged; what was whole before that was read."


def _read(file: BinaryIO, part_bytes: int) -> Iterator[bytes]:
    while part := file.read(part_bytes):
        yield part
