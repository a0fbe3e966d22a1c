"""Items out of a file of any size: a page, a list, or lines, plain or gzip."""

import codecs
import gzip
import io
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import ijson

from storycanvas.catalog.civitai.json_items import (
    MAX_ITEM_LENGTH,
    BoundedText,
    NotRead,
    read_items,
)
from storycanvas.catalog.entries import Problem
from storycanvas.catalog.storable import lenient_decoder

_HEAD_LENGTH = 8 * 1024 * 1024
_HEAD_LINES = 3
_GZIP = b"\x1f\x8b"
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class RawItem:
    """An item as the file has it.

    Attributes:
        index: How many items and problems come before it in the file.
        raw: The JSON value, of any shape.
        length: About how many characters it takes in the file; 0 if that is not known.
    """

    index: int
    raw: object
    length: int = field(default=0, compare=False)


def read_file(path: Path, start: int = 0) -> Iterator[RawItem | Problem]:
    """Read the items of a file, with little memory.

    The file is a page `{"items": [...], "metadata": {...}}`, a list of items, one item, or lines
    each of which is an item or a page. It is UTF-8, with or without a byte order mark, and may be
    gzip. Bytes that are not UTF-8 become U+FFFD.

    Args:
        path: The file.
        start: How many items and problems to skip: as many as an earlier reading of the same file
            yielded.

    Yields:
        Items and problems in the file's order. A list or page that is cut off or broken yields
        what comes before, then one problem; a broken line costs no other line.

    Raises:
        OSError: The file cannot be opened, or the disk fails.
    """
    for index, found in enumerate(_Reading(path).run()):
        if index >= start:
            yield found


class _UnpackedFile(io.RawIOBase):
    """A file's bytes, unpacked if it is gzip; `damage` is why it ends early."""

    def __init__(self, file: io.BufferedReader) -> None:
        first = file.read(2)
        file.seek(0)
        self._source = gzip.GzipFile(fileobj=file) if first == _GZIP else file
        self.damage = "The file is UTF-16; save it as UTF-8." if first in _UTF_16 else None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self.damage:
            return 0
        try:
            # read1, unlike read, returns what was unpacked before the damage.
            part = self._source.read1(len(buffer))
        except EOFError:
            self.damage = "The gzip file is cut off; all before that was read."
        except (gzip.BadGzipFile, zlib.error):
            self.damage = "The gzip file is damaged; what was whole before that was read."
        else:
            buffer[: len(part)] = part
            return len(part)
        return 0


class _Reading:
    """One reading of one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._count = 0

    def run(self) -> Iterator[RawItem | Problem]:
        with self._opened() as (text, file):
            head = _head(text)
        first = head[0].lstrip()[0] if head else ""
        if not head:
            yield self._problem(file.damage or "The file is empty.")
        elif _has_lines(head):
            yield from self._lines()
        elif first not in "{[":
            yield self._problem("It is neither an object nor a list.")
        else:
            yield from self._documents()

    @contextmanager
    def _opened(self) -> Iterator[tuple[io.TextIOWrapper, _UnpackedFile]]:
        with self._path.open("rb") as packed:
            file = _UnpackedFile(packed)
            yield (
                io.TextIOWrapper(
                    io.BufferedReader(file), "utf-8-sig", errors="replace", newline="\n"
                ),
                file,
            )

    def _documents(self) -> Iterator[RawItem | Problem]:
        with self._opened() as (text, file):
            source = BoundedText(text)
            try:
                for raw in read_items(source):
                    yield self._item(raw, source.next_item())
            except NotRead as error:
                yield self._problem(f"{error} What comes after it was not read.")
            except (ijson.JSONError, ValueError) as error:
                yield self._problem(file.damage or _reason(error))
            else:
                if file.damage:
                    yield self._problem(file.damage)

    def _lines(self) -> Iterator[RawItem | Problem]:
        decoder = lenient_decoder()
        with self._opened() as (text, file):
            for number, line in enumerate(_bounded_lines(text), 1):
                try:
                    if line.strip():
                        yield from self._line(decoder.decode(line), len(line))
                except (ValueError, RecursionError) as error:
                    if file.damage and not line.endswith("\n"):
                        break
                    yield self._problem(_line_reason(error, line), number)
            if file.damage:
                yield self._problem(file.damage)

    def _line(self, value: object, length: int) -> Iterator[RawItem]:
        if not isinstance(value, dict | list):
            raise ValueError("It is neither an object nor a list.")  # noqa: TRY004 - as bad JSON
        items = value if isinstance(value, list) else value["items"] if _is_page(value) else [value]
        for raw in items:
            yield self._item(raw, length // len(items))

    def _item(self, raw: object, length: int) -> RawItem:
        self._count += 1
        return RawItem(self._count - 1, raw, length)

    def _problem(self, reason: str, line: int | None = None) -> Problem:
        self._count += 1
        place = "" if line is None else f", line {line}"
        return Problem(f"item {self._count}{place}", reason)


def _head(text: io.TextIOWrapper) -> list[str]:
    """Read the first lines that are not blank; the last may be cut."""
    lines: list[str] = []
    left = _HEAD_LENGTH
    while left > 0 and len(lines) < _HEAD_LINES and (line := text.readline(left)):
        left -= len(line)
        if line.strip():
            lines.append(line)
    return lines


def _has_lines(head: list[str]) -> bool:
    """Whether each line is a value of its own; a broken line may be the first."""
    first, *others = head
    if first.lstrip().startswith("["):
        return False
    begins_a_value = first.rstrip().endswith(("{", "[", ","))
    return _is_whole(first) or (not begins_a_value and any(map(_is_whole, others)))


def _is_whole(line: str) -> bool:
    if len(line) >= _HEAD_LENGTH:
        return False
    try:
        return isinstance(lenient_decoder().decode(line), dict | list)
    except (ValueError, RecursionError):
        return False


def _bounded_lines(text: io.TextIOWrapper) -> Iterator[str]:
    """Read line after line; yield the beginning of one that is too long, which is not JSON."""
    while line := text.readline(MAX_ITEM_LENGTH):
        yield line
        while len(line) >= MAX_ITEM_LENGTH and not line.endswith("\n"):
            line = text.readline(MAX_ITEM_LENGTH)


def _is_page(value: object) -> bool:
    return isinstance(value, Mapping) and "id" not in value and isinstance(value.get("items"), list)


def _reason(error: Exception) -> str:
    text = error.args[0] if error.args else ""
    first = (text.decode(errors="replace") if isinstance(text, bytes) else str(text)).split("\n")[0]
    if "premature EOF" in first:
        return "The file is cut off: the text ends within a value."
    return f"The JSON is broken ({first.strip()}). What comes after it was not read."


def _line_reason(error: Exception, line: str) -> str:
    if len(line) >= MAX_ITEM_LENGTH:
        return f"The line is longer than {MAX_ITEM_LENGTH} characters."
    if isinstance(error, RecursionError):
        return "It is nested too deeply."
    return str(error)[:200]


MAX_ITEMS = 200
MAX_BATCH_LENGTH = 8 * 1024 * 1024
"""Characters; a batch ends with the item that reaches it."""


def batches(found: Iterable[RawItem | Problem]) -> Iterator[list[RawItem | Problem]]:
    """Gather what `read_file` yields into batches of at most `MAX_ITEMS`; none is empty."""
    batch: list[RawItem | Problem] = []
    length = 0
    for entry in found:
        batch.append(entry)
        length += entry.length if isinstance(entry, RawItem) else 0
        if len(batch) >= MAX_ITEMS or length >= MAX_BATCH_LENGTH:
            yield batch
            batch, length = [], 0
    if batch:
        yield batch
