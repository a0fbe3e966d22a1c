"""Pages of Civitai's list, also where the site cannot answer a whole page."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from prefect.logging import get_run_logger

from storycanvas.catalog.civitai.client import CivitaiClient
from storycanvas.catalog.civitai.pages import CatalogPage, WalkedPage, item_ids, walk
from storycanvas.catalog.civitai.query import CivitaiQuery
from storycanvas.catalog.errors import (
    AnswerUnreadable,
    CatalogBusy,
    CatalogRefused,
    CatalogUnreachable,
    NotThere,
    PageBroken,
)
from tasks.catalog.civitai_api import TRIES, call_with_retries

SMALLER = (50, 10, 1)
"""Lengths of a page that are asked for where a longer one is not answered."""
SMALLER_TRIES = 3

_ANY_MODEL = 1


class PageReader:
    """Reads the page at a cursor, in smaller parts where the site does not answer it whole.

    Args:
        client: The connection.
        query: The list.
        old_cursor: A cursor that may have expired, for which no smaller part is asked.
    """

    def __init__(
        self, client: CivitaiClient, query: CivitaiQuery, old_cursor: str | None = None
    ) -> None:
        self._client = client
        self._query = query
        self._old_cursor = old_cursor
        self._limit = query.limit
        self._left = 0
        self._model = _ANY_MODEL

    def __call__(self, cursor: str | None) -> CatalogPage:
        """Read a page, or a part of it.

        Raises:
            PageBroken: Not even the first model of the page can be read.
            storycanvas.catalog.errors.CatalogError: As of `call_with_retries`.
        """
        may_be_expired = cursor is not None and cursor == self._old_cursor
        for limit in (self._limit, *(limit for limit in SMALLER if limit < self._limit)):
            try:
                page = self._page(cursor, limit)
            except CatalogBusy as error:
                if not error.may_be_of_the_request or may_be_expired:
                    raise
                broken = error
            else:
                self._note(page, limit)
                is_part = limit < self._query.limit
                return replace(page, is_part=is_part, is_last_part=self._left == 0)
        self._check_that_the_site_is_up(broken)
        raise PageBroken(broken, cursor) from broken

    def _page(self, cursor: str | None, limit: int) -> CatalogPage:
        query = self._query.model_copy(update={"limit": limit})
        tries = TRIES if limit == self._query.limit else SMALLER_TRIES
        return call_with_retries(partial(self._client.page, query, cursor), tries)

    def _note(self, page: CatalogPage, limit: int) -> None:
        """Go back to whole pages once the part that was not answered whole is read."""
        if limit < self._limit == self._query.limit:
            text = "Civitai does not answer the next %d models at once; %d at a time are read."
            get_run_logger().warning(text, self._limit, limit)
            self._left = self._limit
        # Not the number of items, of which some may be hidden.
        self._left = max(0, self._left - limit)
        self._limit = limit if self._left > 0 else self._query.limit
        self._model = next(reversed(item_ids(page.items)), self._model)

    def _check_that_the_site_is_up(self, broken: CatalogBusy) -> None:
        """Raise the error if the site answers nothing at all; then a later try can help."""
        try:
            self._client.model(self._model)
        except (NotThere, CatalogRefused, AnswerUnreadable):
            return
        except (CatalogBusy, CatalogUnreachable):
            raise broken from None


def pages_from(
    client: CivitaiClient, query: CivitaiQuery, stored: str | None, *, is_own: bool
) -> Iterator[WalkedPage]:
    """Read page after page; if the `stored` cursor is no longer accepted, from the list's start.

    Args:
        client: The connection.
        query: The list.
        stored: Where to begin; None at the start.
        is_own: Whether this very run has stored the cursor, which therefore cannot have expired.

    Raises:
        PageBroken: What comes next in the list cannot be read.
        storycanvas.catalog.errors.CatalogError: Civitai cannot be reached, refuses the key, or is
            too busy.
    """
    if stored is None or is_own:
        yield from walk(PageReader(client, query), stored)
        return
    pages = walk(PageReader(client, query, stored), stored)
    try:
        yield next(pages)
    except (CatalogBusy, CatalogRefused) as error:
        # An old cursor is refused or breaks the search; a busy site or a wrong key says nothing.
        if not error.may_be_of_the_request:
            raise
        text = "Civitai does not accept the stored cursor (%s); the list is read from its start."
        get_run_logger().warning(text, error)
        pages = walk(PageReader(client, query))
    yield from pages
