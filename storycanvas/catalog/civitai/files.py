"""Items out of a file of any size: a page, a list, or lines, plain or gzip."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from storycanvas.catalog.civitai.json_lines import has_lines, next_line
from storycanvas.catalog.civitai.json_skipping import skip_item
from storycanvas.catalog.civitai.json_window import MAX_LETTERS, BrokenJson, JsonWindow, TextEnds
from storycanvas.catalog.civitai.text_parts import TextParts
from storycanvas.catalog.entries import Problem


@dataclass(frozen=True, slots=True)
class RawItem:
    """An item as the file has it.

    Attributes:
        index: How many items and problems come before it in the file.
        raw: Of any shape.
        letters: How long it is in the file; 0 where that is not known.
    """

    index: int
    raw: object
    letters: int = field(default=0, compare=False)


def read_file(path: Path, start: int = 0) -> Iterator[RawItem | Problem]:
    """Read the items of a file, with little memory.

    The file is a page `{"items": [...], "metadata": {...}}`, a list of items, one item, or lines
    each of which is an item or a page. It is UTF-8, with or without a byte order mark, and may be
    gzip. One item, and one line, may have 16 Mi letters.

    Args:
        path: The file.
        start: How many items and problems to pass over: as many as an earlier reading of the same
            file has got.

    Yields:
        Items, and what could not be read, in the file's order. A file that is cut off gives what is
        whole, then one problem.

    Raises:
        OSError: The file cannot be opened, or the disk fails.
    """
    parts = TextParts(path)
    try:
        for index, found in enumerate(_Reading(parts).run()):
            if index >= start:
                yield found
    finally:
        parts.close()


class _Reading:
    """One reading of one file."""

    def __init__(self, parts: TextParts) -> None:
        self._parts = parts
        self._window = JsonWindow(parts)
        self._count = 0

    def run(self) -> Iterator[RawItem | Problem]:
        window = self._window
        if not window.peek():
            yield self._problem(window.line, self._parts.cut or "The file is empty.")
            return
        try:
            yield from self._lines() if has_lines(window) else self._documents(window)
        except BrokenJson as error:
            yield self._problem(window.line, f"{error} What comes after it was not read.")
        except TextEnds as error:
            yield self._problem(window.line, self._parts.cut or f"The file is cut off: {error}")
        else:
            if self._parts.cut:
                yield self._problem(window.line, self._parts.cut)

    def _lines(self) -> Iterator[RawItem | Problem]:
        window = self._window
        while window.peek():
            number = window.line
            try:
                line = next_line(window)
                yield from self._documents(JsonWindow([line], number))
            except (BrokenJson, TextEnds) as error:
                if isinstance(error, TextEnds) and not window.peek():
                    raise
                yield self._problem(number, str(error))

    def _documents(self, window: JsonWindow) -> Iterator[RawItem | Problem]:
        while first := window.peek():
            if first == "{":
                yield from self._object(window)
            elif first == "[":
                yield from self._list(window)
            else:
                raise BrokenJson("It is neither an object nor a list.")
            window.take(",")

    def _object(self, window: JsonWindow) -> Iterator[RawItem | Problem]:
        begin, is_page = window.passed, False
        fields: dict[str, object] = {}
        window.take("{")
        while not window.take("}"):
            name = _name(window)
            if name == "items" and "id" not in fields and window.peek() == "[":
                is_page = True
                yield from self._list(window)
            else:
                fields[name] = window.value()
            if is_page:
                fields.clear()
            elif window.passed - begin > MAX_LETTERS:
                raise BrokenJson(f"It is longer than {MAX_LETTERS} letters.")
            _go_to_next(window)
        if not is_page:
            yield self._item(fields, window.passed - begin)

    def _list(self, window: JsonWindow) -> Iterator[RawItem | Problem]:
        window.take("[")
        while not window.take("]"):
            begin = window.passed
            try:
                raw = window.value()
            except (BrokenJson, TextEnds) as error:
                line = window.line
                if not skip_item(window):
                    raise
                yield self._problem(line, str(error))
            else:
                yield self._item(raw, window.passed - begin)
            if not window.take(",") and not window.peek():
                raise TextEnds("It ends within a list.")

    def _item(self, raw: object, letters: int) -> RawItem:
        self._count += 1
        return RawItem(self._count - 1, raw, letters)

    def _problem(self, line: int, reason: str) -> Problem:
        self._count += 1
        return Problem(f"item {self._count}, line {line}", reason)


def _name(window: JsonWindow) -> str:
    if not window.peek():
        raise TextEnds("It ends within an object.")
    name = window.value()
    if not isinstance(name, str) or not window.take(":"):
        if not window.peek():
            raise TextEnds("It ends within an object.")
        raise BrokenJson("It is no JSON: a field has no name, or no colon.")
    return name


def _go_to_next(window: JsonWindow) -> None:
    if window.take(",") or window.peek() == "}":
        return
    if not window.peek():
        raise TextEnds("It ends within an object.")
    raise BrokenJson("It is no JSON: a comma is missing.")


MAX_ITEMS = 200
MAX_BATCH_LETTERS = 8 * 1024 * 1024
"""A batch ends with the item that reaches it."""


def batches(found: Iterable[RawItem | Problem]) -> Iterator[list[RawItem | Problem]]:
    """Gather what was found, in its order.

    Args:
        found: As `storycanvas.catalog.civitai.files.read_file` gives it.

    Yields:
        Batches of at most `MAX_ITEMS`; none is empty.
    """
    batch: list[RawItem | Problem] = []
    letters = 0
    for one in found:
        batch.append(one)
        letters += one.letters if isinstance(one, RawItem) else 0
        if len(batch) >= MAX_ITEMS or letters >= MAX_BATCH_LETTERS:
            yield batch
            batch, letters = [], 0
    if batch:
        yield batch
