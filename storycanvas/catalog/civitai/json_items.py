"""Items out of the JSON of pages and lists, one by one and each within bounds."""

import io
from collections.abc import Iterator

import ijson

MAX_ITEM_LENGTH = 16 * 1024 * 1024
"""Characters of the longest item, or line, that is read."""

MAX_LEVELS = 500
"""Levels of nesting in an item of a list or page; a bracket costs 100 times its size in memory."""


class NotRead(Exception):
    """What comes next takes too much memory, or is not an item."""


class BoundedText:
    """A text that `ijson` reads from; bounds the length of each item."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self._length = 0

    def read(self, count: int) -> bytes:
        """Read on, as `ijson` calls it.

        Raises:
            NotRead: The item is too long.
        """
        part = self._text.read(count)
        self._length += len(part)
        if self._length > MAX_ITEM_LENGTH + count:
            raise NotRead(f"It is longer than {MAX_ITEM_LENGTH} characters.")
        return part.encode()

    def next_item(self) -> int:
        """Start to measure the next item.

        Returns:
            Characters that were read for the last one; `ijson` reads 64 Ki at once.
        """
        length, self._length = self._length, 0
        return length


class _ItemList(list[object]):
    """A list that is being read and whose elements are items."""


def read_items(source: BoundedText) -> Iterator[object]:
    """Build the items of pages and lists one by one.

    `ijson.items` does that faster, but keeps the path to each level: a few MiB of brackets, or of
    nested long names, take many GiB of memory. Without `use_float`, ijson 3.6.0 crashes the process
    at a number of 4301 digits.

    Raises:
        NotRead: An item takes too much memory, or what comes next is not an item.
        ijson.JSONError: The text is cut off or broken; some broken text is a ValueError.
    """
    parents: list[dict[str, object] | list[object]] = []
    names: list[str] = []
    for event, scalar in ijson.basic_parse(source, use_float=True, multiple_values=True):
        if event == "map_key":
            names[-1] = scalar
            continue
        if event in {"start_map", "start_array"}:
            if len(parents) >= MAX_LEVELS:
                raise NotRead("It is nested too deeply.")
            parents.append({} if event == "start_map" else _list_in(parents, names))
            names.append("")
            continue
        value: object = scalar
        if event in {"end_map", "end_array"}:
            value = parents.pop()
            names.pop()
        parent = parents[-1] if parents else None
        if isinstance(parent, dict):
            parent[names[-1]] = value
        elif type(parent) is list:
            parent.append(value)
        elif parent is not None or _is_item(value):
            yield value


def _list_in(parents: list[dict[str, object] | list[object]], names: list[str]) -> list[object]:
    if not parents:
        return _ItemList()
    page = parents[0] if len(parents) == 1 else None
    is_page = isinstance(page, dict) and names[0] == "items" and "id" not in page
    return _ItemList() if is_page else []


def _is_item(value: object) -> bool:
    """Whether a value at the top is an item by itself, neither a list nor a page."""
    if not isinstance(value, dict | list):
        raise NotRead("It is neither an object nor a list.")
    return isinstance(value, dict) and not isinstance(value.get("items"), _ItemList)
