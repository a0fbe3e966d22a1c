"""Pages of Civitai's list, from where an earlier run was stopped."""

from collections.abc import Iterator
from http import HTTPStatus

from prefect.logging import get_run_logger

from catalog.civitai.client import CivitaiClient
from catalog.civitai.pages import CatalogPage, WalkedPage, walk
from catalog.civitai.query import CivitaiQuery
from catalog.errors import CatalogBusy, CatalogError, CatalogRefused
from tasks.civitai_calls import asked_again


def pages_from(
    client: CivitaiClient, query: CivitaiQuery, stored: str | None
) -> Iterator[WalkedPage]:
    """Read page after page; where a stored cursor is no longer taken, from the list's begin.

    Args:
        client: The connection.
        query: Filters and order.
        stored: The cursor that an earlier run of the same filters left; None for none.

    Raises:
        catalog.errors.CatalogError: Civitai cannot be reached, refuses the key, or is too busy.
    """

    def fetch(cursor: str | None) -> CatalogPage:
        return asked_again(lambda: client.page(query, cursor))

    pages = walk(fetch, stored)
    if stored is not None:
        try:
            yield next(pages)
        except (CatalogBusy, CatalogRefused) as error:
            if not _may_lie_in_the_cursor(error):
                raise
            said = (
                "Civitai takes the stored cursor no longer (%s); the list is read from its begin."
            )
            get_run_logger().warning(said, error)
            pages = walk(fetch)
    yield from pages


def _may_lie_in_the_cursor(error: CatalogError) -> bool:
    """Tell a cursor that is too old, which is refused or breaks the search, from a busy site."""
    return not isinstance(error, CatalogBusy) or error.status == HTTPStatus.INTERNAL_SERVER_ERROR
