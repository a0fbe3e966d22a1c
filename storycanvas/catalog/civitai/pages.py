"""Pages of a list, from cursor to cursor, until there is nothing new."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from storycanvas.catalog.civitai.query import offset_cursor
from storycanvas.catalog.entries import Problem
from storycanvas.catalog.errors import AnswerUnreadable

_MAX_CURSOR_LENGTH = 4000
"""Civitai's cursors have some 20 characters; an address holds no more than a few thousand."""

_MAX_DIGITS = 12
"""Of the number of a page."""

_MAX_PAGES_WITHOUT_NEWS = 3
"""A walk ends after as many pages in a row that hold items of earlier ones, or none."""


@dataclass(frozen=True, slots=True)
class CatalogPage:
    """A page as Civitai answered it.

    Attributes:
        items: JSON values of any shape.
        next_cursor: Where the next page begins; None on the last.
        problem: Why the next page cannot be asked for, although the page names one; None otherwise.
        is_part: Whether it is a part of a page, and so may be empty: Civitai hides some models.
        is_last_part: Whether no other part of the same page follows.
    """

    items: list[object]
    next_cursor: str | None
    problem: Problem | None = None
    is_part: bool = False
    is_last_part: bool = True


@dataclass(frozen=True, slots=True)
class WalkedPage:
    """A page of a walk.

    Attributes:
        cursor: Where it begins; None for the first of the list.
        items: JSON values of any shape.
        next_cursor: Where the next one begins; None if the walk ends here.
        problem: Why the walk ends although the list names a next page; None otherwise.
        is_last_part: Whether no other part of the same page follows.
    """

    cursor: str | None
    items: list[object]
    next_cursor: str | None
    problem: Problem | None = None
    is_last_part: bool = True


def read_page(answer: object, limit: int) -> CatalogPage:
    """Read the answer to a request for a page; its items count even where its cursor is unusable.

    Args:
        answer: `items`, and `metadata` with `nextCursor` or `nextPage`, or with `currentPage` and
            `totalPages`, unless it is the last page.
        limit: How many items were asked for.

    Raises:
        AnswerUnreadable: The answer has no list of items.
    """
    items = answer.get("items") if isinstance(answer, Mapping) else None
    if not isinstance(answer, Mapping) or not isinstance(items, list):
        raise AnswerUnreadable("A page of Civitai's list has no list of items.")
    metadata = answer.get("metadata")
    try:
        cursor = _next_cursor(metadata, limit) if isinstance(metadata, Mapping) else None
    except ValueError:
        return CatalogPage(items, None, _no_cursor("The next page has no address"))
    if cursor is not None and len(cursor) > _MAX_CURSOR_LENGTH:
        return CatalogPage(items, None, _no_cursor(f"A cursor has {len(cursor)} characters"))
    return CatalogPage(items, cursor)


def walk(
    fetch: Callable[[str | None], CatalogPage], cursor: str | None = None
) -> Iterator[WalkedPage]:
    """Fetch page after page from a cursor on; stop when the list repeats itself.

    Eight bytes of each page's cursor and eight of its items' ids are kept in memory.

    Yields:
        Each page; the last one has no `next_cursor`.
    """
    visited = {_digest(cursor)}
    read: set[bytes] = set()
    nothing_new = 0
    while True:
        page = fetch(cursor)
        if page.items or not page.is_part:
            ids = _digest([_id(item) for item in page.items])
            nothing_new = nothing_new + 1 if ids in read else 0
            read.add(ids)
        problem = _reason_to_end(page, visited, nothing_new)
        following = None if problem else page.next_cursor
        is_last_part = page.is_last_part or following is None
        yield WalkedPage(cursor, page.items, following, problem, is_last_part)
        if following is None:
            return
        visited.add(_digest(following))
        cursor = following


def _next_cursor(metadata: Mapping[str, object], limit: int) -> str | None:
    cursor, address = metadata.get("nextCursor"), metadata.get("nextPage")
    if isinstance(cursor, int | float) and not isinstance(cursor, bool):
        return str(cursor)
    if isinstance(cursor, str) and cursor.strip():
        return cursor
    asked = parse_qs(urlsplit(address).query) if isinstance(address, str) else {}
    if "cursor" in asked:
        return asked["cursor"][0]
    page = _number(asked["page"][0]) if "page" in asked else _page_after(metadata)
    if page is None:
        return None
    length = _number(metadata.get("pageSize")) or limit
    return offset_cursor((page - 1) * length)


def _page_after(metadata: Mapping[str, object]) -> int | None:
    """Number the page after this one, of a list that counts its pages without naming the next."""
    page, count = _number(metadata.get("currentPage")), _number(metadata.get("totalPages"))
    return page + 1 if page and count and page < count else None


def _number(value: object) -> int | None:
    """Read a whole number from 1 on, also as text."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:_MAX_DIGITS])
    return value if type(value) is int and value > 0 else None


def _no_cursor(what: str) -> Problem:
    return Problem("the list", f"{what}, so the list ends here.")


def _reason_to_end(page: CatalogPage, visited: set[bytes], nothing_new: int) -> Problem | None:
    if page.next_cursor is None:
        return page.problem
    subject = f"cursor {page.next_cursor[:80]}"
    if _digest(page.next_cursor) in visited:
        return Problem(subject, "The list goes back to a page that was read before; it ends here.")
    if nothing_new >= _MAX_PAGES_WITHOUT_NEWS:
        return Problem(
            subject,
            f"The last {nothing_new} pages held the items of earlier ones, or none; the list ends "
            "here.",
        )
    return None


def item_ids(items: Iterable[object]) -> list[int]:
    """List the ids of those items that have one, in their order."""
    ids = (item.get("id") for item in items if isinstance(item, Mapping))
    return [id_ for id_ in ids if type(id_) is int]


def _id(item: object) -> str | None:
    return repr(item.get("id")) if isinstance(item, Mapping) else None


def _digest(value: object) -> bytes:
    return hashlib.blake2b(json.dumps(value).encode(), digest_size=8).digest()
